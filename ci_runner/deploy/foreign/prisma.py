"""Prisma: ``_prisma_migrations``, one row for every attempt, with the SHA-256 of the file."""

from __future__ import annotations

import hashlib
import uuid

from ci_runner.deploy.foreign.history import Cell, History, Mark, Now, Rows, text
from ci_runner.model.directory import Migration, MigrationDir

NAME = "prisma"
TABLE = "_prisma_migrations"
COLUMNS = ("migration_name", "checksum", "finished_at", "rolled_back_at", "logs")
ORDER = "started_at"
ALONE = False
_SPACE = uuid.UUID("7d0f7c1e-5d0a-4a58-9a57-1f0a6d3c2b11")


def read(rows: Rows) -> History:
    """Finished and not rolled back is applied; an attempt that neither finished nor was rolled back is refused."""
    marks: dict[str, Mark] = {}
    for name, checksum, finished, back, logs in rows:
        folder = text(name)
        if back is not None:
            continue
        if finished is None:
            why = f": {' '.join(text(logs).split())[:200]}" if text(logs) else ""
            return History(
                refused=f"{folder} was begun and did not finish{why}. Settle it with 'prisma migrate resolve', then adopt"
            )
        marks[folder] = Mark(folder, folder, hash=text(checksum))
    return History(tuple(marks.values()))


def key(version: str) -> str:
    """Prisma knows a migration by the whole name of its folder."""
    return version


def named(migration: Migration) -> str:
    """The folder of the migration."""
    return migration.name.split("/")[-2] if "/" in migration.name else migration.name


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:
    """Whether the SHA-256 is the file's, in either kind of line ends: Prisma accepts a checkout that changed them."""
    data = mdir.files[migration.name]
    unix = data.replace(b"\r\n", b"\n")
    return mark.hash in {hashlib.sha256(each).hexdigest() for each in (data, unix, unix.replace(b"\n", b"\r\n"))}


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001
    """The row Prisma writes for a migration it carried out; its id is made of name and content, so that it is the same twice."""
    digest = hashlib.sha256(mdir.files[migration.name]).hexdigest()
    return {
        "id": str(uuid.uuid5(_SPACE, f"{named(migration)}:{digest}")),
        "checksum": digest,
        "finished_at": Now,
        "migration_name": named(migration),
        "logs": None,
        "rolled_back_at": None,
        "started_at": Now,
        "applied_steps_count": 1,
    }
