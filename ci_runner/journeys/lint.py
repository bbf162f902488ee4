"""Lint: read each directory, compare it with its base, replay and judge the change, put it into one report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol, cast

from ci_runner import lint, report, sources, sql
from ci_runner.config import Directory
from ci_runner.journeys import oracle, suggestions
from ci_runner.journeys.base import compare, read
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.oracle import Statements
from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.operations import Statement
from ci_runner.model.report import ChangeSet, Linted, Observation, Report, Run, StatementEffect
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog, history

EXPLAINED = 50
UNOBSERVED = 5  # remarks on what could not be looked at; more would bury the findings
Parse = Callable[[Migration], tuple[Statement, ...]]


class Judge(Protocol):
    """Lints a change set."""

    def __call__(
        self,
        changes: ChangeSet,
        statements: Statements,
        observations: Iterable[Observation],
        *,
        parse: Parse | None = None,
    ) -> Linted:
        """Findings; with ``parse`` suggestions too."""
        ...


def run(ground: Ground) -> Run:
    """The report of every configured directory, as one run."""
    return report.combine(tuple(directory(ground, each) for each in ground.config.directories))


def directory(ground: Ground, wanted: Directory) -> Report:
    """The report of one directory."""
    head = folder(ground, wanted)
    compared = compare(ground, wanted, head)
    changes = compared.changeset
    statements = analyse(changes)
    before = history.before(changes.released, head.dialect, ground.cache)
    judge = judging(ground, wanted, before)
    with oracle.opened(ground, wanted, changes) as database:
        replayed = database.replayed(changes, statements)
        linted = judge(changes, statements, replayed.observations, parse=partial(sql.statements, name=head.dialect))
        linted = suggestions.confirmed(suggestions.Change(changes, linted, replayed), wanted, judge, database)
    return report.build(
        changes,
        linted,
        replayed,
        name=wanted.name,
        fail_on=cast("report.FailOn", ground.config.fail_on),
        notes=(*compared.notes, *guessed(wanted, head), *replayed.unobserved[:UNOBSERVED]),
        effects=explained(changes, statements, before),
        redact=ground.redact,
    )


def judging(ground: Ground, wanted: Directory, before: Catalog) -> Judge:
    """The linter as that directory sets it, on top of the schema ``before``."""
    rules = policy(ground, wanted)

    def judge(
        changes: ChangeSet, statements: Statements, observations: Iterable[Observation], *, parse: Parse | None = None
    ) -> Linted:
        return lint.lint(
            [lint.LintFile(file, statements.get(file.name, ())) for file in changes.files],
            before,
            dialect=changes.head.dialect,
            policy=rules,
            format=changes.head.format,
            server_version=wanted.server_version,
            server_edition=wanted.server_edition,
            observations=observations,
            parse=parse,
        )

    return judge


def folder(ground: Ground, wanted: Directory) -> MigrationDir:
    """The directory as it lies in the working tree."""
    return read(sources.folder(ground.root / wanted.dir, root=ground.root, shown=wanted.dir), wanted)


def analyse(changes: ChangeSet) -> dict[str, tuple[Statement, ...]]:
    """The statements of every changed file that still exists, by file name."""
    dialect = changes.head.dialect
    return {file.name: sql.statements(file.migration, dialect) for file in changes.files if file.migration is not None}


def explained(
    changes: ChangeSet, statements: Mapping[str, tuple[Statement, ...]], before: Catalog
) -> dict[str, tuple[StatementEffect, ...]]:
    """What each statement of the first files does, by file; more than these no comment shows."""
    found: dict[str, tuple[StatementEffect, ...]] = {}
    for file in changes.files[:EXPLAINED]:
        rows = statements.get(file.name, ())
        found[file.name] = sql.effects(rows, changes.head.dialect, before)
        before = catalog.fold(catalog.release(before), rows, changes.head.dialect)
    return found


def policy(ground: Ground, wanted: Directory) -> lint.Policy:
    """The severities a directory asks for; the catalogue is read only when it asks for any."""
    rules = lint.catalogue() if wanted.rules else ()
    return lint.policy(
        wanted.rules,
        rules,
        require_reason=wanted.require_ignore_reason,
        today=ground.now().date().isoformat(),
        source=f"the rules of {wanted.dir}",
    )


def guessed(wanted: Directory, head: MigrationDir) -> tuple[str, ...]:
    """A remark where the dialect was nobody's word."""
    if wanted.dialect or not head.migrations:
        return ()
    return (f"the dialect was taken to be {head.dialect}: say 'dialect:' in pilotage.yml or --dialect to be sure",)
