"""Findings say how much production holds, where somebody told."""

from __future__ import annotations

import pytest

from ci_runner import sql
from ci_runner.lint import LintFile, lint
from ci_runner.model.operations import Name
from ci_runner.model.report import ChangedFile, Finding
from ci_runner.model.stats import Size
from tests.lint.harness import before, migration

HUGE = Size(84_000_000, 12_000_000_000)


def found(pre: str, text: str, dialect: str, sizes: dict[Name, Size]) -> dict[str, Finding]:
    file = migration(text)
    changed = LintFile(ChangedFile(file.name, "added", file), sql.statements(file, dialect))
    linted = lint([changed], before([pre], dialect), dialect=dialect, sizes=sizes)
    return {finding.rule: finding for finding in linted.findings}


@pytest.mark.parametrize(
    ("dialect", "key", "pre", "text", "rule", "said"),
    [
        (
            "postgres", Name("public", "event"), "CREATE TABLE event (id int, code int);", "ALTER TABLE event ALTER COLUMN code TYPE bigint;",
            "type-change-rewrite", 'rewrites ~84 M rows (12 GB) of "event" while nobody can use it',
        ),
        (
            "postgres", Name("public", "event"), "CREATE TABLE event (id int, code int);", "ALTER TABLE event ALTER COLUMN code SET NOT NULL;",
            "set-not-null-scan", 'reads ~84 M rows (12 GB) of "event" while nobody can use it',
        ),
        (
            "postgres", Name("audit", "event"), "CREATE TABLE audit.event (id int);", "ALTER TABLE audit.event ADD CHECK (id > 0);",
            "constraint-not-valid-missing", 'is checked against ~84 M rows (12 GB) of "audit.event" while nobody can use the table',
        ),
        (
            "postgres", Name("public", "event"), "CREATE TABLE event (id int);", "CREATE INDEX i ON event (id);",
            "index-not-concurrent", 'blocks writes to "event" (~84 M rows, 12 GB) until',
        ),
        (
            "postgres", Name("public", "event"), "CREATE TABLE event (id int);", "DROP TABLE event;", "drop-table", '"event" (~84 M rows, 12 GB)',
        ),
        (
            "mysql", Name("", "event"), "CREATE TABLE Event (id int);", "ALTER TABLE EVENT MODIFY id bigint;",
            "mysql-copy-alter", 'copies ~84 M rows (12 GB) of "EVENT" while writes wait',
        ),
    ],
)  # fmt: skip
def test_the_amount_stands_where_the_work_is_told(
    dialect: str, key: Name, pre: str, text: str, rule: str, said: str
) -> None:
    finding = found(pre, text, dialect, {key: HUGE})[rule]
    assert said in finding.message
    assert finding.size == HUGE
    assert finding.table.lower() in {"event", "audit.event"}
    plain = found(pre, text, dialect, {})[rule]
    assert "84" not in plain.message
    assert (plain.size, plain.table) == (None, "")


def test_a_table_that_the_file_makes_is_not_productions() -> None:
    sizes = {Name("public", "event"): HUGE}
    text = "DROP TABLE event;\nCREATE TABLE event (id int);\nCREATE TABLE other (id int);\nDROP TABLE other;\n"
    findings = found("CREATE TABLE event (id int);", text, "postgres", sizes | {Name("public", "other"): HUGE})
    assert '"other"' not in "".join(each.message for each in findings.values())
    assert findings["drop-table"].size == HUGE


def test_what_is_known_in_part_is_said_in_part() -> None:
    sizes = {Name("public", "event"): Size(None, 12_000_000)}
    finding = found("CREATE TABLE event (id int);", "CREATE INDEX i ON event (id);", "postgres", sizes)[
        "index-not-concurrent"
    ]
    assert '"event" (12 MB)' in finding.message
