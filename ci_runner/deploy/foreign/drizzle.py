"""Drizzle: ``__drizzle_migrations``, one row a migration: the SHA-256 of its file, and when it was generated."""

from __future__ import annotations

import hashlib
import json

from ci_runner.deploy.foreign.history import Cell, History, Mark, Rows, number, text
from ci_runner.model.directory import Migration, MigrationDir

NAME = "drizzle"
TABLE = "__drizzle_migrations"
COLUMNS = ("hash", "created_at")
ORDER = "created_at"
ALONE = False


def read(rows: Rows) -> History:
    """Drizzle takes everything generated up to the newest row for applied; the rows are told apart by their hash."""
    return History(tuple(Mark(text(found), hash=text(found)) for found, _ in rows))


def key(version: str) -> str:
    """A migration is known by the hash of its file."""
    return version


def named(migration: Migration, mdir: MigrationDir) -> str:
    """The SHA-256 of the file."""
    return hashlib.sha256(mdir.files[migration.name]).hexdigest()


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:  # noqa: ARG001 - the signature of every tool
    """The hash is the name: what was edited has no row."""
    return True


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The row of a migration, with the time its journal gives it."""
    return {"hash": named(migration, mdir), "created_at": _generated(migration, mdir)}


def _generated(migration: Migration, mdir: MigrationDir) -> int:
    try:
        entries = json.loads(mdir.files.get("meta/_journal.json", b"{}")).get("entries", [])
        return next(number(each["when"]) for each in entries if f"{each['tag']}.sql" == migration.name)
    except (ValueError, KeyError, StopIteration, TypeError, AttributeError):
        return 0
