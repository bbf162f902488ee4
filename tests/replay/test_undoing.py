"""Up and down must end where they began, on every engine."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ci_runner.devdb import DevDatabase
from ci_runner.model.report import FILE
from ci_runner.replay import Limit, ReplayFile
from ci_runner.replay.undoing import undone
from tests.replay.writing import file

BASE = [file("0.sql", "CREATE TABLE person (id int PRIMARY KEY, email varchar(100));")]


def seen(dev: DevDatabase, change: Sequence[ReplayFile], **downs: str) -> list[tuple[str, str, str, str]]:
    """(file, kind, where, what) of everything seen; downs are named by the file's stem."""
    ways = {f"{name[1:]}.sql": [file(f"{name[1:]}.down.sql", text)] for name, text in downs.items()}
    found = undone(dev, lambda: BASE, change, ways, key="undoing", limit=Limit(600))
    assert found.unobserved == ()
    assert {each.statement for each in found.observations} <= {FILE}
    return [(each.file, each.kind, each.object, each.detail) for each in found.observations]


def test_a_way_back_that_leads_back_is_no_finding_and_the_next_file_goes_on(dev: DevDatabase) -> None:
    change = [
        file("1.sql", "CREATE TABLE purchase (id int PRIMARY KEY, total int);\nCREATE INDEX i ON purchase (total);"),
        file("2.sql", "ALTER TABLE purchase ADD COLUMN note varchar(10);"),
        file("3.sql", "CREATE VIEW v AS SELECT note FROM purchase;"),
    ]
    assert seen(dev, change, _1="DROP TABLE purchase;", _3="DROP VIEW v;") == []


def test_what_is_left_what_is_missing_and_what_is_another_is_named(dev: DevDatabase) -> None:
    change = [
        file("1.sql", "CREATE TABLE purchase (id int PRIMARY KEY);\nCREATE TABLE line (id int PRIMARY KEY);"),
        file("2.sql", "CREATE INDEX person_email ON person (email);"),
        file("3.sql", "ALTER TABLE line ADD COLUMN n int;"),
    ]
    found = seen(
        dev,
        change,
        _1="DROP TABLE line;",
        _2="DROP TABLE person;",
        _3="DROP TABLE line;\nCREATE TABLE line (id varchar(7) PRIMARY KEY);",
    )
    assert [(name, kind, where) for name, kind, where, _ in found] == [
        (f"{n}.sql", "down-differs", f"{n}.down.sql") for n in (1, 2, 3)
    ]
    assert found[0][3] == 'table "purchase" is left'
    assert found[1][3] == 'table "person" is missing'
    assert found[2][3].lower().startswith('column "line.id" was int')
    assert "varchar(7)" in found[2][3] or "character varying(7)" in found[2][3]


def test_a_way_back_that_is_refused_says_where_and_the_next_file_starts_from_the_state_it_should(
    dev: DevDatabase,
) -> None:
    change = [file("1.sql", "CREATE TABLE a (id int);"), file("2.sql", "CREATE TABLE b (id int);")]
    found = seen(dev, change, _1="SELECT 1;\nDROP TABLE nowhere;", _2="DROP TABLE b;")
    ((name, kind, where, why),) = found
    assert (name, kind, where) == ("1.sql", "down-fails", "1.down.sql:2")
    assert "nowhere" in why


def test_rows_that_are_left_show_when_the_file_runs_again(dev: DevDatabase) -> None:
    change = [file("1.sql", "INSERT INTO person VALUES (1, 'a@example.com');")]
    ((_, kind, _, why),) = seen(dev, change, _1="SELECT 1;")
    assert kind == "down-differs"
    assert why.startswith("the file does not run a second time: ")
    assert seen(dev, change, _1="DELETE FROM person;") == []


def test_many_differences_are_cut(dev: DevDatabase) -> None:
    up = "\n".join(f"CREATE TABLE t{n} (id int);" for n in range(9))
    ((_, _, _, why),) = seen(dev, [file("1.sql", up)], _1="SELECT 1;")
    assert why.count('"') == 10
    assert why.endswith("; and 4 more")


@pytest.mark.parametrize("count", [26])
def test_of_a_whole_history_nobody_asks(dev: DevDatabase, count: int) -> None:
    change = [file(f"{n}.sql", "SELECT 1;") for n in range(count)]
    ways = {each.name: [each] for each in change}
    found = undone(dev, lambda: BASE, change, ways, key="undoing", limit=Limit(600))
    assert found.observations == ()
    assert found.unobserved == (f"{count} files are too many to be taken back (at most 25)",)


def test_a_file_that_does_not_run_is_not_taken_back(dev: DevDatabase) -> None:
    found = undone(
        dev,
        lambda: BASE,
        [file("1.sql", "DROP TABLE nowhere;")],
        {"1.sql": [file("1", "SELECT 1;")]},
        key="undoing",
        limit=Limit(600),
    )
    assert found.observations == ()
    assert found.unobserved[0].startswith("1.sql was not taken back: ")


def test_clickhouse_is_taken_back_as_well(clickhouse: DevDatabase) -> None:
    base = [file("0.sql", "CREATE TABLE person (id UInt64) ENGINE = MergeTree ORDER BY id;")]
    change = [
        file("1.sql", "ALTER TABLE person ADD COLUMN email String;"),
        file("2.sql", "ALTER TABLE person ADD COLUMN n Int32;"),
    ]
    ways = {
        "1.sql": [file("1.down.sql", "SELECT 1;")],
        "2.sql": [file("2.down.sql", "ALTER TABLE person DROP COLUMN n;")],
    }
    found = undone(clickhouse, lambda: base, change, ways, key="undoing", limit=Limit(600))
    assert [(each.kind, each.detail) for each in found.observations] == [
        ("down-differs", 'column "person.email" is left')
    ]
