"""Atlas: ``atlas_schema_revisions``, one row a version with the statements done, and the file's line of atlas.sum."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence

from ci_runner import migrations
from ci_runner.deploy.foreign.history import Cell, History, Mark, Now, Rows, number, text
from ci_runner.model.directory import Migration, MigrationDir

NAME = "atlas"
TABLE = "atlas_schema_revisions"
COLUMNS = ("version", "description", "type", "applied", "total", "error", "hash", "partial_hashes")
ORDER = "version"
ALONE = False
LOCK = "SELECT pg_try_advisory_lock(2686470616)"
"""What Atlas itself takes on PostgreSQL while it applies."""
BASELINE, EXECUTED, RESOLVED = 1, 2, 4
_OWN = ".atlas_cloud_identifier"


def read(rows: Rows) -> History:
    """``applied = total`` without an error is applied; a baseline says that everything up to it is there; bits of ``type`` combine."""
    marks = tuple(_mark(row) for row in rows if text(row[0]) != _OWN)
    return History(marks)


def _mark(row: tuple[object, ...]) -> Mark:
    version, description, kind, applied, total, error, found, partial = row
    done, of = number(applied), number(total)
    finished = (done == of and not text(error)) or bool(number(kind) & RESOLVED)
    state = "baseline" if number(kind) & BASELINE else "applied" if finished else "partial"
    return Mark(
        version=text(version),
        name=text(description),
        state=state,  # type: ignore[arg-type]  # one of the words above
        hash=text(found).removeprefix("h1:"),
        done=done,
        total=of,
        partial=_partial(partial),
        error=text(error)[:500],
    )


def _partial(value: object) -> tuple[str, ...]:
    try:
        found = json.loads(text(value) or "null") if not isinstance(value, list) else value
    except ValueError:
        found = None
    return tuple(str(each).removeprefix("h1:") for each in found) if isinstance(found, list) else ()


def key(version: str) -> str:
    """Versions compare as they are written."""
    return version


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:
    """Whether the file's line of the sum is the one that was applied; None where the table holds none.

    A line hashes every file before it, too: after an edited or inserted file all the later lines differ, and the first names the place.
    """
    if not mark.hash:
        return None
    return _lines(mdir).get(migration.name) == mark.hash


_last: list[tuple[MigrationDir, dict[str, str]]] = []  # every file of one directory is asked about


def _lines(mdir: MigrationDir) -> dict[str, str]:
    """File → the Base64 hash of its line: SHA-256 over names and bytes of it and every file before it."""
    if not _last or _last[0][0] is not mdir:
        _last[:] = [(mdir, dict(migrations.sum_lines(mdir)))]
    return _last[0][1]


def statements(texts: Sequence[str]) -> list[str]:
    """The running hashes Atlas keeps of the first statements of a file it could not finish."""
    running, found = hashlib.sha256(), []
    for each in texts:
        running.update(each.encode())
        found.append(base64.b64encode(running.digest()).decode())
    return found


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:
    """The row Atlas writes for a file it carried out."""
    return {
        "version": migration.version,
        "description": migration.description,
        "type": EXECUTED,
        "applied": count,
        "total": count,
        "executed_at": Now,
        "execution_time": milliseconds * 1_000_000,
        "error": "",
        "error_stmt": "",
        "hash": _lines(mdir).get(migration.name, ""),
        "partial_hashes": "null",
        "operator_version": "Pilotage",
    }
