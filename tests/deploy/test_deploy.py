"""A deployment on every engine that is real here: what is run, what is remembered, what a second run finds."""

from __future__ import annotations

import resource
from datetime import timedelta

import pytest

from ci_runner import deploy
from ci_runner.deploy import Options
from tests.deploy.dying import in_child
from tests.deploy.place import NOW, Place, tools

A = {"1_a.sql": "CREATE TABLE a (id int PRIMARY KEY);\n"}
B = {**A, "2_b.sql": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1), (2);\n"}
C = {**B, "3_c.sql": "INSERT INTO b VALUES (3);\n"}


def test_an_empty_database_is_brought_to_the_newest_version_and_a_second_run_has_nothing_to_do(place: Place) -> None:
    first = place.deploy(B)
    assert (first.status, first.before, first.after, [each.version for each in first.applied], first.pending) == (
        "ok", None, "2", ["1", "2"], (),
    )  # fmt: skip
    again = place.deploy(B)
    assert (again.status, again.before, again.after, again.applied, again.exit_code) == ("noop", "2", "2", (), 0)
    assert place.rows("SELECT count(*) FROM b") == [(2,)]


def test_only_what_is_new_is_run(place: Place) -> None:
    place.deploy(B)
    more = place.deploy(C)
    assert (more.before, more.after, [each.name for each in more.applied]) == ("2", "3", ["3_c.sql"])
    assert place.rows("SELECT count(*) FROM b") == [(3,)]


def test_the_rows_of_the_own_table_say_what_was_done(place: Place) -> None:
    place.deploy(B, actor="ada", tool_version="9.9")
    row = place.memory().revisions[1]
    assert (row.version, row.position, row.name, row.kind, row.state) == ("2", 2, "2_b.sql", "versioned", "applied")
    assert (row.statements_total, row.statements_done, row.intent_statement, row.error) == (2, 2, None, "")
    assert (row.actor, row.tool_version, row.digest, row.started_at[:4]) == ("ada", "9.9", "sha256:0", "2026")
    assert row.file_hash.startswith("s1:")
    assert row.run_id


def test_a_refused_statement_stops_the_run_with_its_place_and_the_rest_stays_pending(place: Place) -> None:
    outcome = place.deploy(
        {**A, "2_b.sql": "CREATE TABLE b (id int);\n\n  INSERT INTO nowhere VALUES (1);\n", "3_c.sql": "SELECT 1;\n"}
    )
    assert (outcome.status, outcome.after, [each.version for each in outcome.applied], outcome.pending) == (
        "failed", "1", ["1"], ("2", "3"),
    )  # fmt: skip
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.file, outcome.error.statement) == (1, "2_b.sql", 2)
    assert outcome.error.message.startswith("2_b.sql:3:")
    assert "nowhere" in outcome.error.message
    row = place.memory().revisions[-1]
    assert (row.state, row.error_statement) == ("failed", 2)
    assert row.error == outcome.error.message


