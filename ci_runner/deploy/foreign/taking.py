"""Takes a history over under the lock, and keeps the other tool's table up to date where that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ci_runner.databases import DatabaseFailure, Target
from ci_runner.deploy import foreign, revisions
from ci_runner.deploy.foreign import adoption, atlas, writing
from ci_runner.deploy.keys import DOWN, key
from ci_runner.deploy.options import Adopt, Options
from ci_runner.deploy.planning import Source
from ci_runner.errors import ConflictError, TemporaryError, UsageError
from ci_runner.model.deploy import DirState, Revision, Step

COMPAT = "+compat"
"""Behind the tool's name in ``adopted_from``: its table gets the rows the tool would write."""

Beside = Callable[[Step, Revision], list[str]]


def prepared(target: Target, source: Source, options: Options) -> Options:
    """The options with the rows that a wanted adoption comes to; the same options where none is wanted.

    ConflictError for a history that cannot be taken over, TemporaryError while the other tool runs.
    """
    if options.adopt is None:
        return options
    wanted: Adopt = options.adopt
    found = foreign.tables(target)
    if wanted.auto and (not found or revisions.read(target, options.dir).revisions):
        return replace(options, adopt=None)
    table = foreign.choose(found, wanted.tool, target.facts.name)
    tool = foreign.module(table.tool)
    if wanted.compat and tool.row is None:
        raise UsageError(f"--compat: the rows of {tool.NAME} cannot be written here; adopt without it")
    if tool is atlas and target.facts.dialect == "postgres" and not target.query(atlas.LOCK)[0][0]:
        raise TemporaryError(
            f"Atlas is applying migrations to {target.facts.name} right now: run again when it is through"
        )
    history = foreign.read(target, table)
    rows = adoption.adopt(tool, table.name, history, source.mdir, options, allow_missing=wanted.allow_missing)
    if not rows and wanted.auto:
        return replace(options, adopt=None, clean=True)
    if not rows:
        raise ConflictError(
            f"{table.name} records nothing that is applied: there is nothing to take over, deploy with --allow-dirty"
        )
    return replace(options, adopted=rows, adopted_from=tool.NAME + (COMPAT if wanted.compat else ""))


def beside(target: Target, state: DirState | None, source: Source) -> Beside:
    """What tells the other tool's table of a step; nothing where that is not wanted."""
    if state is None or not state.adopted_from.endswith(COMPAT):
        return lambda _step, _row: []
    name = state.adopted_from.removesuffix(COMPAT)
    tool = foreign.module(name)
    table = foreign.choose(foreign.tables(target), name, target.facts.name)
    by_version = {key(each): each for each in source.mdir.migrations}

    def told(step: Step, row: Revision) -> list[str]:
        migration = by_version.get(step.version)
        if migration is None or step.version.startswith(DOWN) or row.state != "applied":
            return []
        return writing.statements(
            target, tool, table.name, migration, source.mdir, len(step.statements), row.duration_ms
        )

    return told


def behind(target: Target, state: DirState | None, source: Source, rows: Sequence[Revision]) -> list[str]:
    """The statements that bring the other tool's table level with what we have applied since, where a killed run left it behind."""
    if state is None or not state.adopted_from.endswith(COMPAT):
        return []
    name = state.adopted_from.removesuffix(COMPAT)
    tool = foreign.module(name)
    table = foreign.choose(foreign.tables(target), name, target.facts.name)
    history = foreign.read(target, table)
    ours = {row.version: row for row in rows if row.state == "applied" and row.kind not in {"adopted", "baseline"}}
    applied = [each for each in source.mdir.migrations if key(each) in ours]
    lacking = writing.missing(tool, [mark.version for mark in history.marks], history.upto, applied)
    return [
        statement
        for each in lacking
        for statement in writing.statements(
            target, tool, table.name, each, source.mdir, ours[key(each)].statements_total, ours[key(each)].duration_ms
        )
    ]


def safely(target: Target, statements: Sequence[str]) -> str:
    """Run them; why they could not be, "" when they were. Ours is the record: that of another tool stops no deployment."""
    try:
        if statements:
            target.write(statements)
    except DatabaseFailure as failure:
        if failure.lost:
            raise
        return failure.message
    return ""
