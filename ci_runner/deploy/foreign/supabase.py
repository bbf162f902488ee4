"""Supabase: ``supabase_migrations.schema_migrations``, one row a version with the statements it ran."""

from __future__ import annotations

from ci_runner.deploy.foreign.history import Cell, History, Mark, Rows, text
from ci_runner.model.directory import Migration, MigrationDir

NAME = "supabase"
TABLE = "schema_migrations"
COLUMNS = ("version", "name")
WITH = ("statements",)
ORDER = "version"
ALONE = False


def read(rows: Rows) -> History:
    """Every row is an applied version."""
    return History(tuple(Mark(text(version), text(name)) for version, name in rows))


def key(version: str) -> str:
    """Versions compare as they are written."""
    return version


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:  # noqa: ARG001 - the signature of every tool
    """It keeps no hashes."""
    return None


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The row of a version; its statements are left empty, which Supabase allows."""
    return {"version": migration.version, "name": migration.description, "statements": None}
