"""Replay a change on the dev database a directory asks for; without one, say what could not be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ci_runner import sql
from ci_runner.changes import following
from ci_runner.config import Directory
from ci_runner.errors import ConfigError
from ci_runner.journeys.ground import Ground
from ci_runner.model.directory import Migration
from ci_runner.model.operations import Statement
from ci_runner.model.report import ChangeSet, Replay

if TYPE_CHECKING:
    from ci_runner.replay import ReplayFile

NO_DATABASE = (
    "no dev database: the change was judged by its text alone, not run; errors, rewrites and scans that only a database shows "
    "are not seen (--dev-url, docs/dev-databases.md)"
)
FAMILY = {"mariadb": "mysql", "redshift": "postgres"}


def replayed(
    ground: Ground, wanted: Directory, changes: ChangeSet, statements: Mapping[str, tuple[Statement, ...]]
) -> Replay:
    """What the dev database was seen to do with the change, after its base was replayed there."""
    if not wanted.dev_url:
        return Replay("skipped", reason=NO_DATABASE)
    change = following(changes)
    if not change:
        return Replay("skipped", reason="no migration was added or edited")
    from ci_runner import devdb, replay

    dialect = changes.head.dialect
    base = [_file(each, sql.outline(each, dialect)) for each in changes.released]
    behind = [_file(each, statements.get(each.name) or sql.outline(each, dialect)) for each in change]
    with devdb.open(wanted.dev_url, environment=ground.environ, run_id=ground.nonce(), report=ground.note) as database:
        if FAMILY.get(database.dialect, database.dialect) != FAMILY.get(dialect, dialect):
            raise ConfigError(
                f"{wanted.dir} is {dialect}, but its dev database is {database.engine}: give one of its kind"
            )
        return replay.replay(base, behind, database)


def _file(migration: Migration, statements: tuple[Statement, ...]) -> ReplayFile:
    from ci_runner import replay

    return replay.ReplayFile(migration.name, migration.text, statements, migration.transaction, migration.parts)