def test_a_file_that_was_refused_is_run_again_after_it_was_mended(place: Place) -> None:
    place.deploy({"1_b.sql": "CREATE TABLE b (id int);\nINSERT INTO nowhere VALUES (1);\n"})
    mended = place.deploy({"1_b.sql": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n"})
    assert mended.status == "ok", mended.error
    assert place.rows("SELECT id FROM b") == [(1,)]
    assert place.states() == {"1": "applied"}


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_refused_file_leaves_nothing_behind_where_the_schema_can_be_undone(place: Place) -> None:
    place.deploy({"1_b.sql": "CREATE TABLE b (id int);\nINSERT INTO nowhere VALUES (1);\n"})
    with pytest.raises(Exception, match="b"):
        place.rows("SELECT * FROM b")


@pytest.mark.parametrize("engine", ["mariadb"])
def test_where_the_schema_cannot_be_undone_the_next_run_goes_on_behind_what_was_done(place: Place) -> None:
    place.deploy({"1_b.sql": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\nINSERT INTO nowhere VALUES (1);\n"})
    row = place.memory().revisions[0]
    assert (row.state, row.statements_done, row.statements_total) == (
        "failed",
        1,
        3,
    )  # rows that go together are undone together
    mended = place.deploy(
        {"1_b.sql": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\nINSERT INTO b VALUES (2);\n"}
    )
    assert mended.status == "ok", mended.error
    assert mended.applied[0].resumed == 1
    assert place.rows("SELECT id FROM b ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_with_all_files_in_one_transaction_either_all_or_none_are_there(place: Place) -> None:
    broken = place.deploy({**B, "3_c.sql": "INSERT INTO nowhere VALUES (1);\n"}, tx_mode="all")
    assert (broken.status, broken.applied, broken.pending) == ("failed", (), ("1", "2", "3"))
    assert "3_c.sql:1:" in broken.error.message if broken.error else False
    assert place.states() == {"3": "failed"}
    assert place.deploy(C, tx_mode="all").status == "ok"
    assert place.states() == {"1": "applied", "2": "applied", "3": "applied"}


@pytest.mark.parametrize("engine", ["mariadb"])
def test_one_transaction_for_all_files_is_refused_where_the_schema_commits_by_itself(place: Place) -> None:
    outcome = place.deploy(B, tx_mode="all")
    assert outcome.error is not None
    assert outcome.error.code == 2
    assert "--tx-mode file" in outcome.error.message


def test_amount_and_version_end_the_run_early(place: Place) -> None:
    first = place.deploy(C, amount=1)
    assert (first.after, first.pending) == ("1", ("2", "3"))
    second = place.deploy(C, to_version="2")
    assert (second.before, second.after, second.pending) == ("1", "2", ("3",))
    assert place.deploy(C, to_version="2").status == "noop"


def test_of_a_version_that_the_database_is_past_it_is_said_what_goes_back(place: Place) -> None:
    place.deploy(C)
    behind = place.deploy(C, to_version="2")
    assert (behind.status, behind.after) == ("noop", "3")
    past = "the database is past version 2, at 3: 'pilotage down --to-version 2' goes back"
    assert [line for line in behind.warnings if "past version" in line] == [past]
    for options in ({}, {"to_version": "3"}):
        assert not any("past version" in line for line in place.deploy(C, **options).warnings)


def test_a_version_that_does_not_exist_is_a_usage_error_and_nothing_is_run(place: Place) -> None:
    outcome = place.deploy(B, to_version="77")
    assert outcome.error is not None
    assert (outcome.status, outcome.error.code) == ("failed", 2)
    assert "77" in outcome.error.message
    assert not place.memory().there


def test_a_directory_written_for_another_engine_is_refused(sqlite: Place) -> None:
    source = Place("postgres", "").source(A)
    sqlite.read = lambda *_a, **_k: source.mdir  # type: ignore[method-assign]
    outcome = sqlite.deploy(A)
    assert outcome.error is not None
    assert outcome.error.code == 2
    assert "written for postgres" in outcome.error.message


def test_settings_of_one_file_do_not_reach_the_next(place: Place) -> None:
    setting, ask, default = {
        "sqlite": ("PRAGMA recursive_triggers = ON;", "SELECT recursive_triggers FROM pragma_recursive_triggers", 0),
        "postgres": ("SET search_path = pg_catalog;", "SELECT count(*) FROM pg_class WHERE relname = 'b'", 1),
        "mariadb": ("SET sql_mode = 'ANSI';", "SELECT @@sql_mode LIKE '%ANSI%'", 0),
    }[place.engine]
    outcome = place.deploy({"1_a.sql": setting + "\n", "2_b.sql": f"CREATE TABLE b (id int);\nINSERT INTO b {ask};\n"})
    assert outcome.status == "ok", outcome.error
    assert place.rows("SELECT id FROM b") == [(default,)]


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_file_may_hold_its_own_transaction(place: Place) -> None:
    files = {
        "1_a.sql": "BEGIN;\nCREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\nCOMMIT;\nBEGIN;\nINSERT INTO b VALUES (2);\nROLLBACK;\n"
    }
    assert place.deploy(files).status == "ok"
    assert place.rows("SELECT id FROM b") == [(1,)]
    assert place.states() == {"1": "applied"}


def test_a_file_of_comments_counts_as_applied(place: Place) -> None:
    assert place.deploy({"1_a.sql": "-- nothing yet\n"}).after == "1"
    assert place.deploy({"1_a.sql": "-- nothing yet\n"}).status == "noop"


def test_checks_in_a_file_must_hold_before_it_runs(place: Place) -> None:
    place.deploy(A)
    checked = {**A, "2_b.sql": "-- pilotage:assert SELECT count(*) = 0 FROM a\n\nCREATE TABLE b (id int);\n"}
    place.run("INSERT INTO a VALUES (1)")
    refused = place.deploy(checked)
    assert refused.error is not None
    assert (refused.error.code, refused.pending) == (1, ("2",)), refused.error
    assert "SELECT count(*) = 0 FROM a" in refused.error.message
    place.run("DELETE FROM a")
    assert place.deploy(checked).status == "ok"


def test_checks_may_lie_beside_the_file(sqlite: Place) -> None:
    sqlite.deploy(A)
    beside = {**B, "2_b.sql.checks": "SELECT 1;\n-- the next one does not hold\nSELECT count(*) > 0 FROM a;\n"}
    refused = sqlite.deploy(beside)
    assert refused.error is not None
    assert (refused.error.code, refused.pending) == (1, ("2",))
    assert "count(*) > 0" in refused.error.message
    sqlite.run("INSERT INTO a VALUES (1)")
    assert sqlite.deploy(beside).after == "2"


def test_the_clock_decides_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.deploy(A)
    monkeypatch.setattr("tests.deploy.place.NOW", NOW - timedelta(days=1))
    assert place.deploy(B).after == "2"
    monkeypatch.setattr("tests.deploy.place.NOW", NOW + timedelta(days=1))
    assert place.deploy(C).after == "3"
    rows = place.memory().revisions
    assert [(row.position, row.started_at[:10]) for row in rows] == [
        (1, "2026-01-01"),
        (2, "2025-12-31"),
        (3, "2026-01-02"),
    ]
    assert place.deploy(C).status == "noop"


def test_a_disk_that_is_full_is_told_and_the_next_run_goes_on(sqlite: Place) -> None:
    sqlite.deploy(A)
    big = {**A, "2_b.sql": "CREATE TABLE b AS SELECT randomblob(900000) AS x;\n"}
    source = sqlite.source(big)

    def child() -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        outcome = deploy.deploy(sqlite.open(), source, Options("app", run_id="full"), tools(lambda _text: None))
        return outcome.exit_code

    assert in_child(child) in {1, 5}
    assert sqlite.deploy(big).after == "2"


def test_no_room_for_the_record_itself_is_told_as_that(sqlite: Place) -> None:
    target = sqlite.open()
    target.query("PRAGMA max_page_count = 1")
    outcome = deploy.deploy(target, sqlite.source(A), Options("app", run_id="full"), tools(lambda _text: None))
    assert outcome.exit_code == 5
    assert outcome.error is not None
    assert "no room for Pilotage's own rows: database or disk is full" in outcome.error.message
    assert sqlite.deploy(A).after == "1"


def test_repeatable_files_run_after_the_others_and_again_when_they_change(place: Place) -> None:
    files = {"V1__a.sql": "CREATE TABLE a (id int);\n", "R__r.sql": "INSERT INTO a VALUES (1);\n"}
    first = place.deploy(files, form="flyway")
    assert [each.version for each in first.applied] == ["1", "repeatable:R__r.sql"]
    assert (first.after, place.deploy(files, form="flyway").status) == ("1", "noop")
    changed = place.deploy({**files, "R__r.sql": "INSERT INTO a VALUES (2);\n"}, form="flyway")
    assert [each.version for each in changed.applied] == ["repeatable:R__r.sql"]
    assert place.rows("SELECT id FROM a ORDER BY id") == [(1,), (2,)]


def test_a_way_back_is_gone_and_forward_again(place: Place) -> None:
    up, down = "-- +goose Up\n", "-- +goose Down\n"
    files = {
        "1_a.sql": f"{up}CREATE TABLE a (id int);\n{down}DROP TABLE a;\n",
        "2_b.sql": f"{up}CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n{down}DROP TABLE b;\n",
    }
    place.deploy(files, form="goose")
    back = place.deploy(files, form="goose", back=True, to_version="1")
    assert (back.status, back.before, back.after, [each.version for each in back.applied]) == (
        "ok",
        "2",
        "1",
        ["down:2"],
    )
    assert place.states() == {"1": "applied", "2": "reverted", "down:2": "applied"}
    assert place.deploy(files, form="goose").after == "2"
    assert place.rows("SELECT id FROM b") == [(1,)]
    zero = place.deploy(files, form="goose", back=True, to_version="0")
    assert (zero.after, [each.version for each in zero.applied]) == (None, ["down:2", "down:1"])


def test_there_is_no_way_back_where_the_format_keeps_none(place: Place) -> None:
    place.deploy(B)
    outcome = place.deploy(B, back=True, to_version="1")
    assert outcome.error is not None
    assert outcome.error.code == 3
    assert "2_b.sql has no way back" in outcome.error.message
