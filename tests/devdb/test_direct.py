"""Databases the user names: refused when dirty, locked while in use, given back clean."""

from __future__ import annotations

import pytest

from ci_runner.errors import ConfigError, DoubtError, RefusedError, TemporaryError
from tests.devdb.opening import execute, opened
from tests.devdb.test_contract import direct_url
from tests.images.servers import PASSWORD, Server

SERVERS = {
    "direct-postgres": "postgres_server",
    "direct-postgres-within": "postgres_server",
    "direct-mariadb": "mariadb_server",
    "direct-mariadb-within": "mariadb_server",
    "direct-mysql": "mysql_server",
    "direct-clickhouse": "clickhouse_server",
    "direct-redshift": "postgres_server",
    "direct-redshift-within": "postgres_server",
}


@pytest.fixture(params=SERVERS)
def place(request: pytest.FixtureRequest) -> tuple[Server, str]:
    kind = str(request.param)
    server: Server = request.getfixturevalue(SERVERS[kind])
    return server, direct_url(kind, server)


def test_a_database_with_something_in_it_is_refused_and_not_touched(place: tuple[Server, str]) -> None:
    server, url = place
    server.run(
        "CREATE TABLE precious (id int)",
        "INSERT INTO precious VALUES (1)",
        "CREATE VIEW seen AS SELECT 1 AS one",
        database="clean",
    )
    with (
        pytest.raises(
            RefusedError, match=r"connected database is not clean: found (table precious|view seen) and 1 more"
        ) as caught,
        opened(url),
    ):
        pass
    assert caught.value.exit_code == 2
    assert PASSWORD not in str(caught.value)
    assert "tiny" not in str(caught.value)
    assert server.rows("SELECT id FROM precious", "clean") == [(1,)]


def test_the_second_run_on_one_url_waits_for_nothing_and_says_so(place: tuple[Server, str]) -> None:
    _, url = place
    with opened(url), pytest.raises(TemporaryError, match="is in use by another run") as caught, opened(url):
        pass
    assert caught.value.exit_code == 5
    with opened(url):
        pass


def fail_inside(url: str) -> None:
    with opened(url) as (dev, _):
        database = dev.fresh()
        execute(database, "CREATE TABLE left_over (id int)")
        database.close()
        raise ZeroDivisionError


def test_after_a_failure_inside_the_database_is_clean_again(place: tuple[Server, str]) -> None:
    _, url = place
    with pytest.raises(ZeroDivisionError):
        fail_inside(url)
    with opened(url) as (dev, lines):
        shown = url.partition("?")[0].replace(":tiny%20pass", "").replace(":" + PASSWORD, "")
        assert lines == [f"{dev.engine} at {shown}"]


def test_everything_postgresql_can_make_is_removed_from_the_named_database(postgres_server: Server) -> None:
    url = direct_url("direct-postgres-within", postgres_server)
    with opened(url) as (dev, _):
        database = dev.fresh()
        execute(
            database,
            "CREATE SCHEMA extra",
            "CREATE TABLE extra.t (id serial)",
            "CREATE TYPE mood AS ENUM ('a')",
            "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
            "CREATE TYPE pair AS (a int, b int)",
            "CREATE FUNCTION f(m mood) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
            "CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int)",
            "CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one",
            "CREATE SEQUENCE s",
            "CREATE EXTENSION pg_trgm",
            "CREATE TABLE m (m mood, p pair) PARTITION BY LIST (m)",
            "CREATE TABLE m_a PARTITION OF m FOR VALUES IN ('a')",
        )
        database.close()
    with opened(url):
        pass
    assert postgres_server.rows("SELECT extname FROM pg_extension", "clean") == [("plpgsql",)]


def test_everything_mariadb_can_make_is_removed_from_the_named_database(mariadb_server: Server) -> None:
    url = direct_url("direct-mariadb-within", mariadb_server)
    with opened(url) as (dev, _):
        database = dev.fresh()
        execute(
            database,
            "CREATE TABLE a (id int PRIMARY KEY)",
            "CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id))",
            "ALTER TABLE a ADD COLUMN b int, ADD FOREIGN KEY (b) REFERENCES b (id)",
            "CREATE VIEW v AS SELECT * FROM a",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE FUNCTION f() RETURNS int RETURN 1",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            "CREATE SEQUENCE s",
            "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.id = 1",
        )
        database.close()
    with opened(url):
        pass
    kinds = {
        "tables": "table_schema",
        "routines": "routine_schema",
        "events": "event_schema",
        "triggers": "trigger_schema",
    }
    left = {
        kind: mariadb_server.rows(f"SELECT * FROM information_schema.{kind} WHERE {schema} = 'clean'", "clean")
        for kind, schema in kinds.items()
    }
    assert left == {"tables": [], "routines": [], "events": [], "triggers": []}


def somebody_else_writes(url: str, server: Server) -> None:
    with opened(url):
        server.run("CREATE SCHEMA theirs", database="clean")


def test_what_cannot_be_removed_is_named_for_a_person(postgres_server: Server) -> None:
    url = direct_url("direct-postgres-within", postgres_server)
    with pytest.raises(DoubtError, match=r"could not be cleaned .*must be owner of schema theirs") as caught:
        somebody_else_writes(url, postgres_server)
    assert caught.value.exit_code == 4
    url = direct_url("direct-postgres", postgres_server)
    with pytest.raises(DoubtError, match="not clean after the replay: schema theirs left"):
        somebody_else_writes(url, postgres_server)


@pytest.mark.parametrize("scheme", ["postgres", "mariadb"])
def test_a_url_without_a_database_is_refused_before_connecting(scheme: str) -> None:
    with (
        pytest.raises(ConfigError, match="name a database of its own"),
        opened(f"{scheme}://nobody:secret@127.0.0.1:1/"),
    ):
        pass
