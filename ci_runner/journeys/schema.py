"""Schema: what a directory's migrations come to, asked of a dev database where there is one, else read from their text."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from ci_runner import changes, sql
from ci_runner.config import Directory
from ci_runner.errors import UsageError
from ci_runner.journeys import lint, oracle
from ci_runner.journeys.ground import Ground
from ci_runner.migrations import transaction
from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.inspected import Schema
from ci_runner.model.report import Base, ChangeSet

if TYPE_CHECKING:
    from ci_runner.databases import Database
    from ci_runner.replay import ReplayFile

TIME_LIMIT = 600.0  # seconds


class State(NamedTuple):
    """A directory's schema after ``version`` ("" before the first file). ``engine`` is the database that was asked, "" = the text.

    ``statements`` create it, without semicolons.
    """

    path: str
    dialect: str
    version: str
    engine: str
    schema: Schema
    statements: tuple[str, ...]


def state(ground: Ground, wanted: Directory, at: str | None) -> State:
    """The schema of the newest version, or of ``at``."""
    head = lint.folder(ground, wanted)
    files = _until(head, at)
    chosen = ChangeSet(head, Base("all"), changes.everything(head).files, ())
    version = files[-1].version if files else ""
    with oracle.opened(ground, wanted, chosen) as opened:
        if opened.database is not None:
            from ci_runner.replay import Limit
            from ci_runner.replay.standing import standing

            limit = Limit(TIME_LIMIT, opened.slow)
            schema, statements = standing([_file(each, head) for each in files], opened.database, _look, limit)
            engine = opened.database.engine
        else:
            schema, statements, engine = _from_text(files, head.dialect, ground), None, ""
    if statements is None:
        from ci_runner.sql.writing import creates

        statements = tuple(creates(schema, head.dialect))
    return State(head.path, head.dialect, version, engine, schema, statements)


def chosen(schema: Schema, patterns: Sequence[str]) -> frozenset[str]:
    """The tables that patterns such as ``order*`` name; UsageError for one that fits none."""
    found: set[str] = set()
    for pattern in patterns:
        fitting = [name for name in schema.tables if fnmatchcase(name.lower(), pattern.lower())]
        if not fitting:
            from difflib import get_close_matches

            close = get_close_matches(pattern, list(schema.tables), 1)
            hint = f" — did you mean '{close[0]}'?" if close else f" among {len(schema.tables)}"
            raise UsageError(f"--tables {pattern}: there is no such table{hint}")
        found.update(fitting)
    return frozenset(found)


def _file(migration: Migration, head: MigrationDir) -> ReplayFile:
    from ci_runner.replay import ReplayFile

    statements = sql.outline(migration, head.dialect)
    mode = transaction(migration, statements, head.format)
    return ReplayFile(migration.name, migration.text, statements, mode, migration.parts)


def _look(database: Database) -> tuple[Schema, tuple[str, ...] | None]:
    from ci_runner.databases.creating import creating

    return database.inspect(), creating(database)


def _from_text(files: Sequence[Migration], dialect: str, ground: Ground) -> Schema:
    from ci_runner.sql import history
    from ci_runner.sql.inspected import schema

    return schema(history.before(files, dialect, ground.cache), dialect)


def _until(head: MigrationDir, at: str | None) -> tuple[Migration, ...]:
    """The files to run for that version: up to the last that has it (or is called so), without those for other starts."""
    files = changes.following(changes.everything(head))
    if at is None:
        return files
    last = [index for index, each in enumerate(files) if at in (each.version, each.name)]
    if not last:
        from difflib import get_close_matches

        close = get_close_matches(at, [each.version for each in files], 1)
        hint = f" — did you mean '{close[0]}'?" if close else f" among the {len(files)} files that run"
        raise UsageError(f"--at {at}: {head.path} has no such version{hint}; 'pilotage ls' lists them")
    return files[: last[-1] + 1]
