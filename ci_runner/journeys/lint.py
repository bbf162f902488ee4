"""Lint: read each directory, compare it with its base, replay and judge the change, put it into one report.

What judges is imported while the files or their statements are being read: of a long directory another process reads them meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from msgspec.structs import replace

from ci_runner import aside, sources, sql
from ci_runner.config import Directory
from ci_runner.journeys.ground import Ground, hold

if TYPE_CHECKING:
    from ci_runner import report
    from ci_runner.journeys import sizing
    from ci_runner.journeys.base import Compared
    from ci_runner.journeys.oracle import Statements
    from ci_runner.journeys.reading import Overall
    from ci_runner.model.directory import MigrationDir, Tree
    from ci_runner.model.operations import Statement
    from ci_runner.model.report import ChangeSet, Linted, Replay, Report, Run, StatementEffect
    from ci_runner.model.schema import Catalog

_JUDGES = (
    "lint", "report", "journeys.judging", "journeys.oracle", "journeys.reversing", "journeys.sizing", "journeys.suggestions",
    "sql.history",
)  # fmt: skip
_OF_A_FEW = (
    "model.difference",
    "model.drawing",
    "sql.explaining",
    "sql.inspected",
    "sql.pipeline",
)  # what else a run over a few files needs
EXPLAINED = 50
UNOBSERVED = 5  # remarks on what could not be looked at; more would bury the findings


def stand_by(flags: Mapping[str, object]) -> None:
    """Where the flags ask for every file, let another process import what reads them before it is known which those are."""
    if flags.get("all"):
        aside.stand_by("ci_runner.journeys.reading", str(flags.get("dialect") or ""))


def run(ground: Ground) -> Run:
    """The report of every configured directory, as one run."""
    reports = [directory(ground, each) for each in ground.config.directories]
    from ci_runner import report

    return report.combine(reports)


class Examined(Struct, frozen=True):
    """One directory before it is reported on. ``before`` and ``after`` are the schemas the released and all files left; see :func:`left`."""

    compared: Compared
    statements: Statements
    before: Catalog
    after: Catalog | None
    effects: Callable[[], Mapping[str, tuple[StatementEffect, ...]]]
    replayed: Replay
    linted: Linted
    overall: Callable[[], Overall] | None = None  # where it is known, to be asked for once all is judged


def directory(ground: Ground, wanted: Directory) -> Report:
    """The report of one directory."""
    seen = examined(ground, wanted)
    hold(seen)
    from ci_runner import report
    from ci_runner.journeys import judging

    changes = seen.compared.changeset
    replayed = told(seen.replayed, seen.before, seen.after, changes.head.dialect) if seen.after else seen.replayed
    linted, remarks = judging.unknown(ground, wanted, changes, seen.linted)
    changes = judging.leveled(ground, wanted, changes)
    overall = seen.overall
    return report.build(
        changes,
        linted,
        replayed,
        name=wanted.name,
        fail_on=cast("report.FailOn", ground.config.fail_on),
        notes=(
            *seen.compared.notes,
            *remarks,
            *replayed.remarks,
            *guessed(wanted, changes.head),
            *(replayed.unobserved[:UNOBSERVED] if linted.findings else ()),  # a clean run stays one line
        ),
        effects=seen.effects,
        redact=ground.redact,
        summed=(lambda: overall().sum) if overall else None,
        harmless=lambda: overall is not None and overall().harmless,
    )


def examined(ground: Ground, wanted: Directory) -> Examined:
    """What is found in a directory, known or not."""
    asked = (_ahead if ground.config.all and ground.commit is None else _alone)(ground, wanted)
    from ci_runner.journeys import base, merging

    compared_of = base.comparing(ground, wanted)
    _import(wanted.dialect, few=not ground.config.all)
    ground.meanwhile()
    head, statements, overall = asked()
    compared = merging.guarded(ground, wanted, compared_of(head))
    changes = compared.changeset
    statements = analyse(changes) if statements is None else statements
    from ci_runner.journeys import judging, oracle, reading, reversing, sizing, suggestions
    from ci_runner.sql import catalog, history

    before = history.before(changes.released, head.dialect, ground.cache)
    own, remarks = judging.own_rules(ground, wanted)
    sizes, strange = sizing.known(ground, wanted, before, head.dialect)
    judge = judging.judge(ground, wanted, before, own, sizes)
    released = catalog.release(before)
    effects, after = partial(explained, changes, statements, released, sizes), left(changes, statements, released)
    with oracle.opened(ground, wanted, changes) as database:
        replayed = reversing.back(database, changes, statements, database.replayed(changes, statements))
        linted = judge(changes, statements, replayed.observations, parse=partial(reading.statements, head.dialect))
        linted = suggestions.confirmed(suggestions.Change(changes, linted, replayed), wanted, judge, database)
    notes = (*compared.notes, *remarks)
    replayed = replace(replayed, unobserved=(*replayed.unobserved, *strange))
    return Examined(replace(compared, notes=notes), statements, released, after, effects, replayed, linted, overall)


def folder(ground: Ground, wanted: Directory) -> MigrationDir:
    """The directory as it lies in the working tree, or as the commit to judge has it."""
    return begun(ground, wanted)()


def begun(ground: Ground, wanted: Directory) -> Callable[[], MigrationDir]:
    """As :func:`folder`, for whoever has something else to do first: the files are being read meanwhile."""
    tree_of = _tree(ground, wanted)

    def finished() -> MigrationDir:
        tree = tree_of()
        _see(ground, tree)
        return _read(tree, wanted)

    return finished


def _tree(ground: Ground, wanted: Directory) -> Callable[[], Tree]:
    if ground.commit is not None and ground.git is not None:
        tree = sources.at_commit(ground.git, ground.git.ensure_commit(ground.commit), wanted.dir)
        return lambda: tree
    compared = ground.git is not None and not ground.config.all and not ground.config.latest
    return sources.begun(ground.root / wanted.dir, root=ground.root, shown=wanted.dir, blobs=compared)


def _read(tree: Tree, wanted: Directory) -> MigrationDir:
    from ci_runner.journeys import reading

    return reading.read(tree, wanted)


def _see(ground: Ground, tree: Tree) -> None:
    if ground.commit is None:
        ground.seen(tree)


def _alone(ground: Ground, wanted: Directory) -> Callable[[], tuple[MigrationDir, None, None]]:
    """The directory; what is in its files is read once it is known which of them changed."""
    head_of = begun(ground, wanted)
    return lambda: (head_of(), None, None)


def _ahead(ground: Ground, wanted: Directory) -> Callable[[], tuple[MigrationDir, Statements, Callable[[], Overall]]]:
    """The directory, the statements of all its files, and what there is to know of them all: another process begins to read now."""
    from ci_runner.journeys import reading
    from ci_runner.model.operations import Statement

    asked = aside.ahead(
        reading.task, reading.order(ground.root, wanted), reading.Whole, tuple[Statement, ...], reading.Overall
    )

    def finished() -> tuple[MigrationDir, Statements, Callable[[], Overall]]:
        (rest, head), statements, overall = asked()
        _see(ground, replace(rest, files=dict(sorted({**rest.files, **head.files}.items()))))
        return head, statements, cache(overall)

    return finished


def _import(dialect: str | None, *, few: bool) -> None:
    """Import what judges while the files are being read, and of a few files what reads their statements."""
    for module in (*_JUDGES, *(_OF_A_FEW if few else ())):
        import_module(f"ci_runner.{module}")
    if dialect:
        from ci_runner import lint

        name = sql.normalize_dialect(dialect)
        lint.catalogue(name)
        if few:
            from ci_runner.sql.reading import heads

            heads(name)


def analyse(changes: ChangeSet) -> Statements:
    """The statements of every changed file that still exists, by file name; those of many are read while they are judged."""
    from ci_runner.model.operations import Statement

    files = {file.name: file.migration for file in changes.files if file.migration is not None}
    return aside.table(partial(sql.statements, name=changes.head.dialect), files, tuple[Statement, ...])


def explained(
    changes: ChangeSet, statements: Mapping[str, tuple[Statement, ...]], before: Catalog, sizes: sizing.Sizes
) -> dict[str, tuple[StatementEffect, ...]]:
    """What each statement of the first files does, by file; more than these no comment shows."""
    from ci_runner.journeys import sizing
    from ci_runner.lint import costs
    from ci_runner.sql import catalog

    found: dict[str, tuple[StatementEffect, ...]] = {}
    for file in changes.files[:EXPLAINED]:
        rows = statements.get(file.name, ())
        effects = sql.effects(rows, changes.head.dialect, before, costs.exact)
        found[file.name] = sizing.told(effects, rows, before, sizes, changes.head.dialect)
        before = catalog.fold(catalog.release(before), rows, changes.head.dialect)
    return found


def left(changes: ChangeSet, statements: Mapping[str, tuple[Statement, ...]], before: Catalog) -> Catalog | None:
    """The schema all files leave. A directory that is all new and long has none before it to compare that with: None."""
    from ci_runner.sql import catalog

    if changes.base.kind == "all" and len(changes.files) > EXPLAINED:
        return None
    for file in changes.files:
        before = catalog.fold(catalog.release(before), statements.get(file.name, ()), changes.head.dialect)
    return before


def told(replayed: Replay, before: Catalog, after: Catalog, dialect: str) -> Replay:
    """What was replayed; of a change that was not, what its text does to the schema."""
    if replayed.status != "skipped" or before is after:
        return replayed
    from ci_runner.model.difference import difference
    from ci_runner.model.drawing import changed
    from ci_runner.sql.inspected import differing

    old, new = differing(before, after, dialect)
    return replace(replayed, changes=difference(old, new), diagram=changed(old, new))


def guessed(wanted: Directory, head: MigrationDir) -> tuple[str, ...]:
    """A remark where the dialect was nobody's word."""
    if wanted.dialect or not head.migrations:
        return ()
    return (f"the dialect was taken to be {head.dialect}: say 'dialect:' in pilotage.yml or --dialect to be sure",)
