"""Ignore comments: three spellings, their scopes, and what is said of those that do nothing."""

from __future__ import annotations

from time import perf_counter

import pytest

from ci_runner.model.report import Linted
from tests.lint.harness import check, only, slugs, worth

PRE = "CREATE TABLE a (id int, n int); CREATE TABLE b (id int, n int);"


def notices(linted: Linted) -> set[str]:
    return {f.rule for f in linted.findings if f.rule.startswith("ignore-")}


@pytest.mark.parametrize(
    "comment",
    [
        "-- pilotage:ignore drop-table",
        "-- pilotage:ignore drop-table: nobody reads it",
        "--pilotage:ignore drop-table",
        "-- pilotage:ignore",
        "-- pilotage:ignore rename-table, drop-table",
        "-- pilotage:ignore DS102",
        "-- pilotage:ignore ban-drop-table",
        "-- atlas:nolint DS102",
        "-- atlas:nolint destructive",
        "-- atlas:nolint",
        "-- squawk-ignore ban-drop-table",
        "-- squawk-ignore prefer-text-field, ban-drop-table",
        "/* pilotage:ignore drop-table */",
    ],
)
def test_each_spelling_silences_the_statement_below(comment: str) -> None:
    linted = check(f"SELECT 1;\n{comment}\nDROP TABLE a;\n", pre=PRE)
    assert slugs(linted) == []
    assert linted.suppressed == 1
    assert notices(linted) == set()


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("-- pilotage:ignore drop-table\nDROP TABLE a;\nDROP TABLE b;", [("drop-table", 3)]),
        ("DROP TABLE a; -- pilotage:ignore drop-table\nDROP TABLE b;", [("drop-table", 2)]),
        ("-- pilotage:ignore drop-table\n\nDROP TABLE a;\nDROP TABLE b;", []),
        ("-- about this file\n-- pilotage:ignore drop-table\n\nDROP TABLE a;\nDROP TABLE b;", []),
        ("SELECT 1;\n-- pilotage:ignore drop-table\n\nDROP TABLE a;", [("drop-table", 4)]),
        ("-- pilotage:ignore drop-table\n-- the team agreed\nDROP TABLE a;", []),
        ("-- squawk-ignore-file\nDROP TABLE a;\nDROP TABLE b;", []),
        ("DROP TABLE a;\nDROP TABLE b;\n-- squawk-ignore-file ban-drop-table\n", []),
        ("DROP TABLE\n  a -- pilotage:ignore drop-table\n;", []),
        ("SELECT '-- pilotage:ignore drop-table';\nDROP TABLE a;", [("drop-table", 2)]),
        ("SELECT $$\n-- pilotage:ignore drop-table\n$$;\nDROP TABLE a;", [("drop-table", 4)]),
        ("COPY a (id) FROM stdin;\n-- pilotage:ignore drop-table\n\\.\nDROP TABLE a;", [("drop-table", 4)]),
        ("SELECT '-- pilotage:ignore';\n-- pilotage:ignore drop-table\nDROP TABLE a;", []),
        ("\\echo pilotage:ignore drop-table\nDROP TABLE a;", [("drop-table", 2)]),
        ("\\echo pilotage:ignore\n-- pilotage:ignore drop-table\nDROP TABLE a;", []),
        ("/* why\npilotage:ignore drop-table\n*/\nDROP TABLE a;", []),
        ("/* pilotage:ignore drop-table */ DROP TABLE a;\nDROP TABLE b;", [("drop-table", 2)]),
        ("SELECT 1;\n/* pilotage:ignore drop-table */ DROP TABLE a;\nDROP TABLE b;", [("drop-table", 3)]),
        ("-- pilotage:ignore rename-table\nDROP TABLE a;", [("drop-table", 2)]),
    ],
)
def test_a_comment_covers_what_it_stands_at(sql: str, left: list[tuple[str, int]]) -> None:
    assert worth(check(sql, pre=PRE)) == left


def test_a_trailing_comment_covers_only_the_action_on_its_line() -> None:
    sql = "ALTER TABLE a\n  DROP COLUMN n, -- pilotage:ignore drop-column\n  DROP COLUMN id;"
    assert worth(check(sql, pre=PRE)) == [("drop-column", 3)]


