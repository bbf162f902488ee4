"""The way back of each migration, where its format has one: a file of its own, or the section of the same file behind a mark. Pure."""

from __future__ import annotations

import posixpath
import re

from msgspec.structs import replace

from ci_runner.errors import ConflictError
from ci_runner.migrations import directives
from ci_runner.model.directory import Migration, MigrationDir, Part

_GOOSE = re.compile(
    r"^--[ \t]*\+goose[ \t]+(up|down|statementbegin|statementend|no[ \t]+transaction)\b[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_DBMATE = re.compile(r"^--[ \t]*migrate:(up|down)(?:[ \t]+([^\n]*))?[ \t\r]*$", re.MULTILINE)
_FLYWAY = re.compile(r"[VB](.+?)__.*\.sql", re.DOTALL)


def down(mdir: MigrationDir, migration: Migration) -> Migration | None:
    """What takes ``migration`` back, as a migration of its own; None where there is nothing."""
    if mdir.format == "goose":
        return _goose(migration)
    if mdir.format == "dbmate":
        return _dbmate(migration)
    name = _file(mdir, migration)
    if name is None:
        return None
    text = mdir.files[name].decode("utf-8-sig", "replace")
    own = directives.read(name, text, mark=False, tx_mode=migration.transaction, lenient=True)
    wanted = "none" if text.startswith("-- no-transaction") or own.transaction == "none" else "file"
    return replace(
        migration, name=name, text=text, parts=(), delimiter=own.delimiter, directives=own.effective, transaction=wanted
    )


def _file(mdir: MigrationDir, migration: Migration) -> str | None:
    """The down file beside the forward one, as the format names it."""
    folder, leaf = posixpath.split(migration.name)
    wanted = {"down.sql"} if leaf == "up.sql" else {leaf.removesuffix(".up.sql") + ".down.sql"}
    if mdir.format == "flyway" and (found := _FLYWAY.fullmatch(leaf)):
        return next((name for name in mdir.down if posixpath.basename(name).startswith(f"U{found[1]}__")), None)
    if mdir.format == "golang-migrate":  # a pair shares the number, not always the rest of the name
        return next((name for name in mdir.down if name.partition("_")[0] == leaf.partition("_")[0]), None)
    return next(
        (name for name in mdir.down if posixpath.dirname(name) == folder and posixpath.basename(name) in wanted), None
    )


def _goose(migration: Migration) -> Migration | None:
    """From ``-- +goose Down`` on; blocks stay whole."""
    parts: list[Part] = []
    section, begin, block = "", 0, -1
    for mark in _GOOSE.finditer(migration.text):
        word = mark[1].lower()
        if word == "down":
            section, begin = "down", mark.end()
        elif section == "down" and word == "statementbegin":
            parts.append(Part(begin, mark.start()))
            block = mark.end()
        elif section == "down" and word == "statementend" and block >= 0:
            parts.append(Part(block, mark.start(), whole=True))
            begin, block = mark.end(), -1
    if section != "down":
        return None
    if block >= 0:
        raise ConflictError(f"{migration.name}: '-- +goose StatementBegin' in its Down section is never ended")
    return replace(migration, parts=(*parts, Part(begin, len(migration.text))), directives=())


def _dbmate(migration: Migration) -> Migration | None:
    marks = list(_DBMATE.finditer(migration.text))
    ends = [*(mark.start() for mark in marks), len(migration.text)][1:]
    found = [(mark, end) for mark, end in zip(marks, ends, strict=True) if mark[1] == "down"]
    if not found:
        return None
    outside = all("transaction:false" in (mark[2] or "").split() for mark, _ in found)
    parts = tuple(Part(mark.end(), end) for mark, end in found)
    return replace(migration, parts=parts, directives=(), transaction="none" if outside else "file")
