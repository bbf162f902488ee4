"""A team's policy, and what becomes of files that are not simply new."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from ci_runner import sql
from ci_runner.errors import ConfigError
from ci_runner.lint import LintFile, Policy, catalogue, lint, policy
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.directory import CODES
from ci_runner.model.operations import CreateTable
from ci_runner.model.report import ChangedFile, Linted
from ci_runner.model.schema import Catalog
from tests.conftest import ROOT
from tests.lint.harness import before, check, migration, only, slugs

PRE = "CREATE TABLE a (id int, n int);"


def test_a_severity_can_be_changed_and_a_rule_turned_off() -> None:
    assert only(check("DROP TABLE a;", pre=PRE, levels={"drop-table": "notice"}), "drop-table").severity == "notice"
    assert check("DROP TABLE a;", pre=PRE, levels={"drop-table": "off"}).findings == ()


def test_a_rule_that_is_off_can_be_asked_for() -> None:
    assert slugs(check("CREATE TABLE b (c char(2));", levels={"style-char-type": "warning"})) == ["style-char-type"]


def test_a_policy_knows_slugs_and_the_names_of_other_tools() -> None:
    made = policy({"ban-drop-table": "off", "DS103": "notice", "rename-column": "error"}, catalogue())
    assert made.levels == {"drop-table": "off", "drop-column": "notice", "rename-column": "error"}


def test_one_word_asks_for_every_rule_of_style() -> None:
    levels = policy({"style": "warning"}, catalogue()).levels
    assert set(levels) == {r.slug for r in catalogue() if r.slug.startswith("style-")}


def test_an_unknown_rule_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'drop-table'"):
        policy({"drop-tabel": "off"}, catalogue(), source="pilotage.yml:3")


def test_an_unknown_level_is_an_error() -> None:
    with pytest.raises(ConfigError, match="error, warning, notice or off"):
        policy({"drop-table": "fatal"}, catalogue())


def changed(change: str, old: str, new: str | None) -> Linted:
    file = None if new is None else migration(new)
    entry = ChangedFile("2.sql", change, file, migration(old))  # type: ignore[arg-type]
    statements = sql.statements(file, "postgres") if file else ()
    return lint([LintFile(entry, statements)], before([PRE], "postgres"), dialect="postgres")


def test_an_edited_file_is_judged_by_what_was_added_to_it() -> None:
    linted = changed("edited", "DROP TABLE a;", "DROP TABLE a;\nALTER TABLE a DROP COLUMN n;")
    assert slugs(linted) == ["drop-column", "file-edited"]


def test_a_renamed_file_is_gone_under_its_old_name_and_not_judged_again() -> None:
    assert slugs(changed("renamed", "DROP TABLE a;", "DROP TABLE a;")) == ["file-removed"]


def entry(change: str, kind: str, *, version: str = "2", old: str = "1") -> Linted:
    file = replace(migration("SELECT 2;", name="R__b.sql"), kind=kind, version=version)
    before_ = replace(migration("SELECT 1;", name="R__a.sql"), kind=kind, version=old)
    changed_file = ChangedFile(file.name, change, file, before_)  # type: ignore[arg-type]
    return lint([LintFile(changed_file, sql.statements(file, "postgres"))], Catalog(), dialect="postgres")


@pytest.mark.parametrize("change", ["edited", "renamed"])
def test_a_repeatable_file_is_made_to_be_changed(change: str) -> None:
    assert slugs(entry(change, "repeatable")) == []
    assert slugs(entry(change, "versioned")) != []


def test_a_renamed_file_is_an_error_also_when_its_version_stays_and_says_so() -> None:
    other, same = entry("renamed", "versioned"), entry("renamed", "versioned", version="1")
    assert "would run it again" in only(other, "file-removed").message
    assert "its version is the same" in only(same, "file-removed").message


def test_a_removed_file_is_an_error_at_its_first_line() -> None:
    finding = only(changed("removed", "DROP TABLE a;", None), "file-removed")
    assert (finding.line, finding.column, finding.severity) == (1, 1, "error")


def test_files_are_judged_on_top_of_one_another() -> None:
    files = []
    for number, text in enumerate(["CREATE TABLE b (id int);", "CREATE INDEX i ON b (id);"]):
        file = migration(text, name=f"{number}.sql")
        files.append(LintFile(ChangedFile(file.name, "added", file), sql.statements(file, "postgres")))
    linted = lint(files, Catalog(), dialect="postgres")
    assert [(f.file, f.rule) for f in linted.findings if f.severity != "notice"] == [("1.sql", "index-not-concurrent")]


def test_positions_count_characters_from_one_and_lines_as_they_are() -> None:
    finding = only(check("-- ä\r\nALTER TABLE a\r\n  DROP COLUMN n;\r\n", pre=PRE), "drop-column")
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (3, 3, 3, 16)
    assert finding.statement == "ALTER TABLE a\r\n  DROP COLUMN n;"


def test_a_team_can_bring_rules_of_its_own() -> None:
    @rule("error", on=(CreateTable,))
    def check_owner(context):  # type: ignore[no-untyped-def]
        """Every table must be ours."""
        yield Hit(f"who owns {context.step.operation.table}?")

    file = migration("CREATE TABLE b (id int);")
    changed_file = LintFile(ChangedFile(file.name, "added", file), sql.statements(file, "postgres"))
    linted = lint([changed_file], Catalog(), dialect="postgres", policy=Policy(), rules=[check_owner])
    assert [f.message for f in linted.findings] == ["who owns b?"]


def test_a_hundred_thousand_statements_cost_no_quadratic_time() -> None:
    text = "".join(f"ALTER TABLE a ADD COLUMN c{i} int;\nALTER TABLE a DROP COLUMN c{i};\n" for i in range(4000))
    assert slugs(check(text, pre=PRE)) == []


def test_names_are_shown_as_written_where_case_does_not_matter() -> None:
    linted = check(
        "ALTER TABLE dbo.a DROP COLUMN [UserId];",
        "sqlserver",
        pre="CREATE TABLE dbo.a (Id INT, UserId INT);",
        tx="none",
    )
    assert '"UserId"' in only(linted, "drop-column").message


@pytest.mark.parametrize(
    ("level", "shown"), [("off", []), ("error", ["error"]), ("warning", ["warning"]), ("notice", ["notice"])]
)
@pytest.mark.parametrize(
    ("slug", "comment"),
    [
        ("ignore-unused", "-- pilotage:ignore truncate\n"),
        ("ignore-unknown", "-- pilotage:ignore no-such-rule\n"),
        ("ignore-expired", "-- pilotage:ignore drop-table until=2020-01-01\n"),
    ],
)
def test_what_is_said_of_an_ignore_comment_has_the_severity_a_directory_gives_it(
    slug: str, comment: str, level: str, shown: list[str]
) -> None:
    linted = check(f"{comment}SELECT 1;\n", today="2024-01-01", levels={slug: level})
    assert [finding.severity for finding in linted.findings if finding.rule == slug] == shown


def test_problems_of_a_directory_and_of_the_baseline_can_be_given_a_severity() -> None:
    made = policy({"version-order": "off", "baseline-stale": "error"}, ())
    assert made.remark("version-order", "warning") is None
    assert made.remark("baseline-stale", "notice") == "error"
    assert made.remark("line-endings", "warning") == "warning"


def test_every_problem_a_directory_can_have_is_known_to_the_policy() -> None:
    named = re.compile(r'\bproblem\(\s*"([a-z-]+)"|\bProblem\(\s*"([a-z-]+)"')
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ci_runner").rglob("*.py"))
    codes = {code for found in named.findall(source) for code in found if code}
    assert codes <= {*CODES}, codes - {*CODES}
    assert len(codes) > 10
