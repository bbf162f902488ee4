"""goose: ``goose_db_version``, one row for every step up and, in older versions, every step down."""

from __future__ import annotations

from ci_runner.deploy.foreign.history import Cell, History, Mark, Rows, text, truth, whole
from ci_runner.model.directory import Migration, MigrationDir

NAME = "goose"
TABLE = "goose_db_version"
COLUMNS = ("version_id", "is_applied")
ORDER = "id"
ALONE = False
key = whole


def read(rows: Rows) -> History:
    """The last row of a version says whether it is applied; 0 is no version."""
    last: dict[str, bool] = {}
    for version, applied in rows:
        last.pop(text(version), None)
        last[text(version)] = truth(applied)
    return History(tuple(Mark(version) for version, applied in last.items() if applied and version != "0"))


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:  # noqa: ARG001 - the signature of every tool
    """It keeps no hashes."""
    return None


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The row of a step up."""
    return {"version_id": int(whole(migration.version)), "is_applied": True}
