"""Two deployers, long readers, killed clients: who waits for whom, and for how long."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ci_runner import databases
from ci_runner.databases import DatabaseFailure, Sql
from ci_runner.deploy import Stop, hashes
from tests.deploy.place import Place

FILES = {
    f"{n}_m.sql": ("CREATE TABLE marks (n int);\n" if n == 1 else "") + f"INSERT INTO marks VALUES ({n});\n"
    for n in range(1, 6)
}
ROUNDS = 50 if os.environ.get("PILOTAGE_TEST_ROUNDS") else 5


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_two_deployers_at_once_each_file_is_run_by_one(place: Place, round_: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: Place(place.engine, place.url).deploy(FILES), range(2)))
    assert [each.error for each in outcomes] == [None, None]
    assert sorted(each.status for each in outcomes) == ["noop", "ok"]
    assert place.marks() == [1, 2, 3, 4, 5]
    assert all(each.after == "5" for each in outcomes)


def test_who_waits_too_long_for_another_deployment_is_told_who_has_the_lock(place: Place) -> None:
    place.deploy({"1_m.sql": FILES["1_m.sql"]})
    other = place.open("pilotage/other")
    assert other.try_lock(hashes.lock("app", other.facts.schema))
    outcome = place.deploy(FILES, lock_wait=0.3)
    other.close()
    assert outcome.error is not None
    assert outcome.error.code == 5
    assert "another deployment" in outcome.error.message
    assert {"postgres": "pilotage/other", "mariadb": "connection", "sqlite": "process"}[
        place.engine
    ] in outcome.error.message
    assert place.deploy(FILES).after == "5"


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_statement_that_waits_for_a_reader_gives_way_and_tries_again(place: Place) -> None:
    place.deploy({"1_m.sql": FILES["1_m.sql"]})
    reader = databases.open_url(place.url)
    reader.begin()
    reader.query("SELECT * FROM marks")
    timer = threading.Timer(2.2, reader.commit)
    timer.start()
    started = time.monotonic()
    outcome = place.deploy(
        {**FILES, "2_m.sql": "ALTER TABLE marks ADD COLUMN x int;\n", "3_m.sql": "", "4_m.sql": "", "5_m.sql": ""},
        lock_timeout=0.5,
    )
    timer.join()
    reader.close()
    assert outcome.status == "ok", outcome.error
    assert any("trying again" in line for line in place.said)
    assert time.monotonic() - started > 2


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_reader_that_never_ends_is_a_temporary_failure(place: Place) -> None:
    place.deploy({"1_m.sql": FILES["1_m.sql"]})
    reader = databases.open_url(place.url)
    reader.begin()
    reader.query("SELECT * FROM marks")
    outcome = place.deploy(
        {"1_m.sql": FILES["1_m.sql"], "2_m.sql": "ALTER TABLE marks ADD COLUMN x int;\n"}, lock_timeout=0.05
    )
    reader.close()
    assert outcome.error is not None
    assert (outcome.error.code, outcome.pending) == (5, ("2",))


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_directive_limits_how_long_a_statement_may_run(place: Place) -> None:
    sleep = (
        "SELECT pg_sleep(9);\n"
        if place.engine == "postgres"
        else f"SELECT count(*) FROM {', '.join(f'information_schema.columns {a}' for a in 'abc')};\n"
    )
    started = time.monotonic()
    outcome = place.deploy({"1_m.sql": f"-- pilotage:timeout 300ms\n\n{sleep}"})
    assert outcome.exit_code == 1
    assert time.monotonic() - started < 6
    assert place.deploy({"1_m.sql": "SELECT 1;\n"}).status == "ok"


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_request_to_stop_ends_the_running_statement_and_leaves_the_lock_free(place: Place) -> None:
    stop = Stop()
    sleep = "SELECT pg_sleep(20);\n" if place.engine == "postgres" else "DO SLEEP(20);\n"
    threading.Timer(0.8, stop.ask).start()
    started = time.monotonic()
    outcome = place.deploy(
        {"1_m.sql": FILES["1_m.sql"], "2_m.sql": f"INSERT INTO marks VALUES (2);\n{sleep}"}, stop=stop
    )
    assert time.monotonic() - started < 10
    assert outcome.exit_code == 5, outcome.error
    assert outcome.after == "1"
    fixed = {"1_m.sql": FILES["1_m.sql"], "2_m.sql": "INSERT INTO marks VALUES (2);\n"}
    assert place.deploy(fixed).status == "ok"
    assert place.marks() == [1, 2]


@pytest.mark.parametrize("engine", ["postgres"])
def test_the_statement_of_a_client_that_died_dies_with_it(place: Place) -> None:
    """PostgreSQL would finish it and hold the lock until then: https://www.postgresql.org/docs/current/runtime-config-connection.html"""
    place.run("CREATE TABLE marks (n int)")
    child = os.fork()
    if child == 0:
        target = place.open()
        target.try_lock(hashes.lock("app", "public"))
        target.run([Sql("INSERT INTO marks SELECT 1 FROM pg_sleep(8)")])
        os._exit(0)
    time.sleep(0.7)
    os.kill(child, 9)
    os.waitpid(child, 0)
    started = time.monotonic()
    outcome = place.deploy({"1_a.sql": "INSERT INTO marks VALUES (2);\n"}, clean=True)
    assert outcome.status == "ok", outcome.error
    assert time.monotonic() - started < 5
    assert place.marks() == [2]


def test_the_own_session_may_not_lose_its_lock_between_two_files(postgres: Place) -> None:
    class Losing:
        def __init__(self, target: object) -> None:
            self.target = target

        def __getattr__(self, name: str) -> object:
            found = getattr(self.target, name)
            if name == "reset":

                def reset() -> None:
                    found()
                    self.target.query("SELECT pg_advisory_unlock_all()")  # type: ignore[attr-defined]

                return reset
            return found

    outcome = postgres.deploy(FILES, wrap=Losing)  # type: ignore[arg-type]
    assert outcome.error is not None
    assert (outcome.error.code, outcome.after) == (2, "1")
    assert "let go of its lock" in outcome.error.message


def test_a_wrong_or_weak_user_is_told_what_is_missing(postgres: Place) -> None:
    postgres.run(
        "DROP ROLE IF EXISTS weak",
        "CREATE ROLE weak LOGIN PASSWORD 'weak-secret'",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    weak = Place("postgres", postgres.url.replace("boss:c0rrect-h0rse", "weak:weak-secret"))
    outcome = weak.deploy(FILES)
    assert outcome.error is not None
    assert outcome.error.code == 2
    assert "cannot be made" in outcome.error.message
    assert "weak-secret" not in outcome.error.message
    wrong = Place("postgres", postgres.url.replace("c0rrect-h0rse", "wrong-pass"))
    with pytest.raises(Exception, match="the password was refused"):
        wrong.deploy(FILES)
    with pytest.raises(DatabaseFailure):
        weak.run("CREATE TABLE x (id int)")
