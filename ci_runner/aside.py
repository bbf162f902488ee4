"""Lets a second process work through a long list, or on one thing, while this one goes on; its answers can always be done without."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")

FEW = 200  # items below which a process costs more than it brings: some 10 ms
CHUNK = 25  # items whose answers are sent together
_KILL = 9


def table(work: Callable[[T], R], items: Mapping[str, T]) -> Mapping[str, R]:
    """``work`` of every item under the item's name. It may run anywhere and any time until the value is asked for, so it must be pure."""
    if len(items) < FEW or not _spare():
        return {name: work(item) for name, item in items.items()}
    return _Table(items, _beside(work, [*items.values()]))


def begun(work: Callable[[], R]) -> Callable[[], R]:
    """``work`` begun at once by another process where there is one to spare, to be asked for its result, or its error, once."""
    if not _spare():
        return work
    answers = _beside(lambda _: work(), (None,))
    return lambda: next(answers)


class _Table(Mapping[str, R]):
    """Answers that are waited for when they are looked up; best asked for in order."""

    def __init__(self, names: Iterable[str], answers: Iterator[R]) -> None:
        self._names = dict.fromkeys(names)
        self._answers = zip(
            answers, self._names, strict=True
        )  # answers first: they are asked for an end, and so come to one
        self._known: dict[str, R] = {}

    def __getitem__(self, name: str) -> R:
        known = self._known
        if name not in known:
            if name not in self._names:
                raise KeyError(name)
            for answer, each in self._answers:
                known[each] = answer
                if each == name and len(known) < len(self._names):
                    break
        return known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _spare() -> bool:
    """Whether there is a processor for a second process, and no thread that a fork would cut off."""
    if not hasattr(os, "fork") or not hasattr(os, "sched_getaffinity"):
        return False
    threading = sys.modules.get("threading")
    return len(os.sched_getaffinity(0)) > 1 and (threading is None or threading.active_count() == 1)


def _beside(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """The answers, from a process that starts at once; what it did not answer, for whatever reason, is worked out here."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return map(work, items)
    if child == 0:
        _serve(work, items, writing)
    os.close(writing)
    answers = _received(work, items, child, os.fdopen(reading, "rb"))
    next(answers)  # begun, so that it ends the process whenever it is let go of
    return answers


def _serve(work: Callable[[T], R], items: Sequence[T], writing: int) -> None:
    """What the second process does: it answers and is gone, without a word and without what a process does on its way out."""
    try:
        import gc
        import pickle
        import signal

        gc.disable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):  # whoever reads what the first process prints does not wait for the second
            os.dup2(nothing, stream)
        with os.fdopen(writing, "wb") as answers:
            for at in range(0, len(items), CHUNK):
                pickle.dump([work(item) for item in items[at : at + CHUNK]], answers, 5)
                answers.flush()
    finally:
        os._exit(0)


def _received(work: Callable[[T], R], items: Sequence[T], child: int, answers: BinaryIO) -> Iterator[Any]:
    """Nothing, and then the answers."""
    done = 0
    try:
        yield None
        while done < len(items) and (chunk := _chunk(answers)) is not None:
            done += len(chunk)
            yield from chunk
    finally:
        answers.close()
        _end(child)
    yield from map(work, items[done:])


def _chunk(answers: BinaryIO) -> list[Any] | None:
    """The next answers; None where the second process ended before it gave them. What is read was written by our own code."""
    import pickle

    try:
        return cast("list[Any]", pickle.load(answers))  # noqa: S301
    except (EOFError, OSError, pickle.UnpicklingError):
        return None


def _end(child: int) -> None:
    """The second process is over. It may be the interpreter's last act, so nothing is imported here."""
    try:
        os.kill(child, _KILL)
        os.waitpid(child, 0)
    except OSError:
        return
