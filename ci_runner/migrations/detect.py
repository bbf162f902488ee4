"""Tells a directory's format from its names, markers in its files, and marker files around it."""

from __future__ import annotations

import re

from ci_runner.errors import DirectoryRefusedError
from ci_runner.migrations import drizzle, flyway, liquibase
from ci_runner.migrations.format import hidden, root_sql
from ci_runner.model.directory import Tree

HEAD = 64 * 1024
SAMPLE = 200
_GOOSE = re.compile(rb"^--[ \t]*\+goose[ \t]+up[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_DBMATE = re.compile(rb"^--[ \t]*migrate:up(?:\s|\Z)", re.MULTILINE)
_PAIR = re.compile(r"[0-9]+_.*\.up\.sql", re.DOTALL)
_NUMBERED = re.compile(r"[0-9]+_.*\.sql", re.DOTALL)
_PROJECT = re.compile(rb"^[ \t]*project_id[ \t]*=", re.MULTILINE)
_SQLX = re.compile(rb"\bsqlx\b")


def detect(tree: Tree) -> str:
    """The format that the first rule with evidence names; DirectoryRefusedError when two tools' markers are found."""
    return _by_structure(tree) or _by_marker(tree) or _by_name(tree)


def _by_structure(tree: Tree) -> str | None:
    if drizzle.JOURNAL in tree.files and _is_journal(tree.files[drizzle.JOURNAL]):
        return "drizzle"
    below = {name.partition("/")[2] for name in tree.files if "/" in name and not hidden(name)}
    if "migration_lock.toml" in tree.files or "migration.sql" in below:
        return "prisma"
    if "up.sql" in below:
        return "diesel"
    path = "/" + tree.path.replace("\\", "/").strip("/")
    if path.endswith("/supabase/migrations") or _PROJECT.search(tree.context.get("../config.toml", b"")):
        return "supabase"
    return None


def _is_journal(content: bytes) -> bool:
    """A journal stays one when a merge left conflict markers in it: no other format keeps a file of that name."""
    return drizzle.tags(content) is not None or b'"entries"' in content


def _by_marker(tree: Tree) -> str | None:
    heads = [tree.files[name][:HEAD] for name in root_sql(tree)[:SAMPLE]]
    evidence = {
        "goose": any(b"goose" in head and _GOOSE.search(head) for head in heads),
        "dbmate": any(b"migrate:up" in head and _DBMATE.search(head) for head in heads),
        "liquibase": any(b"iquibase" in head.lower() and _is_formatted(head) for head in heads),
        "flyway": any(flyway.NAME.fullmatch(path.rpartition("/")[2]) for path in tree.files if not hidden(path)),
    }
    found = tuple(name for name, seen in evidence.items() if seen)
    if len(found) > 1:
        raise DirectoryRefusedError(
            "format-ambiguous",
            f"{tree.path} holds files of {' and '.join(found)}: give the format with --dir-format or 'dir_format:' in pilotage.yml",
            candidates=found,
        )
    return found[0] if found else None


def _is_formatted(head: bytes) -> bool:
    text = head.decode("utf-8-sig", "replace").lstrip()
    return liquibase.HEADER.match(text) is not None


def _by_name(tree: Tree) -> str:
    names = root_sql(tree)
    cargo = any(
        _SQLX.search(content) if path.endswith("Cargo.toml") else path.endswith(".sqlx/")
        for path, content in tree.context.items()
    )
    if any(_PAIR.fullmatch(name) for name in names):
        return "sqlx" if cargo else "golang-migrate"
    if cargo and any(_NUMBERED.fullmatch(name) for name in names):
        return "sqlx"
    return "atlas"
