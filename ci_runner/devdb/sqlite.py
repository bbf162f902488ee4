"""SQLite databases for replay: always in memory, whatever the URL names, with statements kept inside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.databases.sqlite import Sqlite, confined
from ci_runner.databases.sqlite.remote import Worker
from ci_runner.devdb.deflate import UNREADABLE
from ci_runner.devdb.shelf import Shelf, Slot
from ci_runner.errors import RefusedError

STATE_LIMIT = 1024 * 1024 * 1024


@contextmanager
def open_memory(url: str, shelf: Shelf | None = None) -> Iterator[SqliteDev]:
    """The dev database of ``sqlite://NAME?mode=memory``, ``embedded://sqlite`` or ``sqlite://FILE``; FILE must be absent or empty.

    A file is never written: replaying in memory leaves it as clean as it was found.
    """
    scheme, _, rest = url.partition("://")
    name, _, query = rest.partition("?")
    if scheme == "sqlite" and parse_qs(query).get("mode") != ["memory"] and name not in {"", ":memory:"}:
        _check_clean(Path(databases.parse(url, databases.OPTIONS["sqlite"]).path))
    dev = SqliteDev(shelf)
    try:
        yield dev
    finally:
        dev.close()


def _check_clean(path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        return
    database = databases.open_address(Address("sqlite", path=str(path), options={"mode": "ro"}))
    try:
        tables = sorted(database.inspect().tables)
    finally:
        database.close()
    if tables:
        raise RefusedError(
            f"dev database sqlite://{path} is not clean: found table {tables[0]}; name a file that is absent or empty"
        )


class SqliteDev:
    """Databases in memory of one worker process, a new one where it was killed; a kept state is the bytes of a database."""

    dialect = "sqlite"

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.engine = f"SQLite {sqlite3.sqlite_version}"
        self._kept: dict[str, bytes] = {}
        self._shelf = shelf
        self._worker = Worker()

    def fresh(self, scripts: Iterable[str] = ()) -> Sqlite:  # noqa: ARG002 - SQLite needs nothing beforehand
        """A new empty database."""
        if not self._worker.alive:
            self._worker.close()
            self._worker = Worker()
        return confined(self._worker)

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - as in fresh
        """Keep the state of ``database`` under ``key``."""
        state = self._kept[key] = cast(Sqlite, database).dump()
        if self._shelf and self._shelf.base == key:
            self._slot(self._shelf).write(lambda stream: stream.write(state))
        return database

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:  # noqa: ARG002 - as in fresh
        """A new database in the state kept under ``key``, in this run or in an earlier one; None when nothing is kept."""
        kept = self._kept.get(key)
        if kept is None and self._shelf and self._shelf.base == key:
            return self._held(self._shelf)
        if kept is None:
            return None
        database = self.fresh()
        database.load(kept)
        return database

    def kill(self) -> None:
        """End the worker, whatever it does."""
        self._worker.kill()

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _slot(self, shelf: Shelf) -> Slot:
        return shelf.slot("sqlite", sqlite3.sqlite_version)

    def _held(self, shelf: Shelf) -> Database | None:
        """A database in the state an earlier run kept; what SQLite does not take for a database is thrown away."""
        slot = self._slot(shelf)
        try:
            with slot.reading() as stream:
                state = stream.read(STATE_LIMIT + 1) if stream else b""
        except UNREADABLE:
            slot.discard()
            return None
        if not state or len(state) > STATE_LIMIT:
            return None
        database = self.fresh()
        try:
            database.load(state)
            database.query("PRAGMA schema_version")
        except DatabaseFailure:
            database.close()
            slot.discard()
            return None
        self._kept[shelf.base] = state
        return database

    def advice(self, failure: DatabaseFailure) -> str:
        """What the user can do about a refusal that is this dev database's and not the migration's."""
        if failure.code == "SQLITE_AUTH" or failure.message.startswith("not authorized"):
            return (
                "the dev database lets no statement reach other files, load code or change how SQLite protects itself"
            )
        return ""
