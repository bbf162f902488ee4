"""Regular expressions that mean the same in every Python."""

from __future__ import annotations

import sys

# https://github.com/python/cpython/issues/106052: before 3.11.5 (Debian 12 has 3.11.2) a possessive repetition of a group ends too early.
SOUND = sys.version_info >= (3, 11, 5)


def many(alternatives: str, least: int = 0, *, sound: bool = SOUND) -> str:
    """The expression of ``alternatives`` at least ``least`` (0 or 1) times, of which nothing is ever given back."""
    sign = "+" if least else "*"
    return f"(?:{alternatives}){sign}+" if sound else f"(?>(?:{alternatives}){sign})"
