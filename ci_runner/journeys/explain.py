"""Explain: what each statement of one file does, seen from the schema the files before it leave."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from ci_runner import sql
from ci_runner.config import Directory
from ci_runner.errors import UsageError
from ci_runner.journeys import lint, sizing
from ci_runner.journeys.ground import Ground
from ci_runner.lint import costs
from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.report import StatementEffect
from ci_runner.sql import history


def effects(ground: Ground, path: Path) -> tuple[StatementEffect, ...]:
    """One row per statement of the migration at ``path``."""
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    wanted, name = _directory(ground, path.resolve())
    read = lint.folder(ground, wanted)
    migration = _migration(read, name)
    before = read.migrations[: read.migrations.index(migration)]
    state = history.before(before, read.dialect, ground.cache)
    statements = sql.statements(migration, read.dialect)
    sizes, _ = sizing.known(ground, wanted, state, read.dialect)
    found = sql.effects(statements, read.dialect, state, costs.exact)
    return sizing.told(found, statements, state, sizes, read.dialect)


def _directory(ground: Ground, path: Path) -> tuple[Directory, str]:
    """The configured directory that holds the file, else the file's own folder; and the file's name in it."""
    for wanted in ground.config.directories:
        folder = (ground.root / wanted.dir).resolve()
        if folder in path.parents:
            return wanted, path.relative_to(folder).as_posix()
    common = replace(ground.config.directories[0], dir=_relative(path.parent, ground.root))
    return common, path.name


def _relative(folder: Path, root: Path) -> str:
    return folder.relative_to(root.resolve()).as_posix() if root.resolve() in (folder, *folder.parents) else str(folder)


def _migration(read: MigrationDir, name: str) -> Migration:
    for migration in read.migrations:
        if migration.name == name:
            return migration
    raise UsageError(
        f"{name} is not one of the {len(read.migrations)} files that run forward in {read.path} ({read.format})"
    )
