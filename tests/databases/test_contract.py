"""What every database door must do, whichever engine is behind it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure, Sql
from ci_runner.model.inspected import Schema
from tests.databases.speaking import native
from tests.images.processes import account, owned_folder
from tests.images.servers import Server

ENGINES = ["sqlite", "postgres", "mariadb", "mysql", "redshift", "clickhouse", "clickhouse-embedded"]
if "PILOTAGE_TEST_FAKESNOW" in os.environ:  # set by test_snowflake.py, for the process it starts
    ENGINES = ["snowflake"]
PRODUCTS = {
    "sqlite": "SQLite",
    "postgres": "PostgreSQL",
    "mariadb": "MariaDB",
    "mysql": "MySQL",
    "clickhouse": "ClickHouse",
    "redshift": "PostgreSQL",
    "snowflake": "Snowflake",
}
UNDOING = [engine for engine in ENGINES if engine in {"sqlite", "postgres", "mariadb", "mysql", "redshift"}]
# Engines that undo rows and hold primary keys to be unique.
transactional = pytest.mark.parametrize("opener", UNDOING, indirect=True)
indexed = pytest.mark.parametrize("opener", ["sqlite", "postgres", "mariadb", "mysql"], indirect=True)
Opener = Callable[[], Database]


@pytest.fixture(params=ENGINES)
def opener(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens sessions on one database that is empty at the start."""
    if request.param == "sqlite":
        path = request.getfixturevalue("tmp_path") / "contract.db"
        yield lambda: databases.open_url(f"sqlite://{path}")
        return
    if request.param == "clickhouse-embedded":
        yield from embedded_clickhouse(request)
        return
    if request.param == "snowflake":
        url = request.getfixturevalue("snowflake_url")
        yield lambda: databases.open_url(url)
        return
    if request.param == "redshift":  # the stand-in
        server = request.getfixturevalue("postgres_server")
        server.run("DROP DATABASE IF EXISTS contract", "CREATE DATABASE contract", database="postgres")
        url = server.url("contract").replace("postgres:", "redshift:", 1)
        yield lambda: databases.open_url(f"{url}?sslmode=disable")
        return
    server: Server = request.getfixturevalue(f"{request.param}_server")
    admin = "postgres" if request.param == "postgres" else ""
    server.run("DROP DATABASE IF EXISTS contract", "CREATE DATABASE contract", database=admin)
    yield lambda: databases.open_url(server.url("contract"))


