"""What became of files and statements since they were applied, in words and as a diff."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LINES = 60
_LONGEST = 200_000


def changed_statements(before: Sequence[str], now: Sequence[str]) -> str:
    """Which of the statements carried out differ or are gone, by their hashes."""
    if len(now) < len(before):
        return f"it has only {len(now)} statements now"
    index = next(index for index, (old, new) in enumerate(zip(before, now, strict=False)) if old != new)
    return f"statement {index + 1} was changed"


def diff(name: str, before: bytes | None, now: bytes) -> str:
    """A unified diff of at most 60 lines, or why there is none."""
    if before is None:
        return "  (the bytes that were applied are not at hand: no diff)"
    if len(before) + len(now) > _LONGEST:
        return "  (too long for a diff)"
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, now))
    from difflib import unified_diff

    lines = list(unified_diff(old, new, f"{name} as applied", f"{name} now", lineterm="", n=2))
    more = [f"… {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return "\n".join(f"  {line}" for line in [*lines[:_MOST_LINES], *more])
