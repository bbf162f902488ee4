"""A baseline takes out what was there when it was written, wherever that moved, and says what it has too much."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner.errors import ConfigError
from ci_runner.lint import baseline
from ci_runner.model.report import Finding, Linted
from tests.lint.harness import check, slugs

PRE = "CREATE TABLE a (id int, n int, m int);"


def made(linted: Linted, folder: str = "m") -> baseline.Baseline:
    return baseline.read(baseline.written((folder, finding) for finding in linted.findings), "known.json")


def left(linted: Linted, known: baseline.Baseline) -> Linted:
    return baseline.applied(linted, known, "m", ["2.sql"], ["2.sql"])[0]


def test_what_is_known_does_not_count_and_what_is_new_does() -> None:
    known = made(check("DROP TABLE a;", pre=PRE))
    after = left(check("DROP TABLE a;\nALTER TABLE b RENAME TO c;", pre=PRE), known)
    assert slugs(after) == ["rename-table"]
    assert after.suppressed == 1


def test_a_finding_is_known_wherever_its_line_and_its_white_space_move() -> None:
    known = made(check("DROP TABLE a;", pre=PRE))
    moved = left(check("-- moved\n\nSELECT 1;\nDROP\r\n  TABLE a;", pre=PRE), known)
    assert moved.findings == ()


def test_the_same_statement_a_second_time_is_new() -> None:
    sql = "ALTER TABLE a RENAME TO b;\n"
    known = made(check(sql, pre=PRE))
    assert slugs(left(check(sql + sql, pre=PRE), known)) == ["rename-table"]


def test_two_findings_in_one_statement_are_both_known() -> None:
    linted = check("ALTER TABLE a DROP COLUMN n, DROP COLUMN m;", pre=PRE)
    text = baseline.written(("m", finding) for finding in linted.findings)
    assert json.loads(text)["findings"][0]["count"] == 2
    assert left(linted, baseline.read(text, "x")).findings == ()


def test_an_entry_whose_cause_is_gone_is_a_notice_in_that_file() -> None:
    known = made(check("DROP TABLE a;", pre=PRE))
    (stale,) = left(check("SELECT 1;", pre=PRE), known).findings
    assert (stale.rule, stale.severity, stale.file) == ("baseline-stale", "notice", "2.sql")
    assert "drop-table" in stale.message


def test_an_entry_for_a_file_that_was_not_judged_is_left_in_peace() -> None:
    known = made(check("DROP TABLE a;", pre=PRE))
    assert baseline.applied(Linted(), known, "m", [], ["2.sql"]) == (Linted(), ())


def test_files_that_are_gone_are_named_in_a_remark() -> None:
    known = made(check("DROP TABLE a;", pre=PRE))
    linted, notes = baseline.applied(Linted(), known, "m", [], [])
    assert linted.findings == ()
    assert "m/2.sql" in notes[0]


def test_another_directory_s_entries_say_nothing_here() -> None:
    known = made(check("DROP TABLE a;", pre=PRE), folder="other")
    linted, notes = baseline.applied(check("DROP TABLE a;", pre=PRE), known, "m", ["2.sql"], ["2.sql"])
    assert slugs(linted) == ["drop-table"]
    assert notes == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "{", '{"version": 2, "findings": []}', '{"version": 1, "findings": {}}', '{"version": 1, "findings": [1]}',
        '{"version": 1, "findings": [{"file": "a", "rule": "b"}]}', "[" * 100_000,
        '{"version": 1, "findings": [{"file": "a", "rule": "b", "hash": "c", "count": 0}]}',
        '{"version": 1, "findings": [{"file": "a", "rule": "b", "hash": 1}]}',
    ],
)  # fmt: skip
def test_what_is_no_baseline_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"known\.json"):
        baseline.read(text, "known.json")


texts = st.text(max_size=20)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(texts, texts, texts), max_size=8))
def test_whatever_was_written_is_all_known_and_in_one_order(rows: list[tuple[str, str, str]]) -> None:
    findings = tuple(Finding(rule, "error", "", file, 1, 1, 1, 1, statement=sql) for file, rule, sql in rows)
    text = baseline.written(("m", finding) for finding in findings)
    assert text == baseline.written(("m", finding) for finding in reversed(findings))
    known = baseline.read(text, "x")
    names = [file for file, _, _ in rows]
    assert baseline.applied(Linted(findings), known, "m", names, names) == (Linted(suppressed=len(findings)), ())
