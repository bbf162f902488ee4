"""What only PostgreSQL's door does: whole files in one round trip, COPY data, exact places, extensions made beforehand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ci_runner import databases
from ci_runner.databases import Database, DatabaseFailure, Sql, Use
from tests.images.servers import Server


@pytest.fixture
def database(postgres_server: Server) -> Iterator[Database]:
    postgres_server.run("DROP DATABASE IF EXISTS own", "CREATE DATABASE own", database="postgres")
    session = databases.open_url(postgres_server.url("own"))
    yield session
    session.close()


def run(database: Database, *texts: str, transaction: bool = True) -> None:
    database.execute([Sql(text) for text in texts], transaction=transaction)


def refused(database: Database, *texts: str, transaction: bool = True) -> DatabaseFailure:
    with pytest.raises(DatabaseFailure) as caught:
        run(database, *texts, transaction=transaction)
    return caught.value


PLACES = [
    ("SELECT 1;", "CREATE TABLE t (id int, v nonsense)", "nonsense"),
    ("CREATE TABLE a (id int)", "SELECT id, missing FROM a", "missing"),
    ("CREATE TABLE é (id int)", "SELECT 'ünï', wrong.id FROM é", "wrong"),
    ("SELECT 1 -- with a comment at the end", "SELEC 2", "SELEC"),
]


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize(("first", "second", "token"), PLACES)
def test_the_place_is_that_of_the_statement_even_when_the_file_went_in_one_piece(
    database: Database, first: str, second: str, token: str, transaction: bool
) -> None:
    failure = refused(database, first, second, transaction=transaction)
    assert failure.statement == 1
    assert failure.position is not None
    assert second[failure.position :].startswith(token)
    assert failure.code


def test_detail_and_hint_belong_to_the_words(database: Database) -> None:
    failure = refused(database, "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1), (1)")
    assert (
        failure.message
        == 'duplicate key value violates unique constraint "a_pkey"\nDETAIL: Key (id)=(1) already exists.'
    )
    assert failure.code == "23505"


def test_a_constraint_checked_at_commit_blames_no_single_statement(database: Database) -> None:
    failure = refused(
        database,
        "CREATE TABLE a (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO a VALUES (1), (1)",
        "SELECT 1",
    )
    assert failure.statement is None
    assert failure.code == "23505"
    assert not database.inspect().tables


def test_inline_copy_data_is_loaded(database: Database) -> None:
    data = "1\tone\n2\t\\N\n3\tü\\ttab\n"
    database.execute(
        [Sql("CREATE TABLE c (id int, v text)"), Sql("COPY c (id, v) FROM stdin", data), Sql("SELECT 1")],
        transaction=True,
    )
    assert database.query("SELECT * FROM c ORDER BY id") == [(1, "one"), (2, None), (3, "ü\ttab")]


def test_bad_copy_data_blames_the_copy_statement(database: Database) -> None:
    with pytest.raises(DatabaseFailure) as caught:
        database.execute([Sql("CREATE TABLE c (id int)"), Sql("COPY c FROM stdin", "1\nx\n")], transaction=True)
    assert caught.value.statement == 1
    assert "invalid input syntax for type integer" in caught.value.message


def test_copy_without_data_loads_no_rows_and_copy_to_the_client_is_read_away(database: Database) -> None:
    run(
        database,
        "CREATE TABLE c (id int)",
        "COPY c FROM stdin",
        "INSERT INTO c VALUES (1)",
        "/* out */ COPY c TO STDOUT",
    )
    assert database.query("SELECT * FROM c") == [(1,)]


def test_concurrent_index_builds_work_outside_and_fail_inside_a_transaction(database: Database) -> None:
    run(database, "CREATE TABLE a (id int)")
    inside = refused(database, "SELECT 1", "CREATE INDEX CONCURRENTLY a_id ON a (id)")
    assert (inside.statement, inside.code) == (1, "25001")
    run(database, "CREATE INDEX CONCURRENTLY a_id ON a (id)", transaction=False)
    assert list(database.inspect().tables["a"].indexes) == ["a_id"]


def test_a_file_that_commits_by_itself_keeps_what_it_committed(database: Database) -> None:
    failure = refused(database, "BEGIN", "CREATE TABLE kept (id int)", "COMMIT", "SELECT missing", transaction=False)
    assert failure.statement == 3
    assert list(database.inspect().tables) == ["kept"]


def test_settings_of_one_file_do_not_reach_the_next(database: Database) -> None:
    run(
        database,
        "SELECT pg_catalog.set_config('search_path', '', false)",
        "SET statement_timeout = 1",
        transaction=True,
    )
    database.reset()
    run(database, "CREATE TABLE plain (id int)")
    assert list(database.inspect().tables) == ["plain"]
    assert database.query("SHOW statement_timeout") == [("0",)]


def test_a_nul_byte_is_refused_and_not_cut_off(database: Database) -> None:
    failure = refused(database, "CREATE TABLE a (id int)\0; nonsense")
    assert "NUL byte" in failure.message
    assert not database.inspect().tables


def test_what_was_made_beforehand_may_be_created_without_if_not_exists(
    postgres_server: Server, database: Database
) -> None:
    run(database, "CREATE SCHEMA ext")
    address = databases.parse(postgres_server.url("own"))
    session = databases.open_address(address, Use(ready=frozenset({"schema ext"})))
    run(session, "CREATE SCHEMA ext", "CREATE TABLE ext.a (id int)")
    assert refused(session, "CREATE SCHEMA ext2", "CREATE SCHEMA ext2").code == "42P06"
    session.close()


def test_a_search_path_narrows_what_is_inspected(postgres_server: Server, database: Database) -> None:
    run(database, "CREATE SCHEMA shop", "CREATE TABLE shop.a (id int)", "CREATE TABLE public.b (id int)")
    session = databases.open_url(postgres_server.url("own") + "?search_path=shop")
    run(session, "CREATE TABLE c (id int)")
    assert sorted(session.inspect().tables) == ["shop.a", "shop.c"]
    session.close()


def test_inspect_sees_what_postgresql_alone_has(database: Database) -> None:
    run(
        database,
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "ALTER TYPE mood ADD VALUE 'happy' BEFORE 'ok'",
        "CREATE TABLE m (id bigint GENERATED ALWAYS AS IDENTITY, n int GENERATED ALWAYS AS (1 + 1) STORED, m mood) PARTITION BY LIST (m)",
        "CREATE UNLOGGED TABLE u (id int)",
        "ALTER TABLE u ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON u USING (id > 0)",
        "CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a'",
        "CREATE SEQUENCE s START 7",
        transaction=False,
    )
    schema = database.inspect()
    assert schema.enums == {"mood": ("sad", "happy", "ok")}
    assert schema.tables["m"].columns["id"].generated == "generated always as identity"
    assert schema.tables["m"].columns["n"].generated == "(1 + 1)"
    assert schema.tables["m"].options == "partition by LIST (m)"
    assert schema.tables["u"].options == "unlogged, row level security"
    assert "(id > 0)" in schema.tables["u"].triggers["policy p"]
    assert schema.views["mv"].startswith("materialized: ")
    assert "SELECT a" in schema.functions["f(a integer)"]
    assert schema.sequences["s"] == "bigint start 7 increment 1"


def test_a_server_that_goes_away_is_told_apart_from_a_refusal(postgres_server: Server, database: Database) -> None:
    ((backend,),) = database.query("SELECT pg_backend_pid()")
    postgres_server.run(f"SELECT pg_terminate_backend({backend})", database="postgres")
    assert refused(database, "SELECT 1").lost
