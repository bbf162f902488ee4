"""Prisma Migrate: one folder per migration, ``<timestamp>_<name>/migration.sql``, in the byte order of the folders."""

from __future__ import annotations

import re

from ci_runner.migrations.atlas import entry
from ci_runner.migrations.format import Format, Selection, line_of, problem
from ci_runner.model.directory import Problem, Tree

LOCK = "migration_lock.toml"
_PROVIDER = re.compile(r'^[ \t]*provider[ \t]*=[ \t]*"([^"\n]*)"', re.MULTILINE)
# https://www.prisma.io/docs/orm/reference/prisma-schema-reference#provider
_DIALECTS = {
    "postgresql": ("postgres", "redshift"),
    "postgres": ("postgres", "redshift"),
    "cockroachdb": ("postgres",),
    "mysql": ("mysql", "mariadb"),
    "sqlite": ("sqlite",),
    "sqlserver": ("sqlserver",),
}


def folders(tree: Tree) -> list[str]:
    """The visible folders right below the directory, in byte order."""
    below = {
        name.partition("/")[0] for name in (*tree.files, *(f"{folder}/" for folder in tree.folders)) if "/" in name
    }
    return sorted(folder for folder in below if not folder.startswith("."))


def select(tree: Tree, dialect: str) -> Selection:
    """``migration.sql`` of every folder; a folder without it is an error, and so is another provider than the dialect."""
    visible = folders(tree)
    return Selection(
        tuple(
            entry(f"{folder}/migration.sql", folder) for folder in visible if f"{folder}/migration.sql" in tree.files
        ),
        aux=(LOCK,),
        problems=(
            *(_missing(folder) for folder in visible if f"{folder}/migration.sql" not in tree.files),
            *_provider(tree, dialect),
        ),
    )


def _missing(folder: str) -> Problem:
    return problem(
        "file-missing",
        "error",
        f"the folder {folder} has no migration.sql",
        f"{folder}/migration.sql",
        remedy="restore the file, or delete the folder",
    )


def _provider(tree: Tree, dialect: str) -> tuple[Problem, ...]:
    text = tree.files.get(LOCK, b"").decode("utf-8", "replace")
    found = _PROVIDER.search(text)
    if not found or dialect in _DIALECTS.get(found[1].lower(), (found[1].lower(),)):
        return ()
    return (
        problem(
            "dialect-mismatch",
            "error",
            f"{LOCK} was written for {found[1]}, but the directory is read as {dialect}",
            LOCK,
            line_of(text, found.start()),
            f"set 'dialect: {_DIALECTS.get(found[1].lower(), (found[1],))[0]}' for this directory",
        ),
    )


FORMAT = Format("prisma", select, root_only=False)
