"""Engines that are not here themselves: Redshift on PostgreSQL, ClickHouse's engine behind a front of ours, and MySQL 9."""

from __future__ import annotations

import pytest

from ci_runner.deploy import hashes
from tests.deploy.place import Place

TAIL = {"clickhouse": " ENGINE = MergeTree ORDER BY tuple()"}


@pytest.fixture(params=["redshift", "clickhouse", "mysql"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def files(engine: str) -> dict[str, str]:
    tail = TAIL.get(engine, "")
    return {
        "1_a.sql": f"CREATE TABLE marks (n int){tail};\n",
        "2_b.sql": f"INSERT INTO marks VALUES (1);\nCREATE TABLE b (id int){tail};\nALTER TABLE b ADD COLUMN x int;\n",
    }


def test_a_deployment_goes_through_is_remembered_and_finds_nothing_more_to_do(place: Place) -> None:
    first = place.deploy(files(place.engine))
    assert (first.status, first.after) == ("ok", "2"), first.error
    again = place.deploy(files(place.engine))
    assert (again.status, again.before, again.after) == ("noop", "2", "2"), again.error
    assert place.marks() == [1]
    assert place.states() == {"1": "applied", "2": "applied"}
    assert bool(again.facts and again.facts.weak) == (place.engine != "mysql")


def test_a_refused_statement_is_recorded_and_mended_the_run_goes_on(place: Place) -> None:
    broken = {**files(place.engine), "3_c.sql": "INSERT INTO marks VALUES (2);\nINSERT INTO nowhere VALUES (1);\n"}
    refused = place.deploy(broken)
    assert (refused.exit_code, refused.after, refused.pending) == (1, "2", ("3",)), refused.error
    mended = place.deploy({**broken, "3_c.sql": "INSERT INTO marks VALUES (2);\nINSERT INTO marks VALUES (3);\n"})
    assert mended.status == "ok", mended.error
    assert place.marks() == [1, 2, 3]


def test_a_second_deployment_waits_for_the_first_and_is_told_who_that_is(place: Place) -> None:
    place.deploy({"1_a.sql": files(place.engine)["1_a.sql"]})
    other = place.open("pilotage/other")
    lock = hashes.lock("app", other.facts.schema)
    assert other.try_lock(lock)
    other.check_lock(lock)
    waiting = place.deploy(files(place.engine), lock_wait=0.3)
    assert waiting.exit_code == 5, waiting.error
    assert waiting.error is not None
    assert ("pilotage/other" in waiting.error.message) == (place.engine != "mysql")
    other.unlock(lock)
    other.close()
    assert place.deploy(files(place.engine)).after == "2"


def test_drift_is_found(place: Place) -> None:
    place.deploy(files(place.engine))
    place.run(f"CREATE TABLE extra (id int){TAIL.get(place.engine, '')}")
    assert "table extra added" in place.deploy(files(place.engine)).drift
