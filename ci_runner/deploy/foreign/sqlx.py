"""sqlx: ``_sqlx_migrations``, one row a version, with the SHA-384 of the file."""

from __future__ import annotations

import hashlib

from ci_runner.deploy.foreign.history import Cell, History, Mark, Now, Raw, Rows, raw, text, truth, whole
from ci_runner.model.directory import Migration, MigrationDir

NAME = "sqlx"
TABLE = "_sqlx_migrations"
COLUMNS = ("version", "description", "success", "checksum")
ORDER = "version"
ALONE = False
key = whole


def read(rows: Rows) -> History:
    """Rows that succeeded are applied; one that did not is refused."""
    for version, description, success, _ in rows:
        if not truth(success):
            return History(
                refused=f"version {text(version)} ({text(description)}) was begun and did not succeed: undo or finish it by hand, then mend its row"
            )
    return History(tuple(Mark(text(row[0]), text(row[1]), hash=raw(row[3]).hex()) for row in rows))


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:
    """Whether the SHA-384 is the file's."""
    return mark.hash == hashlib.sha384(mdir.files[migration.name]).hexdigest()


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The row sqlx writes for a file it carried out."""
    return {
        "version": int(whole(migration.version)),
        "description": migration.description.replace("_", " "),
        "installed_on": Now,
        "success": True,
        "checksum": Raw(hashlib.sha384(mdir.files[migration.name]).digest()),
        "execution_time": milliseconds * 1_000_000,
    }
