"""How large tables are, asked of real servers by users who may do no more than look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_runner import databases
from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.databases.sizes import GUARDS, READERS, sizes
from ci_runner.model.stats import Size
from tests.images.servers import Server


def ran(database: Database, *statements: str) -> None:
    database.execute([Sql(each) for each in statements], transaction=False)


def test_every_engine_has_its_question() -> None:
    assert set(READERS) == {*databases.SCHEMES.values(), "mariadb"}
    assert set(GUARDS) <= set(READERS)


@pytest.fixture
def looked_at(postgres_server: Server) -> Iterator[Database]:
    """A database with rows, as a role sees it that was granted nothing."""
    postgres_server.run(
        "DROP DATABASE IF EXISTS sized", "DROP ROLE IF EXISTS looker", "CREATE DATABASE sized",
        "CREATE ROLE looker LOGIN PASSWORD 'looks'", "REVOKE ALL ON DATABASE sized FROM PUBLIC", "GRANT CONNECT ON DATABASE sized TO looker",
        database="postgres",
    )  # fmt: skip
    owner = databases.open_url(postgres_server.url("sized"))
    ran(
        owner,
        "CREATE SCHEMA audit",
        "CREATE TABLE purchase (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = off)",
        "INSERT INTO purchase SELECT n, repeat(md5(n::text), 4) FROM generate_series(1, 20000) n",
        "CREATE TABLE audit.entry (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE audit.low PARTITION OF audit.entry FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE audit.high PARTITION OF audit.entry FOR VALUES FROM (100) TO (1000)",
        "INSERT INTO audit.entry SELECT generate_series(0, 499)",
        "CREATE TABLE fresh (id int) WITH (autovacuum_enabled = off)",
        "ANALYZE purchase", "ANALYZE audit.low", "ANALYZE audit.high",
    )  # fmt: skip
    reader = databases.open_url(postgres_server.url("sized", user="looker", password="looks"))
    yield reader
    reader.close()
    owner.close()
    postgres_server.run("DROP DATABASE sized", "DROP ROLE looker", database="postgres")


def test_postgresql_tells_a_role_without_rights_and_lets_it_write_nothing(looked_at: Database) -> None:
    found = sizes(looked_at)
    assert found["purchase"].rows == 20000
    assert 2_000_000 < (found["purchase"].bytes or 0) < 8_000_000
    assert found["audit.entry"].rows == 500
    assert found["audit.entry"].bytes == (found["audit.low"].bytes or 0) + (found["audit.high"].bytes or 0)
    assert found["fresh"] == Size(None, 0)
    assert "pg_class" not in found
    with pytest.raises(DatabaseFailure, match=r"permission denied|read-only"):
        ran(looked_at, "CREATE TEMP TABLE t (id int)")


def test_a_table_that_is_locked_keeps_nobody_waiting(looked_at: Database, postgres_server: Server) -> None:
    other = databases.open_url(postgres_server.url("sized"))
    other.begin()
    ran(other, "LOCK TABLE purchase IN ACCESS EXCLUSIVE MODE")
    try:
        assert sizes(looked_at)["purchase"].rows == 20000
    finally:
        other.close()


@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
def test_mysql_and_mariadb_tell_a_user_who_may_select(request: pytest.FixtureRequest, engine: str) -> None:
    server: Server = request.getfixturevalue(f"{engine}_server")
    server.run(
        "DROP DATABASE IF EXISTS sized", "CREATE DATABASE sized", "CREATE TABLE sized.purchase (id int PRIMARY KEY, note varchar(200))",
        "INSERT INTO sized.purchase WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, repeat('x', 100) FROM n",
        "ANALYZE TABLE sized.purchase", "DROP USER IF EXISTS looker", "CREATE USER looker IDENTIFIED BY 'looks1234'",
        "GRANT SELECT ON sized.* TO looker",
    )  # fmt: skip
    reader = databases.open_url(server.url("sized", user="looker", password="looks1234"))
    try:
        found = sizes(reader)
    finally:
        reader.close()
        server.run("DROP DATABASE sized", "DROP USER looker")
    assert set(found) == {"purchase"}
    assert 600 < (found["purchase"].rows or 0) < 1200
    assert (found["purchase"].bytes or 0) > 16_000


def test_clickhouse_tells_rows_and_bytes(clickhouse_server: Server) -> None:
    clickhouse_server.run(
        "DROP DATABASE IF EXISTS sized", "CREATE DATABASE sized",
        "CREATE TABLE sized.purchase (id UInt64) ENGINE = MergeTree ORDER BY id", "INSERT INTO sized.purchase SELECT number FROM numbers(5000)",
    )  # fmt: skip
    reader = databases.open_url(clickhouse_server.url("sized"))
    try:
        found = sizes(reader)["purchase"]
    finally:
        reader.close()
        clickhouse_server.run("DROP DATABASE sized")
    assert found.rows == 5000
    assert (found.bytes or 0) > 0


def test_sqlite_tells_what_analyze_kept_and_counts_the_rest(tmp_path: Path) -> None:
    owner = databases.open_url(f"sqlite://{tmp_path}/sized.db")
    ran(
        owner,
        'CREATE TABLE "odd ""name" (id integer PRIMARY KEY)',
        'INSERT INTO "odd ""name" VALUES (1), (2)',
        "CREATE TABLE kept (id integer PRIMARY KEY, n int)",
        "CREATE INDEX kept_n ON kept (n)",
        "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300) INSERT INTO kept SELECT i, i FROM c",
        "ANALYZE kept",
        "DELETE FROM kept WHERE id > 10",
    )
    found = sizes(owner)
    owner.close()
    assert found['odd "name'].rows == 2
    assert found["kept"].rows == 300
    assert set(found) == {'odd "name', "kept"}


class Answering:
    """A session of an engine that no test machine has: it answers with rows as the vendor's pages describe them."""

    version = (1,)
    name = "shop"

    def __init__(self, dialect: str, rows: list[tuple[object, ...]]) -> None:
        self.dialect, self.asked = dialect, list[str]()
        self._rows = rows

    def execute(self, statements: list[Sql], *, transaction: bool) -> None:
        self.asked += [each.text for each in statements]

    def query(self, sql: str) -> list[tuple[object, ...]]:
        self.asked.append(sql)
        return self._rows


@pytest.mark.parametrize(("dialect", "schema"), [("redshift", "public"), ("sqlserver", "dbo"), ("snowflake", "PUBLIC")])
def test_the_default_schema_goes_without_saying(dialect: str, schema: str) -> None:
    session = Answering(dialect, [(schema, "purchase", "84000000", 12_000_000_000), ("audit", "entry", None, 5)])
    assert sizes(session) == {"purchase": Size(84_000_000, 12_000_000_000), "audit.entry": Size(None, 5)}  # type: ignore[arg-type]
    assert len(session.asked) == 1 + len(GUARDS[dialect])
