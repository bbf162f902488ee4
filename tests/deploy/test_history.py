"""Order, edits, removals, line endings, drift, baselines, checkpoints: what a database remembers against the files of today."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ci_runner.deploy import revisions
from ci_runner.model.deploy import Failure, Outcome
from tests.deploy.place import Place

A = {"1_a.sql": "CREATE TABLE a (id int);\n"}
C = {**A, "3_c.sql": "CREATE TABLE c (id int);\n"}
B = {**C, "2_b.sql": "CREATE TABLE b (id int);\n"}


def failure(outcome: Outcome) -> Failure:
    assert outcome.error is not None
    return outcome.error


def test_a_file_that_sorts_before_an_applied_one_needs_a_decision(place: Place) -> None:
    place.deploy(C)
    refused = failure(place.deploy(B))
    assert refused.code == 3
    assert "2_b.sql: sorts before 3_c.sql" in refused.message
    skipped = place.deploy(B, order="linear-skip")
    assert (skipped.status, skipped.exit_code) == ("noop", 0)
    assert any("skipped" in line and "2" in line for line in skipped.warnings)
    late = place.deploy(B, order="non-linear")
    assert (late.status, late.after, [each.version for each in late.applied]) == ("ok", "3", ["2"])
    assert place.deploy(B).status == "noop"


def test_an_applied_file_that_was_edited_is_refused_with_a_diff_against_what_was_applied(sqlite: Place) -> None:
    sqlite.deploy(C)
    edited = {**C, "1_a.sql": "CREATE TABLE a (id int, name text);\n"}
    refused = failure(sqlite.deploy(edited, applied_bytes=lambda row: C[row.name].encode()))
    assert refused.code == 3
    assert "1_a.sql was edited after it was applied" in refused.message
    assert "-CREATE TABLE a (id int);" in refused.message
    assert "+CREATE TABLE a (id int, name text);" in refused.message
    assert "not at hand" in failure(sqlite.deploy(edited)).message


def test_other_line_endings_and_a_byte_order_mark_are_a_warning(sqlite: Place) -> None:
    sqlite.deploy(C)
    changed = sqlite.deploy({**C, "1_a.sql": b"\xef\xbb\xbfCREATE TABLE a (id int);\r\n"})
    assert changed.status == "noop"
    assert ["only line endings differ" in line for line in changed.warnings] == [True]


def test_an_applied_file_that_is_gone_is_refused_unless_a_rewrite_or_checkpoint_says_why(sqlite: Place) -> None:
    sqlite.deploy(C)
    gone = {"3_c.sql": C["3_c.sql"]}
    assert "not in migrations: 1_a.sql" in failure(sqlite.deploy(gone)).message
    assert sqlite.deploy(gone, explained=lambda name: name == "1_a.sql").status == "noop"
    checkpoint = {
        "3_c.sql": C["3_c.sql"],
        "4_k.sql": "-- pilotage:checkpoint\n\nCREATE TABLE a (id int);\nCREATE TABLE c (id int);\n",
    }
    assert sqlite.deploy(checkpoint).status == "noop"


def test_an_empty_database_begins_at_the_newest_checkpoint(place: Place) -> None:
    files = {**A, "2_k.sql": "-- pilotage:checkpoint\n\nCREATE TABLE a (id int, x int);\n", "3_c.sql": C["3_c.sql"]}
    assert [each.version for each in place.deploy(files).applied] == ["2", "3"]
    assert place.deploy(files).status == "noop"


def test_drift_since_the_last_deployment_is_named_and_can_be_an_error(place: Place) -> None:
    place.deploy(C)
    place.run("ALTER TABLE a ADD COLUMN sneaky int", "CREATE TABLE extra (id int)", "DROP TABLE c")
    expected = ("table a changed", "table c removed", "table extra added")
    seen = place.deploy(C)
    assert (seen.status, seen.drift) == ("noop", expected)
    assert failure(place.deploy(C, drift="error")).code == 3
    assert any("table extra added" in line for line in place.said) is False
    assert place.deploy(C, drift="off").status == "noop"


def test_a_database_with_tables_and_no_history_needs_a_baseline(place: Place) -> None:
    place.run("CREATE TABLE a (id int)")
    refused = failure(place.deploy(C))
    assert refused.code == 3
    assert "the table a" in refused.message
    done = place.deploy(C, baseline="1")
    assert (done.status, done.before, done.after, [each.version for each in done.applied]) == ("ok", None, "3", ["3"])
    assert [row.kind for row in place.memory().revisions] == ["baseline", "versioned"]


def test_a_baseline_alone_runs_nothing_and_only_once(place: Place) -> None:
    place.run("CREATE TABLE a (id int)")
    done = place.deploy(C, baseline="1", only_baseline=True)
    assert (done.status, done.after, done.applied, done.pending) == ("ok", "1", (), ("3",))
    assert failure(place.deploy(C, baseline="1", only_baseline=True)).code == 3
    assert place.deploy(C).after == "3"


def test_a_table_of_another_tool_is_named_with_the_way_to_adopt_it(place: Place) -> None:
    place.run("CREATE TABLE flyway_schema_history (id int)")
    assert "pilotage adopt" in failure(place.deploy(C)).message


def test_a_dirty_database_is_deployed_to_on_request(place: Place) -> None:
    place.run("CREATE TABLE other (id int)")
    assert place.deploy(C, clean=True).after == "3"


def test_a_failed_file_may_be_edited_behind_what_was_done_but_not_before(place: Place) -> None:
    head = "-- pilotage:txmode none\n\n"
    first = f"{head}CREATE TABLE a (id int);\nINSERT INTO nowhere VALUES (1);\n"
    place.deploy({"1_a.sql": first})
    changed = failure(place.deploy({"1_a.sql": first.replace("a (id int)", "a (id int, x int)")}))
    assert changed.code == 3
    assert "statement 1 was changed" in changed.message
    shorter = failure(place.deploy({"1_a.sql": head}))
    assert (shorter.code, "it has only 0 statements now" in shorter.message) == (3, True)
    more = place.deploy(
        {"1_a.sql": f"{head}CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\n"}
    )
    assert more.status == "ok", more.error
    assert place.memory().revisions[0].statements_total == 3
    assert place.rows("SELECT id FROM a ORDER BY id") == [(1,), (2,)]


def test_a_database_of_another_directory_is_left_alone_unless_both_are_to_share_it(place: Place) -> None:
    place.deploy(A)
    other = {"1_x.sql": "CREATE TABLE x (id int);\n"}
    refused = failure(place.deploy(other, dir="other"))
    assert refused.code == 3
    assert "was deployed to from app and knows nothing of other" in refused.message
    assert place.memory("other").revisions == ()
    assert place.deploy(other, dir="other", clean=True).after == "1"
    assert place.memory("other").revisions[0].name == "1_x.sql"
    assert place.deploy(A).status == "noop"
    assert place.deploy({**other, "2_y.sql": "CREATE TABLE y (id int);\n"}, dir="other").after == "2"


def test_a_folder_that_was_renamed_goes_on_under_the_name_the_database_knows(place: Place) -> None:
    place.deploy(A)
    outcome = place.deploy(C, dir="copy")
    assert (outcome.status, outcome.before) == ("ok", place_after(A))
    assert any("as app" in said for said in place.said)
    assert place.memory("copy").revisions == ()
    assert place.deploy(C).status == "noop"
    edited = {name: text + "-- more\n" for name, text in C.items()}
    assert failure(place.deploy(edited, dir="copy")).code == 3


def test_a_refusal_says_all_the_same_where_the_database_is(place: Place) -> None:
    place.deploy(A)
    first, *_ = A
    outcome = place.deploy({**C, first: "-- edited\n"})
    assert failure(outcome).code == 3
    assert outcome.before == outcome.after == place_after(A)
    assert outcome.pending == (place_after(C),)


def place_after(files: Mapping[str, str]) -> str:
    """The version of the last file."""
    return max(files).partition("_")[0]


def test_a_history_written_by_a_newer_version_is_left_alone(place: Place) -> None:
    place.deploy(A)
    place.run("UPDATE pilotage_state SET layout = 99")
    refused = failure(place.deploy(C))
    assert refused.code == 2
    assert "newer Pilotage" in refused.message


@pytest.mark.parametrize("change", ["source", "table", "order"])
def test_a_plan_that_was_approved_runs_only_while_nothing_changed(sqlite: Place, change: str) -> None:
    sqlite.deploy(A)
    from ci_runner import deploy
    from ci_runner.deploy import Options

    target = sqlite.open()
    digest = deploy.decide(target, sqlite.source(C), Options("app")).digest
    target.close()
    files, options = C, {}
    if change == "source":
        files = {**C, "3_c.sql": "CREATE TABLE c (id int, x int);\n"}
    elif change == "table":
        sqlite.run("CREATE TABLE extra (id int)")
    else:
        options = {"order": "non-linear"}
    refused = failure(sqlite.deploy(files, plan=digest, **options))
    assert refused.code == 3
    assert "not the plan that was approved" in refused.message
    if change == "order":
        assert sqlite.deploy(C, plan=digest).status == "ok"
        assert sqlite.deploy(C, plan=digest).status == "noop"


def test_what_is_asked_in_brief_is_of_each_row_what_tells_where_it_stands(place: Place) -> None:
    place.deploy({**C, "4_d.sql": "CREATE TABLE d (id int);\nCREATE TABLE nowhere.e (id int);\n"})
    target = place.open()
    try:
        whole, brief = (revisions.read(target, "app", brief=brief) for brief in (False, True))
    finally:
        target.close()
    assert whole.revisions[-1].state != "applied"
    assert (whole.state, whole.there) == (brief.state, brief.there)
    told = ("dir", *revisions._BRIEF)
    assert [[getattr(row, name) for name in told] for row in brief.revisions] == [
        [getattr(row, name) for name in told] for row in whole.revisions
    ]


def test_a_brief_row_that_is_not_as_we_write_it_is_read_all_the_same() -> None:
    row = (b"1", "2", None, "versioned", "applied", 1, "1", None, "", None, None)
    found = revisions._brief("app", row)
    assert (found.version, found.position, found.name, found.statements_done, found.error) == ("1", 2, "", 1, "")
