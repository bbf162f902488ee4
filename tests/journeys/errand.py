"""A task for a second process that stands by: it tells by whom it was done, and whether that one was prepared."""

import os
from collections.abc import Callable

_prepared: list[tuple[int, str]] = []


def prepare(word: str) -> None:
    """Remember the word, and in which process; ``killed`` ends it."""
    if word == "killed":
        os.kill(os.getpid(), 9)
    _prepared.append((os.getpid(), word))


Then = tuple[Callable[[str], str], dict[str, str], Callable[[], str]]


def task(order: bytes) -> tuple[Callable[[], list[str]], Callable[[list[str]], Then]]:
    """First the order and who does it, with what it was prepared; then each letter of the order in upper case; last who did that."""

    def first() -> list[str]:
        return [order.decode(), str(os.getpid()), *(f"{pid} {word}" for pid, word in _prepared)]

    return first, lambda made: (str.upper, {letter: letter for letter in made[0]}, lambda: str(os.getpid()))
