"""The outside clock of a replay: statements can reset every limit a server sets for itself, but not this one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import NamedTuple

from ci_runner.databases import Database
from ci_runner.devdb import DevDatabase

AGAIN = 0.5
GRACE = 5.0


class Slow(NamedTuple):
    """Who is told of what runs for a long time: first after so many seconds, then each time it has taken twice as long."""

    tell: Callable[[str], None]
    seconds: float = 30.0


class _Running(NamedTuple):
    """What runs, as words that are made when somebody is told, and since when."""

    what: Callable[[], str]
    since: float


class Clock:
    """While the block runs: after ``seconds`` the session is interrupted, again and again; what does not listen is ended by ``kill``.

    ``slow`` is told of what :meth:`runs` long before that.
    """

    def __init__(
        self,
        database: Database,
        seconds: float,
        kill: Callable[[], None] = lambda: None,
        slow: Slow | None = None,
    ) -> None:
        self.seconds = seconds
        self._kill = kill
        self.rang = False
        self._database = database
        self._slow = slow
        self._running: _Running | None = None
        self._told: tuple[_Running | None, int] = None, 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._wait, daemon=True)

    def watch(self, database: Database) -> None:
        """The session to interrupt from now on."""
        self._database = database

    def runs(self, what: Callable[[], str]) -> None:
        """What runs from now on, until something else does."""
        if self._slow:
            self._running = _Running(what, monotonic())

    def rests(self) -> None:
        """Nothing runs that could be named."""
        self._running = None

    def __enter__(self) -> Clock:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _wait(self) -> None:
        end, rings = monotonic() + self.seconds, 0
        while (left := end - monotonic()) > 0:
            if self._done.wait(min(left, self._telling(self._slow) if self._slow else left)):
                return
        while True:
            self.rang = True
            if rings * AGAIN >= GRACE:
                self._kill()
                return
            self._database.interrupt()
            rings += 1
            if self._done.wait(AGAIN):
                return

    def _telling(self, slow: Slow) -> float:
        """Tell what is due to be told; seconds until something else may be."""
        running = self._running
        if running is None:
            return slow.seconds
        times = self._told[1] if self._told[0] is running else 0
        taken = monotonic() - running.since
        if taken < slow.seconds * (1 << times):
            return slow.seconds * (1 << times) - taken
        self._told = running, times + 1
        with suppress(OSError, ValueError):  # nobody takes the words: that must not be the end of the clock
            slow.tell(
                f"{running.what()} has been running for {taken:.0f} s; the replay is stopped after {self.seconds:g} s"
            )
        return slow.seconds * (2 << times) - taken


class Limit(NamedTuple):
    """How long a replay may take in seconds, and who is told of what takes long."""

    seconds: float
    slow: Slow | None = None

    def clock(self, database: Database, dev: DevDatabase) -> Clock:
        """The clock of one session."""
        return Clock(database, self.seconds, dev.kill, self.slow)
