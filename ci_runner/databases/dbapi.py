"""A session over a Python database driver (PEP 249), for engines whose drivers differ in little else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ci_runner.databases import Database, Sql
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.running import run, watched
from ci_runner.databases.watch import Seen, Watched
from ci_runner.model.inspected import Schema

Query = Callable[[str], list[tuple[Any, ...]]]
_CONTROL = re.compile(r"\s*(?P<open>begin|start)\b|\s*(?P<end>commit|rollback|end)\b", re.IGNORECASE)


class Engine(NamedTuple):
    """What tells an engine from another.

    ``failure`` makes the driver's ``errors`` into ours, with the statement they came of; ``inspect`` gets a query function and the
    database's name; ``begin`` opens a transaction; ``session`` finds what outlives a statement; ``stop`` ends what this connection runs, from another
    thread.
    """

    dialect: str
    errors: tuple[type[Exception], ...]
    failure: Callable[[Exception, str], DatabaseFailure]
    inspect: Callable[[Query, str], Schema]
    begin: str
    session: re.Pattern[str]
    stop: Callable[[], None]


class PlainSession(Database):
    """One connection in autocommit; transactions are opened and ended by statements, and known only by those."""

    def __init__(
        self,
        connection: Any,
        engine: Engine,
        *,
        product: str,
        version: tuple[int, ...],
        name: str,
        again: Callable[[], PlainSession],
    ) -> None:
        self.connection = connection
        self.dialect = engine.dialect
        self.engine = product
        self.version = version
        self.name = name
        self._engine = engine
        self._again = again
        self._open = False
        self._touched = False

    def execute(
        self, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
    ) -> tuple[Seen, ...]:
        """One by one; ``transaction`` opens one before the first and commits after the last."""
        return run(self, statements, transaction=transaction, after=after)

    def step(self, statement: Sql) -> tuple[Seen, ...]:
        """One statement by itself."""
        self._touched |= bool(self._engine.session.search(statement.text))
        self._send(statement.text)
        control = _CONTROL.match(statement.text)
        if control:
            self._open = bool(control["open"])
        return ()

    def begin(self) -> None:
        """Open a transaction."""
        self._send(self._engine.begin)
        self._open = True

    def commit(self) -> None:
        """Commit what is open."""
        if self._open:
            self._send("COMMIT")
            self._open = False

    def rollback(self) -> None:
        """Undo what is open; the server may have done so already."""
        if self._open:
            self._open = False
            with suppress(DatabaseFailure):
                self._send("ROLLBACK")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own."""
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql)
                return [tuple(row) for row in cursor.fetchall()]
        except self._engine.errors as error:
            raise self._engine.failure(error, sql) from None

    def reset(self) -> None:
        """A new session on the same database when this one's settings were touched."""
        self.rollback()
        if self._touched:
            self.close()
            beside = self._again()
            self.connection, self._engine = beside.connection, beside._engine
            self._touched = False

    def watcher(self) -> PlainWatcher:
        """Somebody who looks on from now."""
        return PlainWatcher(self)

    def inspect(self) -> Schema:
        """The schema of the database."""
        self.reset()
        return self._engine.inspect(self.query, self.name)

    def interrupt(self) -> None:
        """Stop the running statement."""
        with suppress(Exception):  # whatever a driver says to being stopped
            self._engine.stop()

    def close(self) -> None:
        """End the session."""
        with suppress(*self._engine.errors):
            self.connection.close()

    def _send(self, sql: str) -> None:
        """Send ``sql`` and read every result to its end: a batch does its work while it is read."""
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql)
                more: Any = True
                while more:
                    if cursor.description:
                        while cursor.fetchmany(1000):
                            pass
                    more = cursor.nextset() if hasattr(cursor, "nextset") else None
        except self._engine.errors as error:
            raise self._engine.failure(error, sql) from None


class PlainWatcher:
    """Sees refusals only: these engines show nothing of how they carry a change out."""

    def __init__(self, session: PlainSession) -> None:
        self._session = session

    def fill(self, _script: str) -> tuple[str, ...]:
        """No rows are made."""
        return ()

    def watch(self, statements: Sequence[Sql], *, transaction: bool) -> Watched:
        """Run the statements; the refusal that ended it, if one did."""
        return watched(
            self._session, statements, transaction=transaction, look=lambda _, each: self._session.step(each)
        )
