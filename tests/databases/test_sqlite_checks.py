"""CHECK constraints are found in the text SQLite keeps of a table, and nowhere else in it."""

from __future__ import annotations

import time

import pytest

from ci_runner import databases
from ci_runner.databases import Sql
from ci_runner.databases.sqlite.checks import checks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CREATE TABLE t (a int CHECK (a > 0), b int, CONSTRAINT n check\n(b  <\n5))", ["a > 0", "b < 5"]),
        (
            "CREATE TABLE t (a text CHECK (a IN ('(', ')') AND length(a) > (1 + 2)))",
            ["a IN ('(', ')') AND length(a) > (1 + 2)"],
        ),
        (
            "CREATE TABLE t (\"check (x)\" int, [check (y)] int, -- CHECK (z)\n c text DEFAULT 'check (w)' /* check (v) */)",
            [],
        ),
        ("CREATE TABLE t (checked int, check_ int, CHECK (checked = (SELECT 1)))", ["checked = (SELECT 1)"]),
        ("CREATE TABLE t (a int CHECK (a", []),
        ("", []),
    ],
)
def test_checks_are_found_by_what_they_hold(text: str, found: list[str]) -> None:
    assert list(checks(text)) == found


def test_a_long_text_takes_its_length() -> None:
    start = time.process_time()
    assert len(list(checks("CHECK (a > '('') " * 20_000 + "/*" * 20_000))) <= 20_000
    assert time.process_time() - start < 5


def test_a_check_that_goes_is_a_difference() -> None:
    database = databases.open_url("sqlite://x?mode=memory")
    database.execute([Sql("CREATE TABLE t (a int CHECK (a > 0))"), Sql("CREATE TABLE u (a int)")], transaction=False)
    found = database.inspect().tables
    database.close()
    assert found["t"].constraints == {"check (a > 0)": ""}
    assert found["u"].constraints == {}
