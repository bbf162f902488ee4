"""The pieces that examples of reports are made of: findings on the place of a snippet, changed files, change sets."""

from __future__ import annotations

import hashlib

from ci_runner.model.directory import Migration, MigrationDir, Problem, SumCheck
from ci_runner.model.report import Base, Change, ChangedFile, ChangeSet, Finding, Severity, Suggestion

RULES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "index-not-concurrent": (
        "Creating an index blocks writes",
        "`CREATE INDEX` holds a SHARE lock until the index is built: every INSERT, UPDATE and DELETE on the table waits.",
        "Build it with `CREATE INDEX CONCURRENTLY`, in a migration of its own that runs outside a transaction.",
        ("PG101", "require-concurrent-index-creation"),
    ),
    "add-notnull-no-default": (
        "A required column without a default",
        "Rows that exist have no value for the column, so the statement fails on the first one. On an empty test database it passes.",
        "Add the column as nullable, fill it in batches, then set NOT NULL in a later migration.",
        ("MF103", "adding-required-field"),
    ),
    "drop-column": (
        "Dropping a column loses its data",
        "The values are gone, and every instance of the application that still runs the old release fails on its next query.",
        "Stop reading and writing the column, release that, and drop it in a later release.",
        ("DS103", "ban-drop-column"),
    ),
    "type-change-rewrite": (
        "Changing this type rewrites the table",
        "The whole table is copied under an ACCESS EXCLUSIVE lock: neither reads nor writes get through until it is done.",
        "Add a new column, write both, fill it in batches, then swap the two.",
        ("PG301", "changing-column-type"),
    ),
    "lock-held-across-scan": (
        "A strong lock is held during other work",
        "The file runs in one transaction, so the first lock is kept until the last statement has ended.",
        "Take one strong lock in a transaction: split the file.",
        (),
    ),
}


def finding(
    name: str,
    text: str,
    snippet: str,
    rule: str,
    severity: Severity,
    message: str,
    *,
    observed: bool = False,
    fix: str = "",
) -> Finding:
    """A finding on the first place where ``snippet`` stands in ``text``."""
    start = text.index(snippet)
    before, span = text[:start], snippet.rstrip()
    line, column = before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1
    end_line = line + span.count("\n")
    end_column = (column if end_line == line else 1) + len(span.rsplit("\n", 1)[-1])
    title, why, remedy, aliases = RULES[rule]
    return Finding(
        rule=rule,
        severity=severity,
        message=message,
        file=name,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        title=title,
        why=why,
        remedy=remedy,
        aliases=aliases,
        evidence="observed" if observed else "inferred",
        statement=span,
        suggestion=Suggestion(line, end_line, fix, "Build the index without blocking writes") if fix else None,
    )


def changed(name: str, text: str, change: Change = "added") -> ChangedFile:
    """A changed file whose version stands before the first underscore."""
    version, _, description = name.removesuffix(".sql").partition("_")
    migration = Migration(name, version, description, text, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest())
    return ChangedFile(
        name, change, None if change == "removed" else migration, migration if change == "removed" else None
    )


def change_set(
    *files: ChangedFile,
    path: str = "db/migrations",
    problems: tuple[Problem, ...] = (),
    dialect: str = "postgres",
    released: int = 12,
    base: Base = Base("git", "4f1d2c3a9b07e5d6c8a1b2f3e4d5c6b7a8f90123"),  # noqa: B008  a frozen value
) -> ChangeSet:
    """The files on top of ``released`` earlier ones."""
    old = tuple(Migration(f"{n:04}_old.sql", f"{n:04}", "old", "", "") for n in range(1, released + 1))
    mine = tuple(file.migration for file in files if file.migration)
    head = MigrationDir(path, "atlas", dialect, (*old, *mine), SumCheck(True), problems, summed={})
    return ChangeSet(head, base, files, old)
