"""SQLite through the standard library, with an authorizer and limits that keep statements inside their database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_runner.databases.address import Address, Use
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.running import run
from ci_runner.databases.sqlite.guard import guard
from ci_runner.databases.sqlite.inspect import inspect
from ci_runner.databases.sqlite.observe import SqliteWatcher
from ci_runner.databases.watch import Seen
from ci_runner.errors import ConfigError, SetupError
from ci_runner.model.inspected import Schema

if TYPE_CHECKING:
    from ci_runner.databases import Sql

_NEAR = re.compile(r'near "(.+)": syntax error', re.DOTALL)
_PRAGMAS = (
    "foreign_keys",
    "legacy_alter_table",
    "recursive_triggers",
    "defer_foreign_keys",
    "ignore_check_constraints",
    "case_sensitive_like",
)


def connect(address: Address, use: Use) -> Sqlite:
    """Open the file, or a database in memory for ``?mode=memory``; SetupError when the file cannot be opened."""
    mode = address.options.get("mode", "")
    if mode not in {"", "memory", "ro", "rw", "rwc"}:
        raise ConfigError(f"{address}: mode is memory, ro, rw or rwc, not {mode!r}")
    if mode == "memory" or address.path == ":memory:":
        return Sqlite(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False), address.path, use)
    uri = Path(address.path).absolute().as_uri() + f"?mode={mode or 'rwc'}"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise SetupError(
            f"cannot open {address}: {error}; check that it is an SQLite file that may be read and written"
        ) from None
    return Sqlite(connection, address.path, use)


class Sqlite:
    """One connection, in autocommit; a confined one refuses statements that reach outside their database."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, name: str, use: Use) -> None:
        self.connection = connection
        self.name = name
        self.version = sqlite3.sqlite_version_info[:2]
        self.engine = f"SQLite {sqlite3.sqlite_version}"
        self._settings = self._read_settings()
        self._confined = use.confined
        if use.confined:
            guard(connection)

    def execute(
        self, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
    ) -> tuple[Seen, ...]:
        """One by one; in a transaction a failure undoes all of them."""
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
            return self.connection.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise _failure(error, sql) from None

    def reset(self) -> None:
        """Roll back what is open and give the PRAGMAs that last for a session their first values."""
        self.rollback()
        for name, value in self._settings.items():
            self._send(f"PRAGMA {name} = {value}")

    def watcher(self) -> SqliteWatcher:
        """Somebody who looks on from now."""
        return SqliteWatcher(self)

    def inspect(self) -> Schema:
        """The schema of the main database."""
        return inspect(self.query)

    def dump(self) -> bytes:
        """The whole database as bytes; none for one that was never written to, which SQLite cannot serialize."""
        pages = self.connection.execute("PRAGMA page_count").fetchone()[0]
        return self.connection.serialize() if pages else b""

    def load(self, data: bytes) -> None:
        """Take on the state :meth:`dump` gave."""
        self.connection.set_authorizer(None)  # deserialize attaches, which a confined session may not
        if data:
            self.connection.deserialize(data)
        if self._confined:
            guard(self.connection)

    def interrupt(self) -> None:
        """Stop the running statement."""
        self.connection.interrupt()

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def _read_settings(self) -> dict[str, int]:
        rows = {name: self.connection.execute(f"PRAGMA {name}").fetchone() for name in _PRAGMAS}
        return {name: int(row[0]) for name, row in rows.items() if row}

    def _send(self, sql: str) -> None:
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
    return DatabaseFailure(words, getattr(error, "sqlite_errorname", "") or "", position)
