"""What only the door of MySQL and MariaDB does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ci_runner import databases
from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.errors import SetupError
from tests.images.servers import Server


@pytest.fixture
def database(mariadb_server: Server) -> Iterator[Database]:
    mariadb_server.run(
        "DROP DATABASE IF EXISTS own", "CREATE DATABASE own", "DROP DATABASE IF EXISTS other", "CREATE DATABASE other"
    )
    session = databases.open_url(mariadb_server.url("own"))
    yield session
    session.close()


def refused(database: Database, text: str) -> DatabaseFailure:
    with pytest.raises(DatabaseFailure) as caught:
        database.execute([Sql(text)], transaction=False)
    return caught.value


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("CREATE TABLE a (\n  id int,\n  v int wrong word\n)", "word\n)"),
        ("SELEC 1", "SELEC 1"),
        ("SELECT ä FROM b WHER c d", "c d"),
    ],
)
def test_near_and_line_give_the_exact_place(database: Database, text: str, rest: str) -> None:
    failure = refused(database, text)
    assert failure.position is not None
    assert text[failure.position :] == rest


def test_an_error_at_the_very_end_has_no_place_of_its_own(database: Database) -> None:
    assert refused(database, "CREATE TABLE a (id int").position is None


def test_local_files_are_not_sent(database: Database, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("files") / "rows"
    path.write_text("1\n")
    database.execute([Sql("CREATE TABLE a (id int)")], transaction=False)
    refused(database, f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE a")
    assert database.query("SELECT count(*) FROM a") == [(0,)]


def test_foreign_keys_can_be_left_unchecked_from_the_first_statement_on(
    mariadb_server: Server, database: Database
) -> None:
    session = databases.open_url(mariadb_server.url("own") + "?foreign_key_checks=0")
    for _ in range(2):
        session.execute(
            [
                Sql("CREATE OR REPLACE TABLE early (id int, FOREIGN KEY (id) REFERENCES later (id))"),
                Sql("SET @touched = 1"),
            ],
            transaction=False,
        )
        assert session.query("SELECT @@foreign_key_checks, @touched") == [(0, 1)]
        session.reset()
    assert session.query("SELECT @@foreign_key_checks, @touched") == [(0, None)]
    session.close()


def test_two_statements_in_one_text_are_refused(database: Database) -> None:
    assert refused(database, "SELECT 1; SELECT 2").code == "1064"


def test_use_of_another_database_lasts_only_until_reset(database: Database) -> None:
    database.execute([Sql("USE other"), Sql("CREATE TABLE t (id int)")], transaction=False)
    database.reset()
    database.execute([Sql("CREATE TABLE mine (id int)")], transaction=False)
    assert list(database.inspect().tables) == ["mine"]


def test_without_a_database_all_are_inspected_by_full_name(mariadb_server: Server, database: Database) -> None:
    session = databases.open_url(mariadb_server.url())
    session.execute([Sql("CREATE TABLE own.a (id int)"), Sql("CREATE TABLE other.a (id int)")], transaction=False)
    assert {"own.a", "other.a"} <= set(session.inspect().tables)
    session.close()


def test_procedures_with_several_results_are_read_to_the_end(database: Database) -> None:
    texts = ("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", "CALL p()", "CREATE TABLE after_call (id int)")
    database.execute([Sql(text) for text in texts], transaction=False)
    schema = database.inspect()
    assert list(schema.tables) == ["after_call"]
    assert "SELECT 2" in schema.functions["p"]


def test_inspect_sees_engine_generated_columns_comments_and_expressions(database: Database) -> None:
    texts = (
        """CREATE TABLE t (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NULL DEFAULT NULL, b int AS (a + 1) STORED,
        c datetime DEFAULT now() ON UPDATE now(), KEY by_a (a DESC), FULLTEXT KEY words (d), d varchar(20) DEFAULT 'x')""",
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
    )
    database.execute([Sql(text) for text in texts], transaction=False)
    table = database.inspect().tables["t"]
    assert table.options.startswith("InnoDB ")
    assert table.columns["id"].generated == "auto_increment"
    assert table.columns["a"].default == ""
    assert table.columns["b"].generated.startswith("stored generated")
    assert "on update" in table.columns["c"].generated
    assert table.columns["d"].default == "'x'"
    assert table.indexes == {"by_a": "btree (a)", "words": "fulltext (d)"}
    assert table.constraints == {"PRIMARY": "primary key (id)"}
    assert table.triggers["tr"].startswith("BEFORE INSERT")


def test_a_server_that_goes_away_is_told_apart_from_a_refusal(mariadb_server: Server, database: Database) -> None:
    ((number,),) = database.query("SELECT connection_id()")
    mariadb_server.run(f"KILL CONNECTION {number}")
    assert refused(database, "SELECT 1").lost


def test_a_server_without_tls_says_so_and_what_to_do(mariadb_server: Server) -> None:
    with pytest.raises(SetupError, match="the server has no TLS; switch it on there, or leave tls out of the URL"):
        databases.open_url(f"{mariadb_server.url('own')}?tls=skip-verify")
