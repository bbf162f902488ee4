"""The linter as one directory sets it: severities, ignore comments, what is known already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ci_runner import lint, sources
from ci_runner.config import Directory
from ci_runner.journeys import base
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.oracle import Statements
from ci_runner.lint.sizes import Sizes
from ci_runner.model.directory import OF_ONE_FILE, Migration, Problem
from ci_runner.model.operations import Statement
from ci_runner.model.report import ChangedFile, ChangeSet, Linted, Observation
from ci_runner.model.schema import Catalog

Parse = Callable[[Migration], tuple[Statement, ...]]


class _Changed(Struct, frozen=True):
    """A changed file for the linter, whose statements are looked up when its turn comes: they may still be being read."""

    changed: ChangedFile
    among: Statements

    @property
    def statements(self) -> tuple[Statement, ...]:
        """None where it was removed."""
        return self.among.get(self.changed.name, ())


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


def judge(
    ground: Ground, wanted: Directory, before: Catalog, own: tuple[lint.Rule, ...] = (), sizes: Sizes = lint.NO_SIZES
) -> Judge:
    """The linter of that directory with the team's ``own`` rules, on top of the schema ``before`` of tables of such ``sizes``."""
    active = policy(ground, wanted, own)

    def judged(
        changes: ChangeSet, statements: Statements, observations: Iterable[Observation], *, parse: Parse | None = None
    ) -> Linted:
        return lint.lint(
            [_Changed(file, statements) for file in changes.files],
            before,
            dialect=changes.head.dialect,
            policy=active,
            rules=own,
            format=changes.head.format,
            server_version=wanted.server_version,
            server_edition=wanted.server_edition,
            observations=observations,
            parse=parse,
            directory=changes.head,
            sizes=sizes,
            together=changes.base.kind in ("git", "registry"),
        )

    return judged


def own_rules(ground: Ground, wanted: Directory) -> tuple[tuple[lint.Rule, ...], tuple[str, ...]]:
    """The team's own rules, and remarks on those that were left out."""
    files, remarks = base.own_rules(ground, wanted)
    return (lint.own(files, (rule.slug for rule in lint.catalogue())) if files else ()), remarks


def policy(ground: Ground, wanted: Directory, own: tuple[lint.Rule, ...] = ()) -> lint.Policy:
    """The severities a directory asks for; the catalogue is read only when it asks for any."""
    rules = (*lint.catalogue(), *own) if wanted.rules else ()
    levels = wanted.rules
    if wanted.rules_path and base.proposed(ground):  # it may bring a rule of its own and the severity for it
        known = lint.settable(rules)
        levels = {name: level for name, level in levels.items() if name in known}
    return lint.policy(
        levels,
        rules,
        require_reason=wanted.require_ignore_reason,
        naming=wanted.naming,
        today=ground.now().date().isoformat(),
        source=f"the rules of {wanted.dir}",
    )


def unknown(ground: Ground, wanted: Directory, changes: ChangeSet, linted: Linted) -> tuple[Linted, tuple[str, ...]]:
    """The findings that are not in the directory's baseline, where it has one, and remarks on it."""
    if not wanted.baseline:
        return linted, ()
    text = sources.text(ground.root, wanted.baseline, "the baseline")
    judged = [file.name for file in changes.files if file.migration]
    present = [migration.name for migration in changes.head.migrations]
    level = policy(ground, wanted, own_rules(ground, wanted)[0]).remark(lint.baseline.STALE, "notice")
    return lint.baseline.applied(linted, lint.baseline.read(text, wanted.baseline), wanted.dir, judged, present, level)


def leveled(ground: Ground, wanted: Directory, changes: ChangeSet) -> ChangeSet:
    """The change with the problems of its directory at the severities the directory asks for, as far as it is :func:`heard`."""
    problems = changes.head.problems
    if wanted.rules:
        active = policy(ground, wanted, own_rules(ground, wanted)[0])
        levels = ((problem, active.remark(problem.code, problem.level)) for problem in problems)
        problems = tuple(replace(problem, level=level) for problem, level in levels if level is not None)
    problems = heard(changes, problems)
    if problems == changes.head.problems:
        return changes
    return replace(changes, head=replace(changes.head, problems=problems))


def heard(changes: ChangeSet, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Those a change is to hear of: not remarks on what stands in files it leaves as they are, which nobody who made it can be asked about.

    What keeps the directory from being deployed stays, and so does all of it where every file is judged.
    """
    if not problems or changes.base.kind == "all":
        return problems
    old = {migration.name for migration in changes.head.migrations} - {file.name for file in changes.files}
    return tuple(p for p in problems if p.code not in OF_ONE_FILE or p.level == "error" or p.file not in old)
