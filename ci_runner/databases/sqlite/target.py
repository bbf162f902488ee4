"""SQLite as a deployment's target: the file itself is the lock, and the schema's text its fingerprint."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ci_runner.databases.address import Address
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.session import Session, digest
from ci_runner.databases.sqlite import Sqlite, opened, readable
from ci_runner.databases.target import OWN_TABLES, Lock, Target, Words
from ci_runner.errors import SetupError
from ci_runner.model.deploy import Facts

_OBJECTS = """SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
 AND tbl_name NOT IN ({own}) ORDER BY 1, 2"""
_PATIENCE = 0.2  # seconds: waiting is done by asking again
_KINDS = {"table": "table", "view": "view", "index": "index", "trigger": "trigger"}


def open_target(address: Address, name: str) -> Target:
    """The file, made where there is none."""
    connection = opened(address, _PATIENCE)
    try:
        readable(connection, address)
    except SetupError as error:
        if "locked" not in str(error):  # whoever has it is waited for when the lock is taken
            raise
    return _target(address, name, connection)


def look_at(address: Address, name: str) -> Target:
    """The file; an empty database in memory stands for one that is not there, so that looking does not make it."""
    path = Path(address.path)
    if not path.exists() and path.parent.is_dir() and address.options.get("mode", "rwc") == "rwc":
        return _target(address, name, sqlite3.connect(":memory:", isolation_level=None))
    target = open_target(address, name)
    try:
        target.tables()
    except DatabaseFailure as failure:
        target.close()
        words = f"{address}: {failure.message}: another process has it, such as a deployment; look again when that is through"
        raise DatabaseFailure(words, failure.code) from None
    return target


def _target(address: Address, name: str, connection: sqlite3.Connection) -> Target:
    database = Sqlite(connection, address.path)
    place = os.path.realpath(address.path) if address.path not in {"", ":memory:"} else ":memory:"
    facts = Facts("sqlite", database.engine, database.version, Path(place).name, "main", f"sqlite:{place}")
    if address.options.get("_fk") == "1":
        database.query("PRAGMA foreign_keys = ON")
    return SqliteTarget(database, facts, lambda: open_target(address, name))


class SqliteTarget(Session[Sqlite]):
    """The lock is SQLite's own: locking_mode EXCLUSIVE keeps the file for this connection from the first write to its end.

    (https://sqlite.org/pragma.html#pragma_locking_mode)
    """

    words = Words("text", "text", "integer", "")

    @property
    def in_transaction(self) -> bool:
        """SQLite says so itself."""
        return self.database.connection.in_transaction

    def limits(self, lock_ms: int, statement_ms: int) -> None:
        """With the whole file locked there is nobody to wait for; SQLite has no time-out of statements."""

    def reset(self) -> None:
        """PRAGMAs back to their first values; what lasts for a session only is done away with."""
        self.database.reset()
        for kind, name in self.query(
            "SELECT type, name FROM sqlite_temp_schema WHERE sql IS NOT NULL ORDER BY type DESC"
        ):
            self.write([f"DROP {kind} IF EXISTS temp.{self.quoted(name)}"])
        for _, name, _ in self.query("PRAGMA database_list"):
            if name not in {"main", "temp"}:
                self.write([f"DETACH {self.quoted(name)}"])

    def try_lock(self, lock: Lock) -> bool:
        """A transaction that locks the file, which is kept when it ends."""
        self.query("PRAGMA locking_mode = EXCLUSIVE")
        try:
            self.write(["BEGIN EXCLUSIVE", "COMMIT"])
        except DatabaseFailure as failure:
            self.rollback()
            self.unlock(lock)
            if failure.code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                return False
            raise
        return True

    def check_lock(self, lock: Lock) -> None:
        """Nothing can come between this process and its own file handle."""

    def holder(self, lock: Lock) -> str:  # noqa: ARG002
        """The operating system knows, SQLite does not."""
        return "another process that has the file open"

    def unlock(self, lock: Lock) -> None:  # noqa: ARG002
        """Let the file go."""
        with suppress(DatabaseFailure):
            self.query("PRAGMA locking_mode = NORMAL")
            self.query("SELECT count(*) FROM sqlite_schema")  # the mode takes effect with the next access

    def fingerprint(self) -> Mapping[str, str]:
        """The text of every object as SQLite keeps it."""
        return {f"{_KINDS[kind]} {name}": digest(text) for kind, name, text in self._objects()}

    def tables(self) -> tuple[str, ...]:
        """Names of the tables."""
        return tuple(name for kind, name, _ in self._objects() if kind == "table")

    def definition(self, kind: str, schema: str, name: str) -> str | None:  # noqa: ARG002 - one schema
        """Its text; names compare without regard to case."""
        rows = self.query(
            f"SELECT sql FROM sqlite_schema WHERE type = {self.literal(kind)} AND lower(name) = lower({self.literal(name)})"
        )
        return str(rows[0][0]) if rows else None

    def _objects(self) -> list[tuple[str, str, str]]:
        own = ", ".join(self.literal(name) for name in OWN_TABLES)
        return [(kind, name, text) for kind, name, text in self.query(_OBJECTS.replace("{own}", own))]
