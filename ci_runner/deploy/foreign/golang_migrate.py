"""golang-migrate: ``schema_migrations`` with one row, the last version, and whether it was left half-way."""

from __future__ import annotations

from ci_runner.deploy.foreign.history import Cell, History, Mark, Rows, truth, whole
from ci_runner.deploy.foreign.history import text as text_
from ci_runner.model.directory import Migration, MigrationDir

NAME = "golang-migrate"
TABLE = "schema_migrations"
COLUMNS = ("version", "dirty")
WITH = ("dirty",)
ORDER = "version"
ALONE = True
key = whole


def read(rows: Rows) -> History:
    """Every file up to the version of the one row is applied; a dirty row is refused, several rows are another tool's."""
    if len(rows) > 1:
        return History(refused=f"it has {len(rows)} rows, golang-migrate keeps one")
    if not rows:
        return History(upto="")
    version, dirty = text_(rows[0][0]), truth(rows[0][1])
    if dirty:
        return History(
            refused=f"it is dirty at version {version}: nobody recorded how far that file came. Look at the database, undo or finish the file by "
            "hand, and say so with 'migrate force VERSION'"
        )
    return History(upto="" if version.startswith("-") else version)


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:  # noqa: ARG001 - the signature of every tool
    """It keeps no hashes."""
    return None


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The one row there is from now on."""
    return {"version": int(whole(migration.version)), "dirty": False}
