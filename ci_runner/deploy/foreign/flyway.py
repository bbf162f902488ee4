"""Flyway: ``flyway_schema_history``, one row a run, with a CRC of the file's lines."""

from __future__ import annotations

import re
import zlib

from ci_runner.deploy.foreign.history import Cell, History, Mark, Next, Rows, number, text, truth
from ci_runner.model.directory import Migration, MigrationDir

NAME = "flyway"
TABLE = "flyway_schema_history"
COLUMNS = ("installed_rank", "version", "description", "type", "script", "checksum", "success")
ORDER = "installed_rank"
ALONE = False
_ENDS = re.compile(r"\r\n|\r|\n")  # what Java's BufferedReader.readLine takes for the end of a line


def read(rows: Rows) -> History:
    """A failed row is refused; UNDO takes its version back, DELETE its script; rows of code count as rows of files do."""
    marks: dict[str, Mark] = {}
    for _, version, _, kind, script, checksum, success in rows:
        what, name = text(kind), text(script)
        identity = text(version) or f"R:{name}"
        if not truth(success):
            return History(refused=f"its row for {name or identity} failed: repair it with Flyway, then adopt")
        if what == "SCHEMA":
            continue
        if what.startswith("UNDO") or what == "DELETE":
            marks.pop(identity, None)
        elif what in {"BASELINE", "SQL_BASELINE"}:
            marks[identity] = Mark(text(version), name, "baseline")
        else:
            marks.pop(identity, None)
            marks[identity] = Mark(text(version), name, hash=text(checksum))
    return History(tuple(marks.values()))


def key(version: str) -> str:
    """1.0 is 1, 1_2 is 1.2, 007 is 7."""
    parts = [part.lstrip("0") or "0" for part in re.split(r"[._]", version)]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def checksum(content: str) -> int:
    """Flyway's number of a file: CRC-32 over its lines without their ends, as a signed 32-bit number."""
    lines = _ENDS.split(content.removeprefix("\ufeff"))
    if lines and not lines[-1]:
        lines.pop()
    crc = 0
    for line in lines:
        crc = zlib.crc32(line.encode(), crc)
    return crc - (1 << 32) if crc >= 1 << 31 else crc


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:
    """Whether the checksum is the file's; None for rows without one (baselines, code)."""
    content = mdir.files[migration.name].decode("utf-8", "replace")
    return None if not mark.hash else number(mark.hash) == checksum(content)


def row(migration: Migration, mdir: MigrationDir, count: int, milliseconds: int) -> dict[str, Cell]:  # noqa: ARG001 - the signature of every tool
    """The row Flyway writes for a file it carried out."""
    return {
        "installed_rank": Next,
        "version": migration.version if migration.kind != "repeatable" else None,
        "description": migration.description.replace("_", " ")[:200],
        "type": "SQL",
        "script": migration.name[-1000:],
        "checksum": checksum(mdir.files[migration.name].decode("utf-8", "replace")),
        "installed_by": "pilotage",
        "execution_time": milliseconds,
        "success": True,
    }
