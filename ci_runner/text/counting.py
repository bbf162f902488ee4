"""Numbers with their nouns, as people write them."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """``1 entry``, ``2 entries``; ``many`` is the plural where an s does not make it."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
