"""Many objects at once: a store that is far away answers eight requests in the time of one; near by, threads cost more than they gain."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = 8
FEW = 32
"""So many items are done one after the other, and timed."""
FAR = 0.005
"""Seconds an item takes on average where the rest goes to threads."""


def each(
    work: Callable[[Item], Result], items: Sequence[Item], clock: Callable[[], float] = time.monotonic
) -> list[Result]:
    """``work`` on every item, its results in their order; the first failure ends all and is raised. ``work`` may run in several threads.

    ``clock`` gives seconds; what it says changes only how fast it goes.
    """
    begun = clock()
    first = [work(item) for item in items[:FEW]]
    rest = items[FEW:]
    far = clock() - begun > FAR * len(first)
    return first + (_threaded(work, rest) if far else [work(item) for item in rest])


def _threaded(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    failed = Event()

    def strand(first: int) -> list[Result]:
        done: list[Result] = []
        try:
            for item in items[first::THREADS]:
                if failed.is_set():
                    break
                done.append(work(item))
        except BaseException:
            failed.set()
            raise
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        strands = [pool.submit(strand, first) for first in range(THREADS)]
        try:
            results = [future.result() for future in strands]
        except BaseException:
            failed.set()  # also when the user interrupts, who waits here and not in a strand
            raise
    return [results[at % THREADS][at // THREADS] for at in range(len(items))]
