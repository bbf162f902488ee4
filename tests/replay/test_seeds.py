"""Rows of seeds are there when a change is watched, on every engine."""

from __future__ import annotations

from ci_runner.devdb import DevDatabase
from ci_runner.model.report import Replay
from ci_runner.replay import ReplayFile, replay
from tests.replay.writing import file

BASE = [file("1.sql", "CREATE TABLE person (id int PRIMARY KEY, email varchar(100), age int);")]
TWINS = [
    file(
        "seeds/1_person.sql",
        "INSERT INTO person VALUES (1, 'a@x.example', 7);\nINSERT INTO person VALUES (2, 'a@x.example', NULL);\n",
    )
]


def watched(dev: DevDatabase, *change: ReplayFile, seeds: list[ReplayFile] = TWINS) -> Replay:
    result = replay(BASE, change, dev, seeds=seeds)
    assert result.status == "ok", result.error
    return result


def errors(result: Replay) -> list[tuple[str, int, str]]:
    return [(each.file, each.statement, each.kind) for each in result.observations if "error" in each.kind]


def test_a_unique_key_that_the_rows_break_is_seen_to_fail(dev: DevDatabase) -> None:
    change = file("2.sql", "CREATE TABLE other (id int);\nCREATE UNIQUE INDEX person_email ON person (email);")
    result = watched(dev, change)
    assert errors(result) == [("2.sql", 1, "error"), ("2.sql", 1, "seed-error")]
    assert result.remarks == ()
    assert errors(watched(dev, change, seeds=[])) == []


def test_a_later_file_is_watched_on_the_state_it_should_have(dev: DevDatabase) -> None:
    result = watched(
        dev,
        file("2.sql", "CREATE UNIQUE INDEX person_email ON person (email);"),
        file("3.sql", "CREATE INDEX i ON person (age);"),
    )
    assert errors(result) == [("2.sql", 0, "error"), ("2.sql", 0, "seed-error")]
    assert result.unobserved == ()


def test_seeds_that_do_not_run_are_named_and_the_change_is_watched_without_them(dev: DevDatabase) -> None:
    broken = [*TWINS, file("seeds/2_more.sql", "SELECT 1;\nINSERT INTO nowhere VALUES (1);\n")]
    result = watched(dev, file("2.sql", "CREATE UNIQUE INDEX person_email ON person (email);"), seeds=broken)
    (remark,) = result.remarks
    assert remark.startswith("the seeds do not run, so the change was watched without them: seeds/2_more.sql:2: ")
    assert errors(result) == []


def test_seeds_leave_nothing_in_the_schema_that_is_compared(dev: DevDatabase) -> None:
    change = file("2.sql", "ALTER TABLE person ADD COLUMN note varchar(10);")
    assert watched(dev, change).changes == watched(dev, change, seeds=[]).changes
