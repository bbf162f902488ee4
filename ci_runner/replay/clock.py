"""The outside clock of a replay: statements can reset every limit a server sets for itself, but not this one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from ci_runner.databases import Database

AGAIN = 0.5
GRACE = 5.0


class Clock:
    """While the block runs: after ``seconds`` the session is interrupted, again and again; what does not listen is ended by ``kill``."""

    def __init__(self, database: Database, seconds: float, kill: Callable[[], None] = lambda: None) -> None:
        self.seconds = seconds
        self._kill = kill
        self.rang = False
        self._database = database
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._wait, daemon=True)

    def watch(self, database: Database) -> None:
        """The session to interrupt from now on."""
        self._database = database

    def __enter__(self) -> Clock:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _wait(self) -> None:
        limit, rings = self.seconds, 0
        while not self._done.wait(limit):
            self.rang = True
            if rings * AGAIN >= GRACE:
                self._kill()
                return
            self._database.interrupt()
            limit, rings = AGAIN, rings + 1
