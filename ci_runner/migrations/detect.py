"""Tells a directory's format from its names, markers in its files, and marker files around it."""

from __future__ import annotations

import re

from ci_runner.errors import DirectoryRefusedError
from ci_runner.migrations.format import hidden, root_sql
from ci_runner.model.directory import Tree
from ci_runner.text.pattern import later

HEAD = 64 * 1024
SAMPLE = 200
_GOOSE = rb"(?mi)^--[ \t]*\+goose[ \t]+up[ \t\r]*$"
_DBMATE = rb"(?m)^--[ \t]*migrate:up(?:\s|\Z)"
_LIQUIBASE = rb"(?i)(?:\xef\xbb\xbf)?\s*--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b"
_FLYWAY = later(r"(?:[VB][0-9].*?|R)__.*\.sql", re.DOTALL)
_FLYWAY_BEGINS = ("V", "B", "R")
_NUMBERED = later(r"[0-9]+_.*\.sql", re.DOTALL)
_PROJECT = rb"(?m)^[ \t]*project_id[ \t]*="


def detect(tree: Tree) -> str:
    """The format that the first rule with evidence names; DirectoryRefusedError when two tools' markers are found."""
    whole, names = "\n".join(tree.files), root_sql(tree)  # what no name holds need be looked for in none of them
    return _by_structure(tree, whole) or _by_marker(tree, whole, names) or _by_name(tree, whole, names)


def _by_structure(tree: Tree, whole: str) -> str | None:
    if b'"entries"' in tree.files.get("meta/_journal.json", b""):
        return "drizzle"
    deep = [name for name in tree.files if "/" in name] if "/" in whole else ()
    below = {name.partition("/")[2] for name in deep if not hidden(name)}
    if "migration_lock.toml" in tree.files or "migration.sql" in below:
        return "prisma"
    if "up.sql" in below:
        return "diesel"
    path = "/" + tree.path.replace("\\", "/").strip("/")
    config = tree.context.get("../config.toml")
    if path.endswith("/supabase/migrations") or (config and re.search(_PROJECT, config)):
        return "supabase"
    return None


def _by_marker(tree: Tree, whole: str, names: list[str]) -> str | None:
    heads = [tree.files[name][:HEAD] for name in names[:SAMPLE]]
    evidence = {
        "goose": any(b"goose" in head and re.search(_GOOSE, head) for head in heads),
        "dbmate": any(b"migrate:up" in head and re.search(_DBMATE, head) for head in heads),
        "liquibase": any(b"ormatted" in head and re.match(_LIQUIBASE, head) for head in heads),
        "flyway": "__" in whole and any(map(_flyway, [path for path in tree.files if "__" in path])),
    }
    found = tuple(name for name, seen in evidence.items() if seen)
    if len(found) > 1:
        raise DirectoryRefusedError(
            "format-ambiguous",
            f"{tree.path} holds files of {' and '.join(found)}: give the format with --dir-format or 'dir_format:' in pilotage.yml",
            candidates=found,
        )
    return found[0] if found else None


def _flyway(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name[:1] in _FLYWAY_BEGINS and not hidden(path) and _FLYWAY.fullmatch(name) is not None


def _by_name(tree: Tree, whole: str, names: list[str]) -> str:
    if ".up.sql" in whole and any(map(_NUMBERED.fullmatch, [name for name in names if name.endswith(".up.sql")])):
        return "sqlx" if _uses_sqlx(tree) else "golang-migrate"
    return "sqlx" if any(map(_NUMBERED.fullmatch, names)) and _uses_sqlx(tree) else "atlas"


def _uses_sqlx(tree: Tree) -> bool:
    cargo = (content for path, content in tree.context.items() if path.endswith("Cargo.toml"))
    return any(path.endswith(".sqlx/") for path in tree.context) or any(re.search(rb"\bsqlx\b", each) for each in cargo)
