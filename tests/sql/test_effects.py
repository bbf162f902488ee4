"""Every form of the vendors' references: what it does, to what, with which lock and at what cost."""

from __future__ import annotations

from pathlib import Path

import pglast
import pytest
import yaml

from ci_runner import sql
from tests.sql.reading import migration

EFFECTS = Path(__file__).parent / "grammar" / "effects"
FORMS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(EFFECTS.glob("*.yaml"))}


def shown(text: str, dialect: str) -> str:
    """``kind(object), conditional:kind @ LOCK effect`` of a text that is one statement; its reason where it has one."""
    statements = sql.statements(migration(text), dialect)
    rows = sql.effects(statements, dialect)
    if len(rows) != 1 or rows[0].not_analysed:
        return f"{len(rows)} statements, not analysed: {[row.not_analysed for row in rows]}"
    row = rows[0]
    done = [
        ("conditional:" if conditional else "") + kind + (f"({subject})" if subject else "")
        for kind, subject, conditional in row.operations
    ]
    assert (row.line, row.end_line) == (1, 1 + text.count("\n"))
    return f"{', '.join(done)} @ {row.lock or '-'} {row.effect}"


@pytest.mark.parametrize("dialect", FORMS)
def test_each_form_does_what_its_reference_says(dialect: str) -> None:
    wrong = {
        statement: found
        for expected, statements in FORMS[dialect].items()
        for statement in statements
        if (found := shown(statement, dialect)) != expected
    }
    assert wrong == {}


@pytest.mark.parametrize("dialect", FORMS)
def test_a_form_reads_the_same_in_lower_case_and_on_many_lines(dialect: str) -> None:
    """Keywords alone: what stands in quotes keeps its case."""
    wrong = {
        statement
        for expected, statements in FORMS[dialect].items()
        for statement in statements
        if not any(quote in statement for quote in "'\"`$") and "\n" not in statement
        and shown(statement + "\n;", dialect).lower() != expected.lower()
    }  # fmt: skip
    assert wrong == set()


def test_postgresqls_own_parser_takes_every_form_of_postgresql() -> None:
    refused = []
    for statement in (statement for statements in FORMS["postgres"].values() for statement in statements):
        try:
            pglast.parse_sql(statement)
        except pglast.parser.ParseError as error:
            refused.append((statement, str(error)))
    assert refused == []