def test_a_trailing_comment_behind_the_last_action_covers_only_that() -> None:
    sql = "ALTER TABLE a\n  DROP COLUMN n,\n  DROP COLUMN id; -- pilotage:ignore drop-column"
    assert worth(check(sql, pre=PRE)) == [("drop-column", 2)]


def test_a_comment_above_covers_every_action() -> None:
    sql = "-- pilotage:ignore drop-column\nALTER TABLE a\n  DROP COLUMN n,\n  DROP COLUMN id;"
    linted = check(sql, pre=PRE)
    assert worth(linted) == []
    assert linted.suppressed == 2


def test_inside_a_do_block_a_comment_covers_the_statement_below_it() -> None:
    sql = "DO $$\nBEGIN\n  -- pilotage:ignore drop-table\n  DROP TABLE a;\n  DROP TABLE b;\nEND $$;"
    assert worth(check(sql, pre=PRE)) == [("drop-table", 5)]


BLOCKS = [  # what a comment inside a block leaves
    (
        "-- pilotage:ignore drop-column\n  ALTER TABLE a DROP COLUMN n;\n  ALTER TABLE b DROP COLUMN n;",
        [("drop-column", 5)],
    ),
    ("-- atlas:nolint DS103\n  ALTER TABLE a DROP COLUMN n,\n    id;\n  TRUNCATE TABLE b;", [("truncate", 6)]),
    (
        "ALTER TABLE a DROP COLUMN n; -- pilotage:ignore drop-column\n  ALTER TABLE b DROP COLUMN n;",
        [("drop-column", 4)],
    ),
    (
        "-- pilotage:ignore truncate\n  IF 2 = 2\n  BEGIN\n    TRUNCATE TABLE a;\n  END\n  TRUNCATE TABLE b;",
        [("truncate", 8)],
    ),
    (
        "-- pilotage:ignore drop-column\n  EXEC('ALTER TABLE a DROP COLUMN n');\n  EXEC('DROP TABLE b');",
        [("drop-table", 5)],
    ),
]


@pytest.mark.parametrize(("inside", "left"), BLOCKS)
@pytest.mark.parametrize("head", ["IF 1 = 1\nBEGIN\n  {}\nEND\n", "WHILE 1 = 1\nBEGIN\n  {}\nEND\n"])
def test_inside_a_block_of_sql_server_a_comment_covers_the_statement_below_it(
    head: str, inside: str, left: list[tuple[str, int]]
) -> None:
    assert worth(check(head.format(inside), "sqlserver", pre=PRE, tx="none")) == left


@pytest.mark.parametrize(
    ("first", "left"),
    [("\n  -- pilotage:ignore drop-column\n  {}", []), ("\n  {}-- pilotage:ignore drop-column", [("drop-column", 3)])],
)
def test_a_comment_at_several_actions_inside_a_do_block(first: str, left: list[tuple[str, int]]) -> None:
    actions = first.format("ALTER TABLE a DROP COLUMN id, ") + "\n    DROP COLUMN n;"
    assert worth(check(f"DO $$ BEGIN{actions}\nEND $$;", pre=PRE)) == left


def test_one_foreign_name_covers_every_rule_it_stands_for() -> None:
    assert worth(check("-- atlas:nolint DS103\nALTER TABLE a RENAME COLUMN n TO m;", pre=PRE)) == []


def test_an_unknown_name_is_a_notice() -> None:
    linted = check("-- pilotage:ignore drop-tabel\nDROP TABLE a;", pre=PRE)
    assert worth(linted) == [("drop-table", 2)]
    assert "ignore-unknown" in notices(linted)


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("SELECT 1;\n  -- pilotage:ignore drop-tabel \nDROP TABLE a;", (2, 6, 2, 32)),
        ("/* pilotage:ignore drop-tabel */ DROP TABLE a;", (1, 4, 1, 30)),
        ("DROP TABLE a /* squawk-ignore tabel: by\nspring */;", (1, 17, 1, 40)),
    ],
)
def test_what_is_said_of_a_comment_stands_at_its_words(sql: str, place: tuple[int, int, int, int]) -> None:
    finding = only(check(sql, pre=PRE), "ignore-unknown")
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == place


