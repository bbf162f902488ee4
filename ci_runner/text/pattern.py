"""Regular expressions that mean the same in every Python, and cost nothing before they are used."""

from __future__ import annotations

import re
import sys
from typing import Any, cast

# https://github.com/python/cpython/issues/106052: before 3.11.5 (Debian 12 has 3.11.2) a possessive repetition of a group ends too early.
SOUND = sys.version_info >= (3, 11, 5)


def many(alternatives: str, least: int = 0, *, sound: bool = SOUND) -> str:
    """The expression of ``alternatives`` at least ``least`` (0 or 1) times, of which nothing is ever given back."""
    sign = "+" if least else "*"
    return f"(?:{alternatives}){sign}+" if sound else f"(?>(?:{alternatives}){sign})"


class _Later:
    """Stands for a pattern until one of its methods is asked for, which it then keeps."""

    def __init__(self, source: str, flags: int) -> None:
        self._given = source, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


def later(source: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern, compiled when first used: for expressions most runs never need, each 0.1 to 1 ms of every start.

    It has the methods and attributes of a pattern; functions of :mod:`re` do not take it for one.
    """
    return cast("re.Pattern[str]", _Later(source, flags))