def embedded_clickhouse(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """One engine has the folder at a time: the next session ends the one before."""
    open_sessions: list[Database] = []

    def another() -> Database:
        for session in open_sessions:
            session.close()
        open_sessions.append(databases.open_address(address))
        return open_sessions[-1]

    with owned_folder(account("nobody")) as folder:
        options = {"home": str(request.getfixturevalue("chdb_home"))}
        address = Address("clickhouse", path=str(folder), database="contract", options=options)
        yield another
        for session in open_sessions:
            session.close()


@pytest.fixture
def database(opener: Opener) -> Iterator[Database]:
    session = opener()
    yield session
    session.close()


def execute(database: Database, *texts: str, transaction: bool = False) -> None:
    database.execute([Sql(native(database.dialect, text)) for text in texts], transaction=transaction)


def failure(database: Database, *texts: str, transaction: bool = False) -> DatabaseFailure:
    with pytest.raises(DatabaseFailure) as caught:
        execute(database, *texts, transaction=transaction)
    return caught.value


def test_the_engine_says_what_it_is(database: Database) -> None:
    assert database.engine.startswith(PRODUCTS[database.dialect] + " ")
    assert database.version[0] >= 3
    assert database.engine.split()[1].startswith(str(database.version[0]))


def test_statements_run_in_order_and_are_seen_by_the_next_session(opener: Opener) -> None:
    first = opener()
    execute(first, "CREATE TABLE a (id int)", "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)", transaction=True)
    first.close()
    second = opener()
    assert second.query("SELECT id FROM a ORDER BY id") == [(1,), (2,)]
    second.close()


def test_percent_signs_question_marks_and_colons_reach_the_server_unchanged(database: Database) -> None:
    execute(
        database,
        "CREATE TABLE p (v varchar(99))",
        "INSERT INTO p VALUES ('100% %s %(a)s ? :b $1 {0}')",
        transaction=True,
    )
    assert database.query("SELECT v FROM p") == [("100% %s %(a)s ? :b $1 {0}",)]


@pytest.mark.parametrize("transaction", [True, False])
def test_a_refusal_names_its_statement_in_the_databases_own_words(database: Database, transaction: bool) -> None:
    refused = failure(
        database,
        "CREATE TABLE a (id int)",
        "CREATE TABLE a (id int)",
        "CREATE TABLE c (id int)",
        transaction=transaction,
    )
    assert refused.statement == 1
    assert "already exists" in refused.message
    assert refused.code
    assert not refused.lost
    assert "c" not in database.inspect().tables


@transactional
def test_rows_of_a_refused_transaction_are_undone(database: Database) -> None:
    execute(database, "CREATE TABLE a (id int PRIMARY KEY)")
    assert (
        failure(database, "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2), (1)", transaction=True).statement == 1
    )
    assert database.query("SELECT count(*) FROM a") == [(0,)]


@transactional
def test_without_a_transaction_what_ran_before_the_refusal_stays(database: Database) -> None:
    execute(database, "CREATE TABLE a (id int PRIMARY KEY)")
    assert failure(database, "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (1)").statement == 1
    assert database.query("SELECT count(*) FROM a") == [(1,)]


def test_the_session_is_usable_after_a_refusal(database: Database) -> None:
    failure(database, "SELECT * FROM nowhere", transaction=True)
    execute(database, "CREATE TABLE after_all (id int)", transaction=True)
    assert [name.lower() for name in database.inspect().tables] == ["after_all"]


def test_a_syntax_error_points_at_its_place(database: Database) -> None:
    text = "SELECT 1 FROM (SELEC 2) t"
    refused = failure(database, text)
    assert refused.position is not None
    assert text[refused.position :].startswith(("SELEC", "2)"))


@transactional
def test_begin_commit_and_rollback_span_calls(database: Database) -> None:
    execute(database, "CREATE TABLE a (id int)")
    for end, rows in ((database.rollback, 0), (database.commit, 1)):
        database.begin()
        execute(database, "INSERT INTO a VALUES (1)")
        end()
        assert database.query("SELECT count(*) FROM a") == [(rows,)]
    database.commit()
    database.rollback()


def test_reset_ends_an_open_transaction_and_forgets_settings(database: Database) -> None:
    setting = {
        "sqlite": ("PRAGMA foreign_keys = ON", "PRAGMA foreign_keys"),
        "postgres": ("SET lock_timeout = 1234", "SHOW lock_timeout"),
        "redshift": ("SET lock_timeout = 1234", "SHOW lock_timeout"),
        "mariadb": ("SET lock_wait_timeout = 1234", "SELECT @@lock_wait_timeout"),
        "mysql": ("SET lock_wait_timeout = 1234", "SELECT @@lock_wait_timeout"),
        "clickhouse": ("SET max_threads = 1", "SELECT getSetting('max_threads')"),
    }[database.dialect]
    before = database.query(setting[1])
    execute(database, "CREATE TABLE a (id int)", setting[0])
    assert database.query(setting[1]) != before
    database.begin()
    execute(database, "INSERT INTO a VALUES (1)")
    database.reset()
    assert database.query(setting[1]) == before
    assert database.query("SELECT count(*) FROM a") == [(1 if database.dialect == "clickhouse" else 0,)]


def test_after_is_called_behind_each_statement_and_may_look_into_the_open_transaction(database: Database) -> None:
    execute(database, "CREATE TABLE a (id int)")
    seen: list[tuple[int, int]] = []
    database.execute(
        [Sql("INSERT INTO a VALUES (1)"), Sql("INSERT INTO a VALUES (2)")],
        transaction=True,
        after=lambda index: seen.append((index, database.query("SELECT count(*) FROM a")[0][0])),
    )
    assert seen == [(0, 1), (1, 2)]


def test_a_statement_that_does_not_end_can_be_interrupted(database: Database) -> None:
    endless = {
        "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
        "postgres": "SELECT pg_sleep(600)",
        "redshift": "SELECT pg_sleep(600)",
        "mariadb": "SELECT benchmark(100000000000, md5('x'))",
        "mysql": "SELECT benchmark(100000000000, md5('x'))",
        "clickhouse": "SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 7",
    }[database.dialect]
    stop = threading.Event()

    def interrupt() -> None:
        while not stop.wait(0.1):
            database.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        failure(database, endless)
    finally:
        stop.set()
        thread.join()
    database.reset()
    assert database.query("SELECT 1") == [(1,)]


def test_of_several_files_some_run_together_each_in_a_transaction_of_its_own_or_none_does(database: Database) -> None:
    execute(database, "CREATE TABLE a (id int)")
    files = [[Sql(native(database.dialect, f"INSERT INTO a VALUES ({n})"))] for n in range(4)]
    done = database.several([*files, [Sql("SELECT * FROM nowhere")]])
    database.reset()
    assert 0 <= done <= len(files)
    assert database.query("SELECT id FROM a ORDER BY id") == [(n,) for n in range(done)]


def test_of_several_files_the_first_that_is_refused_runs_by_itself(database: Database) -> None:
    assert database.several([[Sql("SELECT * FROM nowhere")], [Sql("SELECT 1")]]) == 0
    database.reset()
    assert [tuple(row) for row in database.query("SELECT 1")] == [(1,)]


def test_an_empty_database_inspects_as_empty(database: Database) -> None:
    schema = database.inspect()
    assert schema == Schema()


@indexed
def test_inspect_sees_columns_indexes_keys_views_and_triggers(database: Database) -> None:
    execute(
        database,
        "CREATE TABLE parent (id int NOT NULL PRIMARY KEY, name varchar(40) DEFAULT 'x')",
        "CREATE TABLE child (id int NOT NULL PRIMARY KEY, parent_id int NOT NULL REFERENCES parent (id) ON DELETE CASCADE, v int, "
        "CONSTRAINT v_positive CHECK (v > 0))"
        if database.dialect not in {"mariadb", "mysql"}
        else "CREATE TABLE child (id int NOT NULL PRIMARY KEY, parent_id int NOT NULL, v int, CONSTRAINT v_positive CHECK (v > 0), "
        "CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE)",
        "CREATE UNIQUE INDEX child_v ON child (v)",
        "CREATE VIEW names AS SELECT name FROM parent",
    )
    schema = database.inspect()
    assert list(schema.tables) == ["child", "parent"]
    parent, child = schema.tables["parent"], schema.tables["child"]
    assert list(parent.columns) == ["id", "name"]
    assert not parent.columns["id"].nullable
    assert parent.columns["name"].nullable
    assert "x" in parent.columns["name"].default
    assert "unique" in child.indexes["child_v"].lower()
    assert any(
        "references parent" in f"{name} {text}".lower() and "cascade" in text.lower()
        for name, text in child.constraints.items()
    )
    assert any("primary" in f"{name} {text}".lower() for name, text in child.constraints.items())
    assert "name" in schema.views["names"]


def test_inspect_is_the_same_for_the_same_schema_and_differs_when_it_changes(database: Database) -> None:
    execute(database, "CREATE TABLE a (id int, v int)")
    before = database.inspect()
    assert database.inspect() == before
    execute(database, "ALTER TABLE a ADD COLUMN w varchar(10) NOT NULL DEFAULT 'q'")
    assert database.inspect() != before


def test_a_session_may_be_closed_twice_and_another_goes_on(opener: Opener) -> None:
    session, other = opener(), opener()
    session.close()
    session.close()
    assert [tuple(row) for row in other.query("SELECT 1")] == [(1,)]
    other.close()
