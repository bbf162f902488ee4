"""What every dev database must do, however its server came to be."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ci_runner.databases import Database, DatabaseFailure
from ci_runner.devdb import DevDatabase
from ci_runner.model.inspected import Schema
from tests.devdb.opening import RUN, execute, opened
from tests.images.servers import Server, assert_nothing_left

URLS = {
    "memory": ("sqlite://dev?mode=memory", None),
    "embedded-sqlite": ("embedded://sqlite", None),
    "embedded": ("embedded://postgres", None),
    "embedded-named": ("embedded://postgres/18/shop", None),
    "docker-postgres": ("docker://postgres/15/dev", "postgres_image"),
    "docker-realm": ("docker://postgres/15", "postgres_image"),
    "docker-custom": ("docker+postgres://_/postgres:15/shop", "postgres_image"),
    "docker-mariadb": ("docker://mariadb/10.11/dev", "mariadb_image"),
    "docker-maria": ("docker+maria://_/mariadb:10.11/shop", "mariadb_image"),
    "docker-mysql": ("docker://mysql/8/dev", "mysql_image"),
    "embedded-clickhouse": ("embedded://clickhouse", "chdb_home"),
    "docker-clickhouse": ("docker://clickhouse/23.11/dev", "clickhouse_image"),
    "direct-postgres": ("", "postgres_server"),
    "direct-postgres-within": ("", "postgres_server"),
    "direct-mariadb": ("", "mariadb_server"),
    "direct-mariadb-within": ("", "mariadb_server"),
    "direct-clickhouse": ("", "clickhouse_server"),
    "direct-redshift": ("", "postgres_server"),
    "direct-redshift-within": ("", "postgres_server"),
}
KEEPING = {
    "memory",
    "embedded-sqlite",
    "embedded",
    "embedded-named",
    "embedded-clickhouse",
    "docker-postgres",
    "docker-realm",
    "docker-custom",
    "direct-postgres",
}


def direct_url(kind: str, server: Server) -> str:
    """An empty database on ``server``, for its administrator or for a user who may do nothing beside it."""
    if "redshift" in kind:  # PostgreSQL stands in
        url = direct_url(kind.replace("redshift", "postgres"), server)
        return f"{url.replace('postgres:', 'redshift:', 1)}?sslmode=disable"
    admin = "postgres" if server.scheme == "postgres" else ""
    server.run("DROP DATABASE IF EXISTS clean", "CREATE DATABASE clean", database=admin)
    if not kind.endswith("within"):
        return server.url("clean")
    if server.scheme == "postgres":
        server.run(
            "DROP ROLE IF EXISTS small",
            "CREATE ROLE small LOGIN PASSWORD 'tiny pass'",
            "ALTER DATABASE clean OWNER TO small",
            database=admin,
        )
    else:
        server.run("CREATE OR REPLACE USER small@'%' IDENTIFIED BY 'tiny pass'", "GRANT ALL ON clean.* TO small@'%'")
    return server.url("clean", user="small", password="tiny%20pass")


@pytest.fixture(params=URLS, scope="module")
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def dev(kind: str, request: pytest.FixtureRequest) -> Iterator[DevDatabase]:
    url, fixture = URLS[kind]
    part = request.getfixturevalue(fixture) if fixture else None
    if isinstance(part, Server):
        url = direct_url(kind, part)
    with opened(url) as (dev, _):
        yield dev
    assert_nothing_left(os.getpid(), RUN)
    if isinstance(part, Server):
        databases = {
            row[0]
            for row in part.rows(
                "SELECT datname FROM pg_database" if part.scheme == "postgres" else "SHOW DATABASES", "clean"
            )
        }
        assert not {name for name in databases if str(name).startswith("pilotage_")}


@pytest.fixture
def database(dev: DevDatabase) -> Iterator[Database]:
    session = dev.fresh()
    yield session
    session.close()


def test_a_fresh_database_is_empty_and_of_the_engine_announced(dev: DevDatabase, database: Database) -> None:
    assert database.inspect() == Schema()
    assert database.dialect == dev.dialect
    assert database.engine == dev.engine


def test_what_one_replay_made_the_next_does_not_see(dev: DevDatabase) -> None:
    first = dev.fresh()
    execute(
        first,
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (id int REFERENCES parent (id))",
        "CREATE VIEW v AS SELECT id FROM child",
    )
    assert sorted(first.inspect().tables) == ["child", "parent"]
    first.close()
    second = dev.fresh()
    assert second.inspect() == Schema()
    second.close()


def test_a_kept_state_comes_back_as_often_as_wanted_or_not_at_all(
    kind: str, dev: DevDatabase, database: Database
) -> None:
    execute(database, "CREATE TABLE base (id int)", "INSERT INTO base VALUES (7)")
    going_on = dev.snapshot(database, "after base")
    execute(going_on, "DROP TABLE base")
    assert dev.restore("something else") is None
    for _ in range(2):
        again = dev.restore("after base")
        assert (again is not None) == (kind in KEEPING)
        if again is not None:
            assert again.query("SELECT id FROM base") == [(7,)]
            execute(again, "CREATE TABLE more (id int)", "DROP TABLE base")
            again.close()
    assert not going_on.inspect().tables
    going_on.close()


def test_a_refusal_of_the_migration_itself_gets_no_advice(dev: DevDatabase, database: Database) -> None:
    with pytest.raises(DatabaseFailure) as caught:
        execute(database, "SELECT nonsense FROM nowhere")
    assert dev.advice(caught.value) == ""
