"""What another tool remembers is taken over as it is, or refused; its table is not touched unless that was asked for."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Mapping

import pytest

from ci_runner.deploy import Adopt, Options, standing
from ci_runner.deploy.foreign import NAMES
from ci_runner.model.deploy import Outcome
from tests.deploy.foreign.tables import BY_NAME, CASES, Case, atlas_sum
from tests.deploy.place import Place


@pytest.fixture(params=CASES, ids=lambda case: case.tool)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def adopt(place: Place, case: Case, files: Mapping[str, str] | None = None, **more: object) -> Outcome:
    wanted = Adopt(**{"tool": None, **more})  # type: ignore[arg-type]
    return place.deploy(case.files if files is None else files, form=case.form, adopt=wanted)


def test_every_tool_has_its_case() -> None:
    assert set(BY_NAME) == set(NAMES)


def test_a_clean_history_is_taken_over_and_only_what_is_new_runs(place: Place, case: Case) -> None:
    case.make(place)
    before = case.content(place)
    refused = place.deploy(case.files, form=case.form)
    assert (refused.exit_code, "adopt" in str(refused.error)) == (3, True)
    outcome = adopt(place, case)
    assert (outcome.status, outcome.action, len(outcome.applied)) == ("ok", "adopt", 0), outcome.error
    assert [row.kind for row in place.memory().revisions] == ["adopted", "adopted"]
    state = place.memory().state
    assert state is not None
    assert state.adopted_from == case.tool
    then = place.deploy(case.files, form=case.form)
    assert (then.status, len(then.applied)) == ("ok", 1), then.error
    assert place.rows("SELECT count(*) FROM c") == [(0,)]
    assert case.content(place) == before
    again = adopt(place, case)
    assert again.exit_code == 3


def test_with_compat_the_table_gets_the_row_its_tool_would_write(place: Place, case: Case) -> None:
    case.make(place)
    before = case.content(place)
    outcome = adopt(place, case, compat=True)
    if not case.compat:
        assert outcome.exit_code == 2
        return
    assert case.content(place) == before
    assert place.deploy(case.files, form=case.form).status == "ok"
    assert len(case.content(place)) == case.count(3)
    # What our own rows are made of is what the reader of the table takes for applied: the second adoption finds all three.
    other = place.deploy(case.files, form=case.form, dir="other", adopt=Adopt(case.tool))
    assert other.status == "ok", other.error
    assert len(place.memory("other").revisions) == 3


def test_a_row_that_a_killed_run_left_out_is_written_by_the_next(sqlite: Place) -> None:
    case = BY_NAME["dbmate"]
    case.make(sqlite)
    adopt(sqlite, case, compat=True)
    sqlite.deploy(case.files, form=case.form)
    sqlite.run("DELETE FROM schema_migrations WHERE version = '20260101000003'")
    assert sqlite.deploy(case.files, form=case.form).status == "noop"
    assert len(case.content(sqlite)) == 3


def test_a_half_way_history_is_refused_and_nothing_is_written(sqlite: Place, case: Case) -> None:
    if not case.bad:
        return
    case.make(sqlite, case.bad if case.tool == "golang-migrate" else (*case.rows, *case.bad))
    before = case.content(sqlite)
    outcome = adopt(sqlite, case)
    assert (outcome.status, outcome.exit_code) == ("failed", 3)
    assert case.name in str(outcome.error) or "carried out in part" in str(outcome.error)
    assert not sqlite.memory().there
    assert case.content(sqlite) == before


def test_a_version_without_a_file_is_refused_by_name_and_can_be_left_out(sqlite: Place, case: Case) -> None:
    if not case.gone:
        return
    case.make(sqlite, (*case.rows, case.gone))
    refused = adopt(sqlite, case)
    assert (refused.exit_code, "--allow-missing" in str(refused.error)) == (3, True)
    assert adopt(sqlite, case, allow_missing=True).status == "ok"
    assert len(sqlite.memory().revisions) == 2


def test_an_edited_file_is_found_where_the_table_holds_a_hash(sqlite: Place, case: Case) -> None:
    case.make(sqlite)
    name = next(each for each in case.half if each.endswith(".sql") and "CREATE TABLE a" in case.half[each])
    edited = {**case.files, name: case.files[name].replace("TABLE a (id int)", "TABLE a (id int, more int)")}
    outcome = adopt(sqlite, case, edited)
    assert (outcome.status == "ok") is not case.hashed
    if case.hashed:
        assert outcome.exit_code == 3


def test_an_empty_history_leaves_nothing_to_take_over(sqlite: Place, case: Case) -> None:
    case.make(sqlite, ())
    outcome = adopt(sqlite, case)
    assert (outcome.exit_code, "nothing to take over" in str(outcome.error)) == (3, True)


def test_the_tool_can_be_named_and_a_wrong_name_helps(sqlite: Place) -> None:
    case = BY_NAME["goose"]
    case.make(sqlite)
    assert adopt(sqlite, case, tool="flyway").exit_code == 3
    unknown = adopt(sqlite, case, tool="gose")
    assert (unknown.exit_code, "'goose'" in str(unknown.error)) == (2, True)
    assert adopt(sqlite, case, tool="goose").status == "ok"


def test_two_histories_are_not_guessed_between(sqlite: Place) -> None:
    goose, flyway = BY_NAME["goose"], BY_NAME["flyway"]
    goose.make(sqlite)
    sqlite.run(flyway.ddl.format(flag="boolean", when="timestamp"))
    outcome = adopt(sqlite, goose)
    assert (outcome.exit_code, "--from" in str(outcome.error)) == (3, True)
    assert adopt(sqlite, goose, tool="goose").status == "ok"


def test_a_database_without_any_history_says_so(sqlite: Place) -> None:
    assert adopt(sqlite, BY_NAME["goose"]).exit_code == 3


def test_a_file_that_atlas_left_half_way_goes_on_behind_what_is_done(place: Place) -> None:
    case = BY_NAME["atlas"]
    files = {**case.files, "3_c.sql": "CREATE TABLE c (id int);\nCREATE TABLE d (id int);\n"}
    partial = base64.b64encode(hashlib.sha256(b"CREATE TABLE c (id int);").digest()).decode()
    row = f"'3', 'c', 2, 1, 2, CURRENT_TIMESTAMP, 1, 'lost', 'CREATE TABLE d (id int);', 'x', '[\"h1:{partial}\"]', 'Atlas'"
    case.make(place, (*case.rows, row.replace("'x'", f"'{atlas_sum(files)['3_c.sql']}'")))
    place.run("CREATE TABLE c (id int)")
    outcome = adopt(place, case, files)
    assert outcome.status == "ok", outcome.error
    third = place.memory().revisions[2]
    assert (third.state, third.statements_done, third.statements_total) == ("failed", 1, 2)
    then = place.deploy(files, form=case.form)
    assert (then.status, [each.version for each in then.applied]) == ("ok", ["3"]), then.error
    assert place.rows("SELECT count(*) FROM d") == [(0,)]


def test_a_baseline_row_stands_for_everything_before_it(sqlite: Place) -> None:
    case = BY_NAME["flyway"]
    case.make(
        sqlite,
        (
            "1, '1.1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'root', CURRENT_TIMESTAMP, 0, TRUE",
        ),
    )
    assert adopt(sqlite, case).status == "ok"
    assert [row.version for row in sqlite.memory().revisions] == ["1", "1.1"]


def test_a_baseline_whose_file_is_gone_stands_for_what_is_older(sqlite: Place) -> None:
    case = BY_NAME["flyway"]
    case.make(
        sqlite,
        (
            "1, '1.5', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'root', CURRENT_TIMESTAMP, 0, TRUE",
        ),
    )
    assert adopt(sqlite, case, allow_missing=True).status == "ok"
    assert [row.version for row in sqlite.memory().revisions] == ["1", "1.1"]


def test_what_flyway_took_back_is_not_applied(sqlite: Place) -> None:
    case = BY_NAME["flyway"]
    undone = "3, '1.1', 'x', 'UNDO_SQL', 'U1.1__b.sql', NULL, 'root', CURRENT_TIMESTAMP, 0, TRUE"
    case.make(sqlite, (*case.rows, undone))
    assert adopt(sqlite, case).status == "ok"
    assert [row.version for row in sqlite.memory().revisions] == ["1"]


def test_golang_migrate_at_a_version_without_a_file_is_refused(sqlite: Place) -> None:
    case = BY_NAME["golang-migrate"]
    case.make(sqlite, ("9, FALSE",))
    assert adopt(sqlite, case).exit_code == 3
    assert adopt(sqlite, case, allow_missing=True).status == "ok"
    assert len(sqlite.memory().revisions) == 3


def test_a_table_in_a_schema_of_its_own_is_found(postgres: Place) -> None:
    case = BY_NAME["atlas"]
    apart = dataclasses.replace(case, table="atlas_schema_revisions.atlas_schema_revisions")
    postgres.run("CREATE SCHEMA atlas_schema_revisions")
    words = {"key": "varchar(255)", "when": "timestamptz"}
    postgres.run(case.ddl.replace("TABLE atlas", "TABLE atlas_schema_revisions.atlas").format(**words))
    for row in case.rows:
        apart.insert(postgres, row)
    assert adopt(postgres, case, compat=True).status == "ok"
    assert len(postgres.memory().revisions) == 2
    postgres.run("CREATE TABLE b (id int)")
    assert postgres.deploy(case.files, form=case.form).status == "ok"
    assert len(apart.content(postgres)) == 4


def test_while_atlas_applies_nothing_is_taken_over(postgres: Place) -> None:
    case = BY_NAME["atlas"]
    case.make(postgres)
    other = postgres.open()
    try:
        other.query("SELECT pg_advisory_lock(2686470616)")
        assert adopt(postgres, case).exit_code == 5
    finally:
        other.close()
    assert adopt(postgres, case).status == "ok"


def test_a_deployment_takes_over_by_itself_where_its_environment_says_so(place: Place) -> None:
    case = BY_NAME["dbmate"]
    case.make(place)
    first = place.deploy(case.files, form=case.form, adopt=Adopt(auto=True))
    assert (first.status, first.action, [each.version for each in first.applied]) == (
        "ok",
        "deploy",
        ["20260101000003"],
    ), first.error
    assert [row.kind for row in place.memory().revisions] == ["adopted", "adopted", "versioned"]
    assert place.deploy(case.files, form=case.form, adopt=Adopt(auto=True)).status == "noop"


def test_by_itself_a_file_that_atlas_left_half_way_is_finished_in_the_same_run(sqlite: Place) -> None:
    case = BY_NAME["atlas"]
    files = {**case.files, "3_c.sql": "CREATE TABLE c (id int);\nCREATE TABLE d (id int);\n"}
    partial = base64.b64encode(hashlib.sha256(b"CREATE TABLE c (id int);").digest()).decode()
    line = atlas_sum(files)["3_c.sql"]
    case.make(
        sqlite,
        (*case.rows, f"'3', 'c', 2, 1, 2, CURRENT_TIMESTAMP, 1, 'lost', '', '{line}', '[\"h1:{partial}\"]', 'Atlas'"),
    )
    sqlite.run("CREATE TABLE c (id int)")
    done = sqlite.deploy(files, form=case.form, adopt=Adopt(auto=True))
    assert (done.status, [(each.version, each.resumed) for each in done.applied]) == ("ok", [("3", 1)]), done.error
    assert sqlite.states() == {"1": "applied", "2": "applied", "3": "applied"}


@pytest.mark.parametrize("rows", [(), None])
def test_by_itself_nothing_is_taken_over_where_there_is_nothing(sqlite: Place, rows: tuple[str, ...] | None) -> None:
    case = BY_NAME["dbmate"]
    if rows is not None:
        sqlite.run("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)")
    assert len(sqlite.deploy(case.files, form=case.form, adopt=Adopt(auto=True)).applied) == 3


def test_the_status_of_a_database_that_was_not_taken_over_is_what_its_table_says(sqlite: Place, case: Case) -> None:
    case.make(sqlite, (*case.rows, case.gone) if case.gone else None)
    target = sqlite.open()
    try:
        found = standing(target, sqlite.source(case.files, form=case.form), Options(dir="app"))
    finally:
        target.close()
    assert (found.applied, len(found.pending), found.foreign) == (2, 1, case.name)
    assert not sqlite.memory().there
