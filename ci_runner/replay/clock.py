"""The outside clock of a replay: statements can reset every limit a server sets for itself, but not this one."""

from __future__ import annotations

import threading
from types import TracebackType

from ci_runner.databases import Database

AGAIN = 0.5


class Clock:
    """While the block runs: after ``seconds`` the session is interrupted, again and again until the block ends."""

    def __init__(self, database: Database, seconds: float) -> None:
        self.seconds = seconds
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
        limit = self.seconds
        while not self._done.wait(limit):
            self.rang = True
            self._database.interrupt()
            limit = AGAIN
