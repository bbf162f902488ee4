"""What a confined SQLite session refuses, and what it must not."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_runner import databases
from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.databases.sqlite import Sqlite, confined
from ci_runner.databases.sqlite.remote import Worker

ESCAPES = [
    "ATTACH '{canary}' AS c",
    "ATTACH 'file:{canary}?mode=rwc' AS c",
    "VACUUM INTO '{canary}'",
    "SELECT load_extension('{canary}')",
    "PRAGMA writable_schema = 1",
    "PRAGMA temp_store_directory = '{canary}'",
    "PRAGMA data_store_directory = '{canary}'",
    "SELECT writefile('{canary}', 'x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT zeroblob(1000000000)",
]
HARMLESS = [
    "PRAGMA foreign_keys = OFF",
    "PRAGMA journal_mode = WAL",
    "PRAGMA user_version = 3",
    "PRAGMA foreign_key_check",
    "PRAGMA legacy_alter_table = ON",
    "VACUUM",
    "ATTACH ':memory:' AS side",
    "CREATE VIRTUAL TABLE words USING fts5 (body)",
    "CREATE TABLE s (id INTEGER PRIMARY KEY, v TEXT) STRICT",
    "ANALYZE",
    "REINDEX",
]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def database(worker: Worker) -> Iterator[Sqlite]:
    database = confined(worker)
    yield database
    database.close()


@pytest.mark.parametrize("attack", ESCAPES)
def test_a_statement_cannot_leave_its_database(database: Database, attack: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(DatabaseFailure):
        database.execute([Sql(attack.format(canary=canary))], transaction=False)
    assert not canary.exists()


@pytest.mark.parametrize("text", HARMLESS)
def test_what_migrations_do_is_allowed(database: Database, text: str) -> None:
    database.execute([Sql(text)], transaction=False)
    assert database.query("SELECT 1") == [(1,)]


def test_two_databases_in_memory_are_two(database: Database) -> None:
    database.execute([Sql("CREATE TABLE a (id int)")], transaction=True)
    assert not databases.open_url("sqlite://dev?mode=memory").inspect().tables


def test_inspect_names_strict_virtual_and_rowid_less_tables_and_hides_shadows(database: Database) -> None:
    texts = (
        "CREATE TABLE s (id INT) STRICT",
        "CREATE TABLE w (id INT PRIMARY KEY) WITHOUT ROWID",
        "CREATE VIRTUAL TABLE f USING fts5 (b)",
    )
    database.execute([Sql(text) for text in texts], transaction=True)
    assert {name: table.options for name, table in database.inspect().tables.items()} == {
        "s": "strict",
        "w": "without rowid",
        "f": "virtual",
    }


def run(database: Database, text: str) -> None:
    database.execute([Sql(text)], transaction=False)


def test_a_statement_that_never_ends_goes_with_its_process_and_the_next_database_has_another() -> None:
    worker = Worker()
    database = confined(worker)
    timer = threading.Timer(0.2, database.interrupt)
    timer.start()
    with pytest.raises(DatabaseFailure) as caught:
        run(database, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
    timer.join()
    assert caught.value.lost
    assert not worker.alive
    database.close()
    worker.close()


@pytest.mark.parametrize(
    "bomb",
    [
        "CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT zeroblob(200000000) FROM n",
        "SELECT length(replace(hex(zeroblob(100000000)), '0', 'xxxx'))",
    ],
)
def test_memory_ends_before_the_machines_does(bomb: str) -> None:
    worker = Worker()
    database = confined(worker)
    with pytest.raises(DatabaseFailure, match=r"out of memory|too big|SQLite's process ended"):
        run(database, bomb)
    worker.close()


def test_the_process_has_an_empty_environment_and_no_open_file(database: Database) -> None:
    (mine,) = [
        entry
        for entry in Path("/proc").glob("[0-9]*")
        if (entry / "status").exists() and f"PPid:\t{os.getpid()}\n" in (entry / "status").read_text()
        and b"worker.py" in (entry / "cmdline").read_bytes()
    ]  # fmt: skip
    assert (mine / "environ").read_bytes() == b""
    assert {str(link.readlink()).partition(":")[0] for link in (mine / "fd").iterdir()} <= {"pipe", "/dev/null"}
    limits = (mine / "limits").read_text()
    assert "Max file size             0                    0" in limits


def test_rows_are_counted_also_where_a_table_went(database: Database) -> None:
    names = [f"t{number}" for number in range(250)]
    database.execute([Sql(f"CREATE TABLE {name} (id int)") for name in names], transaction=True)
    watcher = database.watcher()
    assert watcher.fill("") == ()
    watched = watcher.watch([Sql("DROP TABLE t7"), Sql("DELETE FROM t249")], transaction=True)
    assert [(seen.statement, seen.kind, seen.object) for seen in watched.seen] == [(1, "rows-lost", "t249")]


def test_a_refusal_in_many_statements_is_blamed_on_its_own_and_undone(database: Database) -> None:
    with pytest.raises(DatabaseFailure, match='near "nonsense"') as caught:
        database.execute([Sql("CREATE TABLE a (id int)"), Sql("SELECT nonsense nonsense nonsense")], transaction=True)
    assert caught.value.statement == 1
    assert not database.inspect().tables
    with pytest.raises(DatabaseFailure, match="FOREIGN KEY constraint failed") as caught:
        database.execute(
            [
                Sql("PRAGMA foreign_keys = ON"),
                Sql("CREATE TABLE p (id int PRIMARY KEY)"),
                Sql("CREATE TABLE c (p int REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)"),
            ],
            transaction=False,
        ) or database.execute([Sql("INSERT INTO c VALUES (1)")], transaction=True)
    assert caught.value.statement is None
    assert database.query("SELECT count(*) FROM c") == [(0,)]
