"""The rarer clauses of the vendors' grammars, each with its kinds; and what no grammar takes, each with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.sql.reading import kinds, read

GRAMMAR = Path(__file__).parent / "grammar"
TAKEN = [
    (path.stem, statement, expected.split(", "))
    for path in sorted(GRAMMAR.glob("*.yaml"))
    for expected, statements in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    for statement in statements
]
REFUSED = [
    (dialect, statement, reason)
    for dialect, cases in yaml.safe_load((GRAMMAR / "refused.yml").read_text(encoding="utf-8")).items()
    for statement, reason in cases.items()
]


@pytest.mark.parametrize(("dialect", "statement", "expected"), TAKEN)
def test_a_documented_clause_is_read_as_what_it_does(dialect: str, statement: str, expected: list[str]) -> None:
    assert kinds(statement, dialect) == expected


@pytest.mark.parametrize(("dialect", "statement", "reason"), REFUSED)
def test_a_malformed_statement_is_not_analysed_and_says_where(dialect: str, statement: str, reason: str) -> None:
    assert [s.not_analysed for s in read(statement, dialect)] == [reason]
