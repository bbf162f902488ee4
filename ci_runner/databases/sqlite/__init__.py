"""SQLite through the standard library: a file in this process, or a confined database in memory in a process of its own."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ci_runner.databases import Database, Sql
from ci_runner.databases.address import Address, Use
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.running import run
from ci_runner.databases.sqlite.inspect import inspect
from ci_runner.databases.sqlite.observe import SqliteWatcher
from ci_runner.databases.sqlite.remote import Refusal, Remote, Worker
from ci_runner.databases.watch import Seen
from ci_runner.errors import ConfigError, SetupError
from ci_runner.model.inspected import Schema

T = TypeVar("T")
_NEAR = re.compile(r'near "(.+)": syntax error', re.DOTALL)
_PRAGMAS = (
    "foreign_keys",
    "legacy_alter_table",
    "recursive_triggers",
    "defer_foreign_keys",
    "ignore_check_constraints",
    "case_sensitive_like",
)


def connect(address: Address, use: Use) -> Sqlite:  # noqa: ARG001 - as for every engine
    """Open the file, or a database in memory for ``?mode=memory``; SetupError when the file cannot be opened."""
    connection = opened(address)
    readable(connection, address)
    return Sqlite(connection, address.path)


def opened(address: Address, patience: float = 5.0) -> sqlite3.Connection:
    """A connection that has not looked into the file yet; ``patience`` is how many seconds a statement waits for another process."""
    mode = address.options.get("mode", "")
    if mode not in {"", "memory", "ro", "rw", "rwc"}:
        raise ConfigError(f"{address}: mode is memory, ro, rw or rwc, not {mode!r}")
    if mode == "memory" or address.path == ":memory:":
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    uri = Path(address.path).absolute().as_uri() + f"?mode={mode or 'rwc'}"
    try:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=patience)
    except sqlite3.Error as error:
        raise _unusable(address, error) from None


def readable(connection: sqlite3.Connection, address: Address) -> None:
    """SetupError for a file that is no database, or may not be read."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise _unusable(address, error) from None


def _unusable(address: Address, error: sqlite3.Error) -> SetupError:
    return SetupError(f"cannot open {address}: {error}; check that it is an SQLite file that may be read and written")


class Sqlite(Database):
    """One connection, in autocommit; where it is remote, statements are kept inside their database."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection | Remote, name: str) -> None:
        self.connection = connection
        self.name = name
        self.version: tuple[int, ...] = sqlite3.sqlite_version_info[:2]
        self.engine = f"SQLite {sqlite3.sqlite_version}"
        self._settings = self._read_settings()

    def execute(
        self, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
    ) -> tuple[Seen, ...]:
        """One by one; in a transaction a failure undoes all of them. Where nobody looks on, another process gets them at once."""
        if after is None and isinstance(self.connection, Remote):
            self._run(self.connection, [statement.text for statement in statements], transaction=transaction)
            return ()
        return run(self, statements, transaction=transaction, after=after)

    def step(self, statement: Sql) -> tuple[Seen, ...]:
        """One statement by itself."""
        self._send(statement.text)
        return ()

    def begin(self) -> None:
        """Open a transaction."""
        self._send("BEGIN")

    def commit(self) -> None:
        """Commit what is open."""
        if self.connection.in_transaction:
            self._send("COMMIT")

    def rollback(self) -> None:
        """Undo what is open."""
        if self.connection.in_transaction:
            self._send("ROLLBACK")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own."""
        try:
            if isinstance(self.connection, Remote):
                return self.connection.rows(sql)
            return self.connection.execute(sql).fetchall()
        except (sqlite3.Error, Refusal) as error:
            raise _failure(error, sql) from None

    def reset(self) -> None:
        """Roll back what is open and give the PRAGMAs that last for a session their first values."""
        self.rollback()
        settings = [f"PRAGMA {name} = {value}" for name, value in self._settings.items()]
        if isinstance(self.connection, Remote):
            self._run(self.connection, settings)
            return
        for setting in settings:
            self._send(setting)

    def watcher(self) -> SqliteWatcher:
        """Somebody who looks on from now."""
        return SqliteWatcher(self)

    def inspect(self) -> Schema:
        """The schema of the main database."""
        return inspect(self.query)

    def dump(self) -> bytes:
        """A remote database as bytes; none for one that was never written to."""
        return self._remote(Remote.dump)

    def load(self, data: bytes) -> None:
        """Take on the state :meth:`dump` gave."""
        self._remote(lambda remote: remote.load(data))

    def interrupt(self) -> None:
        """Stop the running statement."""
        self.connection.interrupt()

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def _read_settings(self) -> dict[str, int]:
        rows = {name: self.query(f"PRAGMA {name}") for name in _PRAGMAS}
        return {name: int(found[0][0]) for name, found in rows.items() if found}

    def _remote(self, ask: Callable[[Remote], T]) -> T:
        if not isinstance(self.connection, Remote):
            raise ConfigError(f"{self.name} is a file: only a dev database in memory is kept and taken up")
        try:
            return ask(self.connection)
        except Refusal as refusal:
            raise _failure(refusal, "") from None

    def _run(self, remote: Remote, statements: Sequence[str], *, transaction: bool = False) -> None:
        try:
            remote.run(statements, transaction=transaction)
        except Refusal as refusal:
            number = refusal.statement
            failure = _failure(refusal, statements[number] if number is not None else "")
            raise failure.at(number) if number is not None else failure from None

    def _send(self, sql: str) -> None:
        if isinstance(self.connection, Remote):
            self._run(self.connection, [sql])
            return
        try:
            cursor = self.connection.execute(sql)
            for _ in cursor:  # a SELECT does its work while it is read
                pass
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise _failure(error, sql) from None


def _failure(error: Exception, sql: str) -> DatabaseFailure:
    """SQLite's words and error name; a syntax error is placed where its token stands, if that is the only such place."""
    words = str(error)
    found = _NEAR.search(words)
    position = sql.find(found[1]) if found and sql.count(found[1]) == 1 else None
    if isinstance(error, Refusal):
        return DatabaseFailure(words, error.name, position, lost=error.lost)
    return DatabaseFailure(words, getattr(error, "sqlite_errorname", "") or "", position)


def confined(worker: Worker) -> Sqlite:
    """A new empty database in memory of a ``worker``."""
    try:
        return Sqlite(worker.database(), ":memory:")
    except Refusal as refusal:
        raise SetupError(f"a process for SQLite cannot be used: {refusal}") from None
