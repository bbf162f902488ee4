"""Which tables a script concerns: those it names, those they refer to, and those that refer to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
_WORD = re.compile(r"\w+")


def naming(script: str) -> Callable[[str], bool]:
    """A question whether the ``script`` names something: as a word, whatever its capitals."""
    text = script.lower()
    words = set(_WORD.findall(text))
    return lambda name: name.lower() in words if _WORD.fullmatch(name) else name.lower() in text


def reached(first: Iterable[T], links: Iterable[tuple[T, T]]) -> set[T]:
    """The ``first``, those that lead to one of them, and all that these lead to by ``links``, which are pairs of from and to."""
    begin = set(first)
    waiting = list(begin)
    leads: dict[T, set[T]] = {}
    for source, target in links:
        leads.setdefault(source, set()).add(target)
        if target in begin:
            waiting.append(source)  # a referring table is looked through when the key it refers to changes
    found: set[T] = set()
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += leads.get(one, ())
    return found
