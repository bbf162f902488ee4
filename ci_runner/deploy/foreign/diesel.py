"""Diesel: ``__diesel_schema_migrations``, one row a version, digits without dashes."""

from __future__ import annotations

from ci_runner.deploy.foreign.history import Cell, History, Mark, Rows, text
from ci_runner.model.directory import Migration, MigrationDir

NAME = "diesel"
TABLE = "__diesel_schema_migrations"
COLUMNS = ("version",)
ORDER = "version"
ALONE = False


def read(rows: Rows) -> History:
    """Every row is an applied version."""
    return History(tuple(Mark(text(version)) for (version,) in rows))


def key(version: str) -> str:
    """The name's part before the first underscore, without dashes."""
    return version.replace("-", "")


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:  # noqa: ARG001 - the signature of every tool
    """It keeps no hashes."""
    return None


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The row of a version."""
    return {"version": key(migration.version)}
