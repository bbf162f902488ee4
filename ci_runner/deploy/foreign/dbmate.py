"""dbmate and Rails: ``schema_migrations`` with one row a version and nothing else."""

from __future__ import annotations

from ci_runner.deploy.foreign.history import Cell, History, Mark, Rows, text
from ci_runner.model.directory import Migration, MigrationDir

NAME = "dbmate"
TABLE = "schema_migrations"
COLUMNS = ("version",)
WITHOUT = ("dirty", "statements")
ORDER = "version"
ALONE = False


def read(rows: Rows) -> History:
    """Every row is an applied version."""
    return History(tuple(Mark(text(version)) for (version,) in rows))


def key(version: str) -> str:
    """Versions compare as they are written: dbmate takes the digits of the name as text."""
    return version


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:  # noqa: ARG001 - the signature of every tool
    """It keeps no hashes."""
    return None


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The row of a version."""
    return {"version": migration.version}
