"""Suggestions: mechanical rewrites that were linted before they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import migrations, sql
from ci_runner.lint import LintFile, combined, lint, placing
from ci_runner.model.directory import Migration, Tree
from ci_runner.model.operations import Statement
from ci_runner.model.report import ChangedFile
from tests.lint.harness import before, check, in_directory, migration, only, worth

FORMATS = [
    "atlas",
    "goose",
    "dbmate",
    "flyway",
    "golang-migrate",
    "prisma",
    "diesel",
    "sqlx",
    "supabase",
    "liquibase",
    "drizzle",
]
DATA = yaml.safe_load((Path(__file__).parent / "suggestions.yaml").read_text(encoding="utf-8"))
WHERE = ("format", "dialect", "tx", "version", "pre")

PRE = "CREATE TABLE a (id int, n int); CREATE TABLE b (id int PRIMARY KEY);"


def suggested(sql: str, slug: str, **more: object) -> str | None:
    """The file with the suggestion for that finding taken, None when there is none."""
    finding = only(check(sql, pre=more.pop("pre", PRE), suggest=True, **more), slug)  # type: ignore[arg-type]
    return combined(sql, [finding])[0] if finding.suggestion else None


@pytest.mark.parametrize(
    ("format_", "head"),
    [("atlas", "-- atlas:txmode none\n\n"), ("goose", "-- +goose NO TRANSACTION\n"), ("sqlx", "-- no-transaction\n")],
)
def test_an_index_is_built_concurrently_outside_a_transaction(format_: str, head: str) -> None:
    assert (
        suggested("CREATE INDEX i ON a (n);\n", "index-not-concurrent", format=format_)
        == f"{head}CREATE INDEX CONCURRENTLY i ON a (n);\n"
    )


def test_dbmate_says_it_on_its_own_line() -> None:
    sql = "-- migrate:up\nCREATE INDEX i ON a (n);\n"
    assert (
        suggested(sql, "index-not-concurrent", format="dbmate")
        == "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON a (n);\n"
    )


def test_a_format_that_cannot_say_it_gets_no_suggestion() -> None:
    assert suggested("CREATE INDEX i ON a (n);\n", "index-not-concurrent", format="supabase") is None


def test_a_file_with_more_in_it_is_not_taken_out_of_its_transaction() -> None:
    assert suggested("CREATE INDEX i ON a (n);\nALTER TABLE a ADD m int;\n", "index-not-concurrent") is None


def test_in_an_unwrapped_file_only_the_word_is_added() -> None:
    sql = "SELECT 1;\ncreate unique index i on a (n);\n"
    assert (
        suggested(sql, "index-not-concurrent", tx="none") == "SELECT 1;\ncreate unique index CONCURRENTLY i on a (n);\n"
    )


def test_a_concurrent_statement_is_given_its_directive() -> None:
    sql = "CREATE INDEX CONCURRENTLY i ON a (n);\n"
    assert suggested(sql, "concurrent-in-tx") == "-- atlas:txmode none\n\nCREATE INDEX CONCURRENTLY i ON a (n);\n"


def test_where_no_other_file_can_be_written_a_key_is_added_not_valid_and_the_rest_is_said() -> None:
    sql = "SELECT 1;\nALTER TABLE a\n  ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES b (id);\n"
    suggestion = only(check(sql, pre=PRE, suggest=True), "constraint-not-valid-missing").suggestion
    assert suggestion is not None
    assert suggestion.text == "  ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES b (id) NOT VALID;"
    assert suggestion.summary.endswith("then, in the next migration: ALTER TABLE a VALIDATE CONSTRAINT f;")
    assert not suggestion.safe


@pytest.mark.parametrize("case", DATA, ids=lambda case: case["id"])
def test_a_suggestion_is_what_its_label_says(case: dict[str, Any]) -> None:
    text, linted = in_directory(case["sql"], **{key: case[key] for key in WHERE if key in case})
    found = [finding for finding in linted.findings if finding.rule == case["rule"]]
    suggestions = [finding for finding in found if finding.suggestion]
    if case.get("none"):
        assert found
        assert not suggestions
        return
    finding = suggestions[0]
    assert finding.suggestion is not None
    assert combined(text, [finding])[0] == case["text"]
    assert {file.name: file.text for file in finding.suggestion.files} == case.get("files", {})
    assert (finding.suggestion.safe, finding.suggestion.alone) == (case["safe"], case["alone"])


def test_no_edition_is_told_to_build_online_that_cannot() -> None:
    for edition, told in (("", True), ("Enterprise Edition", True), ("Standard Edition (64-bit)", False)):
        pre = "CREATE TABLE t (n INT);"
        linted = check("CREATE INDEX i ON t (n);", "sqlserver", pre=pre, suggest=True, server_edition=edition or None)
        assert (only(linted, "mssql-offline-index").suggestion is not None) is told


def test_a_lock_is_given_a_time_out() -> None:
    sql = "ALTER TABLE a ADD m int;\n"
    expected = "SET LOCAL lock_timeout = '2s';\nALTER TABLE a ADD m int;\n"
    assert suggested(sql, "lock-timeout-missing", levels={"lock-timeout-missing": "warning"}) == expected


def test_an_index_is_built_online() -> None:
    pre = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY, n INT);"
    sql = "CREATE INDEX i ON a (n);\n"
    found = suggested(sql, "mssql-offline-index", pre=pre, dialect="sqlserver", tx="none")
    assert found == "CREATE INDEX i ON a (n) WITH (ONLINE = ON);\n"
    sql = "CREATE INDEX i ON a (n) WITH (FILLFACTOR = 90);\n"
    found = suggested(sql, "mssql-offline-index", pre=pre, dialect="sqlserver", tx="none")
    assert found == "CREATE INDEX i ON a (n) WITH (ONLINE = ON, FILLFACTOR = 90);\n"


def test_an_impossible_lock_clause_is_left_out() -> None:
    pre = "CREATE TABLE a (id INT PRIMARY KEY);"
    sql = "ALTER TABLE a ADD COLUMN n INT, ALGORITHM=INSTANT, LOCK=NONE;\n"
    assert (
        suggested(sql, "mysql-invalid-lock-clause", pre=pre, dialect="mysql")
        == "ALTER TABLE a ADD COLUMN n INT, ALGORITHM=INSTANT;\n"
    )


def test_a_detach_is_made_concurrent() -> None:
    pre = "CREATE TABLE p (d date) PARTITION BY RANGE (d); CREATE TABLE c PARTITION OF p DEFAULT;"
    sql = "ALTER TABLE p DETACH PARTITION c;\n"
    assert (
        suggested(sql, "detach-not-concurrent", pre=pre, tx="none")
        == "ALTER TABLE p DETACH PARTITION c CONCURRENTLY;\n"
    )


def test_a_suggestion_taken_leaves_no_hazard_of_its_kind() -> None:
    sql = "CREATE INDEX i ON a (n);\n"
    finding = only(check(sql, pre=PRE, suggest=True, tx="none"), "index-not-concurrent")
    assert worth(check(combined(sql, [finding])[0], pre=PRE, tx="none")) == []


def test_a_rewrite_that_would_bring_another_hazard_is_not_shown() -> None:
    pre = "CREATE TABLE p (id int, d date) PARTITION BY RANGE (d);"
    assert suggested("CREATE INDEX i ON p (d);\n", "index-not-concurrent", pre=pre, tx="none") is None


def test_suggestions_need_a_parser() -> None:
    assert only(check("CREATE INDEX i ON a (n);", pre=PRE), "index-not-concurrent").suggestion is None


def test_windows_line_ends_are_kept() -> None:
    sql = "SELECT 1;\r\nCREATE INDEX i\r\nON a (n);\r\n"
    finding = only(check(sql, pre=PRE, suggest=True, tx="none"), "index-not-concurrent")
    assert combined(sql, [finding])[0] == "SELECT 1;\r\nCREATE INDEX CONCURRENTLY i\r\nON a (n);\r\n"


def test_a_last_line_without_an_end_gets_none() -> None:
    sql = "SELECT 1;\r\nCREATE INDEX i ON a (n);"
    finding = only(check(sql, pre=PRE, suggest=True, tx="none"), "index-not-concurrent")
    assert combined(sql, [finding])[0] == "SELECT 1;\r\nCREATE INDEX CONCURRENTLY i ON a (n);"


def test_a_directive_atlas_would_not_see_behind_windows_line_ends_is_not_proposed() -> None:
    assert suggested("CREATE INDEX i ON a (n);\r\n", "index-not-concurrent") is None
    assert suggested("CREATE INDEX i ON a (n);\r\n", "index-not-concurrent", format="goose") is not None


def test_suggestions_for_lines_apart_are_taken_together_and_of_two_for_one_line_the_first() -> None:
    sql = "CREATE INDEX i ON a (n);\nCREATE INDEX j ON a (id);\n"
    found = check(sql, pre=PRE, suggest=True, tx="none").findings
    assert len(found) == 2
    text, taken = combined(sql, [*found, found[0]])
    assert text == "CREATE INDEX CONCURRENTLY i ON a (n);\nCREATE INDEX CONCURRENTLY j ON a (id);\n"
    assert taken == found


@pytest.mark.parametrize(
    ("sql", "slug", "safe"),
    [
        ("CREATE INDEX i ON a (n);", "index-not-concurrent", True),
        ("CREATE INDEX CONCURRENTLY i ON a (n);", "concurrent-in-tx", True),
        ("ALTER TABLE a ADD FOREIGN KEY (n) REFERENCES b (id);", "constraint-not-valid-missing", False),
        ("ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES b (id);", "constraint-not-valid-missing", True),
    ],
)
def test_a_suggestion_says_whether_it_changes_what_the_file_leads_to(sql: str, slug: str, safe: bool) -> None:
    suggestion = only(check(sql, pre=PRE, suggest=True), slug).suggestion
    assert suggestion is not None
    assert suggestion.safe is safe


def test_suggestions_are_made_for_the_newest_files_of_a_run() -> None:
    files = [migration(f"CREATE INDEX i{number} ON a (n);\n", tx="none", name=f"{number}.sql") for number in range(30)]
    linted = lint(
        [LintFile(ChangedFile(each.name, "added", each), sql.statements(each, "postgres")) for each in files],
        before([PRE], "postgres"), dialect="postgres", parse=lambda m: sql.statements(m, "postgres"),
    )  # fmt: skip
    assert [finding.suggestion is not None for finding in linted.findings] == [False] * 5 + [True] * 25


def test_a_rewrite_that_does_not_hold_takes_no_other_with_it() -> None:
    text = "CREATE INDEX i ON a (n);\nALTER TABLE q ADD PRIMARY KEY (n);\nALTER TABLE a ADD CONSTRAINT k UNIQUE (n);\n"
    found = check(text, pre=f"{PRE} CREATE TABLE q (n int);", suggest=True, tx="none").findings
    assert [(f.line, f.suggestion is not None) for f in found if f.severity == "warning"] == [
        (1, True),
        (2, False),
        (3, True),
    ]


@settings(deadline=None, max_examples=120)
@given(st.sampled_from(DATA), st.sampled_from(FORMATS), st.integers(0, 200), st.integers(1, 200))
def test_no_text_makes_a_rewrite_fall_over(case: dict[str, Any], format_: str, start: int, length: int) -> None:
    where = {key: case[key] for key in ("dialect", "tx", "pre") if key in case}
    text, linted = in_directory(case["sql"][start % len(case["sql"]) :][:length], format=format_, **where)
    for finding in linted.findings:
        if finding.suggestion:
            assert combined(text, [finding])[0] != text or finding.suggestion.files


def test_a_large_file_is_not_read_again_for_each_of_its_suggestions() -> None:
    pre = f"CREATE TABLE w ({', '.join(f'c{number} int' for number in range(1000))});"
    text = "".join(f"ALTER TABLE w ADD CONSTRAINT k{n} CHECK (c{n} > 0);\n" for n in range(1000))
    read = []
    file = migration(text, tx="none")

    def parse(again: Migration) -> tuple[Statement, ...]:
        read.append(again)
        return sql.statements(again, "postgres")

    lint(
        [LintFile(ChangedFile(file.name, "added", file), sql.statements(file, "postgres"))], before([pre], "postgres"),
        dialect="postgres", parse=parse,
    )  # fmt: skip
    assert 1 <= len(read) <= 6


@pytest.mark.parametrize(
    ("format_", "name", "following"),
    [
        ("atlas", "20240131235959_x.sql", "20240201000000_validate_f.sql"),
        ("atlas", "0009_x.sql", "0010_validate_f.sql"),
        ("atlas", "9_x.sql", None),
        ("atlas", "20249999999999_x.sql", "20250000000000_validate_f.sql"),
        ("atlas", "latest.sql", None),
        ("goose", "9_x.sql", "10_validate_f.sql"),
        ("flyway", "V1.9__x.sql", "V1.10__validate_f.sql"),
        ("flyway", "V2024_01_09__x.sql", "V2024_01_10__validate_f.sql"),
        ("diesel", "2024-02-28-235959_x/up.sql", "2024-02-29-000000_validate_f/up.sql"),
        ("sqlx", "20240101000000_x.up.sql", "20240101000001_validate_f.up.sql"),
    ],
)
def test_the_next_migration_is_named_as_the_directory_names_its_files(
    format_: str, name: str, following: str | None
) -> None:
    head = "-- +goose Up\n" if format_ == "goose" else ""
    files = {name: (head + "SELECT 1;").encode()}
    directory = migrations.read(Tree("m", files), format=format_, dialect="postgres", sum_mode="off")
    made = placing.following(directory, [], "Validate F", "SELECT 2;", alone=False)
    assert (made.files[0].name if made else None) == following
