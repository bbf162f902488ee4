"""What the text says a change does against what the database was seen to do, case by case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import yaml

from ci_runner import sql
from ci_runner.devdb import DevDatabase
from ci_runner.lint import catalogue
from ci_runner.lint.document import document
from ci_runner.model.report import Observation, Replay
from ci_runner.replay import ReplayFile, replay
from tests.conftest import ROOT, SHARED
from tests.lint.harness import check, migration


class Case(NamedTuple):
    """A change on top of released files; ``file`` or ``none`` is who opens the transaction."""

    name: str
    dialect: str
    before: tuple[str, ...]
    sql: str
    tx: str = "file"


class Compared(NamedTuple):
    """(rule, line) of findings that only the text gives, and of those that only the observations give; ``unrun``: why nothing was seen."""

    refuted: tuple[tuple[str, int], ...] = ()
    only_seen: tuple[tuple[str, int], ...] = ()
    unrun: str = ""


def cases() -> Iterator[Case]:
    """Rules' own examples, the cases of the linter's tests, and the shared ones where they lie beside the checkout."""
    for rule in catalogue():
        for number, example in enumerate(document(rule.docstring).examples):
            if set(example.traits) <= {"tx"} and example.sql:
                name = f"rule {rule.slug} {number}"
                yield Case(name, example.dialect, (example.before,), example.sql, example.traits.get("tx", "file"))
    for path in (ROOT / "tests/lint/cases.yaml", ROOT / "tests/lint/hazards.yaml", SHARED / "cases/lint-cases.yaml"):
        for case in yaml.safe_load(path.read_text()) if path.is_file() else ():
            before = case.get("pre", case.get("pre_sql")) or ()
            released = (before,) if isinstance(before, str) else tuple(before)
            dialect = sql.normalize_dialect(case["dialect"])
            yield Case(case["id"], dialect, released, case["sql"], case.get("tx", "file"))


def compared(case: Case, dev: DevDatabase) -> Compared:
    """The linter without and with what ``dev`` was seen to do."""
    seen = _replayed(case, dev)
    if seen.status != "ok":
        return Compared(unrun=seen.error.message if seen.error else "")
    bare, observed = _found(case, ()), _found(case, seen.observations)
    return Compared(tuple(sorted(bare - observed)), tuple(sorted(observed - bare)))


def _found(case: Case, observations: tuple[Observation, ...]) -> set[tuple[str, int]]:
    linted = check(case.sql, case.dialect, pre=case.before, tx=case.tx, observations=observations)
    return {(finding.rule, finding.line) for finding in linted.findings}


def _replayed(case: Case, dev: DevDatabase) -> Replay:
    base = [_file(f"1_{number}.sql", text, case) for number, text in enumerate(case.before) if text.strip()]
    return replay(base, [_file("2.sql", case.sql, case)], dev, time_limit=20)


def _file(name: str, text: str, case: Case) -> ReplayFile:
    statements = sql.statements(migration(text, name=name), case.dialect)
    return ReplayFile(name, text, statements, "none" if case.tx == "none" else "file")