def test_a_comment_that_ignored_nothing_is_a_notice() -> None:
    assert notices(check("-- pilotage:ignore drop-table\nSELECT 1;", pre=PRE)) == {"ignore-unused"}


def test_a_comment_for_a_rule_that_is_off_is_left_in_peace() -> None:
    assert notices(check("-- squawk-ignore prefer-text-field\nSELECT 1;", pre=PRE)) == set()


def test_a_reason_can_be_demanded() -> None:
    without = check("-- pilotage:ignore drop-table\nDROP TABLE a;", pre=PRE, require_reason=True)
    assert slugs(without) == ["ignore-without-reason"]
    given = check("-- pilotage:ignore drop-table: empty since March\nDROP TABLE a;", pre=PRE, require_reason=True)
    assert slugs(given) == []


@pytest.mark.parametrize(
    ("until", "today", "left"),
    [
        ("until=2026-03-31", "2026-03-31", []),
        ("until=2026-03-31", "2026-04-01", ["drop-table", "ignore-expired"]),
        ("until=2026-03-31", "", []),
        ("until=2026-02-30", "2026-01-01", ["drop-table", "ignore-expired"]),
        ("until=20260331", "2026-01-01", ["drop-table", "ignore-expired"]),
        ("until=", "", ["drop-table", "ignore-expired"]),
    ],
)
@pytest.mark.parametrize("form", ["drop-table {}", "drop-table, {}", "{} drop-table", "drop-table {}: by spring", "{}"])
def test_a_comment_can_hold_until_a_day_and_not_longer(until: str, today: str, left: list[str], form: str) -> None:
    linted = check(f"-- pilotage:ignore {form.format(until)}\nDROP TABLE a;", pre=PRE, today=today)
    assert slugs(linted) == left
    assert notices(linted) <= {"ignore-expired"}


def test_a_day_in_the_reason_is_only_words() -> None:
    assert (
        slugs(check("-- pilotage:ignore drop-table: until=2020-01-01\nDROP TABLE a;", pre=PRE, today="2026-01-01"))
        == []
    )


def test_an_expired_comment_says_when_it_ended_and_where_it_stands() -> None:
    sql = "SELECT 1;\n-- pilotage:ignore drop-table until=2025-12-31: old\nDROP TABLE a;"
    finding = only(check(sql, pre=PRE, today="2026-01-01"), "ignore-expired")
    assert (finding.line, finding.severity) == (2, "warning")
    assert "2025-12-31" in finding.message


def test_what_was_not_understood_can_be_ignored_and_counts() -> None:
    assert len(check("FROBNICATE a;").not_analysed) == 1
    linted = check("-- pilotage:ignore not-analysed\nFROBNICATE a;")
    assert linted.not_analysed == ()
    assert linted.suppressed == 1


@pytest.mark.parametrize(
    "comment", ["# pilotage:ignore drop-table", "-- pilotage:ignore drop-table", "/* atlas:nolint DS102 */"]
)
def test_mysql_comments_count_as_mysql_knows_them(comment: str) -> None:
    assert worth(check(f"SELECT 1;\n{comment}\nDROP TABLE a;", "mysql", pre=PRE)) == []


def test_windows_line_ends_change_no_scope() -> None:
    sql = "-- pilotage:ignore drop-table\r\n\r\nDROP TABLE a;\r\nDROP TABLE b;\r\n"
    assert worth(check(sql, pre=PRE)) == []


def test_thousands_of_comments_cost_no_quadratic_time() -> None:
    sql = "".join(f"-- pilotage:ignore drop-table\nDROP TABLE a{i};\n" for i in range(3000))
    assert check(sql).suppressed == 3000


def test_thousands_of_comments_in_one_block_cost_no_quadratic_time() -> None:
    inside = "".join(f"-- pilotage:ignore drop-column\nALTER TABLE t{i} DROP COLUMN n;\n" for i in range(3000))
    begun = perf_counter()
    assert check(f"IF 1 = 1\nBEGIN\n{inside}END", "sqlserver", tx="none").suppressed == 3000
    assert perf_counter() - begun < 10  # it takes a fifth of a second
