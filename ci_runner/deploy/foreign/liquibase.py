"""Liquibase: ``databasechangelog``, one row a changeset; a file counts once every changeset of it has one."""

from __future__ import annotations

import posixpath
import re

from ci_runner.deploy.foreign.history import History, Mark, Rows, text
from ci_runner.model.directory import Migration, MigrationDir

NAME = "liquibase"
TABLE = "databasechangelog"
COLUMNS = ("id", "author", "filename", "exectype")
ORDER = "orderexecuted"
ALONE = False
row = None
"""Its hashes of changesets are not computed here, so no row of its own can be written."""
_DONE = {"EXECUTED", "RERAN", "MARK_RAN"}
_CHANGESET = re.compile(r"^[ \t]*--[ \t]*changeset[ \t]+([^\n:]+):(\S+)", re.MULTILINE | re.IGNORECASE)


def read(rows: Rows) -> History:
    """A mark for each changeset, ``file::id::author``; a failed one is refused."""
    for identity, author, filename, kind in rows:
        if text(kind) == "FAILED":
            return History(refused=f"its changeset {text(filename)}::{text(identity)}::{text(author)} failed")
    done = [each for each in rows if text(each[3]) in _DONE]
    return History(tuple(Mark(_name(text(file), text(identity), text(author))) for identity, author, file, _ in done))


def key(version: str) -> str:
    """Changesets compare by file, id and author."""
    return version


def changesets(migration: Migration) -> tuple[str, ...]:
    """The changesets of a file, as :func:`read` names them."""
    found = _CHANGESET.finditer(migration.text)
    return tuple(_name(migration.name, match[2].strip('"'), match[1].strip().strip('"')) for match in found)


def same(mark: Mark, migration: Migration, mdir: MigrationDir) -> bool | None:  # noqa: ARG001 - the signature of every tool
    """Its checksums depend on its own parser and are not compared."""
    return None


def _name(file: str, identity: str, author: str) -> str:
    # A changelog names files as its own root sees them; the last part is what the directory knows.
    return f"{posixpath.basename(file)}::{identity}::{author}"
