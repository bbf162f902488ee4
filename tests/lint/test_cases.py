"""Labelled files: exactly what must be reported, at its line, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ci_runner import sql
from ci_runner.sql import catalog
from tests.lint.harness import before, check, slugs, worth

OWN = [
    case
    for name in (
        "cases.yaml",
        "hazards.yaml",
        "traps.yaml",
        "servers.yaml",
        "dependents.yaml",
        "interplay.yaml",
        "production.yaml",
        "vendors.yaml",
        "idioms.yaml",
        "uses.yaml",
        "postgres.yaml",
    )
    for case in yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", OWN, ids=lambda case: case["id"])
def test_a_file_yields_what_its_label_says(case: dict[str, Any]) -> None:
    linted = check(
        case["sql"], case["dialect"], pre=case.get("pre", ""), tx=case.get("tx", "file"), **case.get("with", {})
    )
    expected = [label.partition("@") for label in case["expect"]]
    shown = [(f.rule, f.line, f.message) for f in linted.findings]
    assert slugs(linted) == sorted({slug for slug, _, _ in expected}), shown
    for slug, _, line in expected:
        assert not line or (slug, int(line)) in worth(linted), shown
    for slug in case.get("notices", []):
        assert slug in {f.rule for f in linted.findings if f.severity == "notice"}, shown


def test_the_shared_cases_yield_exactly_their_labels(shared: Path) -> None:
    cases = yaml.safe_load((shared / "cases" / "lint-cases.yaml").read_text(encoding="utf-8"))
    wrong = {}
    for case in cases:
        linted = check(case["sql"], case["dialect"], pre=case["pre_sql"] or "", tx=case["tx"])
        if slugs(linted) != sorted(case["expect"]):
            wrong[case["id"]] = (case["expect"], [(f.rule, f.line, f.message) for f in linted.findings])
    assert wrong == {}


def test_case_names_are_unique() -> None:
    names = [case["id"] for case in OWN]
    assert len(names) == len(set(names))


def test_nothing_a_file_makes_is_new_once_it_is_released() -> None:
    still = {}
    for case in OWN:
        dialect = sql.normalize_dialect(case["dialect"])
        pre = case.get("pre", "")
        state = before([*([pre] if isinstance(pre, str) else pre), case["sql"]], dialect)
        new = [key for key, table in catalog.release(state).tables.items() if table.born or table.temporary]
        if new:
            still[case["id"]] = new
    assert still == {}
