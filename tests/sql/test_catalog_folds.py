"""What statements on schemas, partitions, views, types and settings leave in the catalog."""

from __future__ import annotations

import pytest

from ci_runner import sql
from ci_runner.model.operations import Name
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog
from tests.sql.reading import migration


def folded(text: str, dialect: str = "postgres") -> Catalog:
    return catalog.fold(Catalog(), sql.statements(migration(text), dialect), dialect)


TABLES = [
    ("postgres", "CREATE TABLE s.a (b int); ALTER SCHEMA s RENAME TO t", ["t.a"]),
    ("postgres", "CREATE TABLE s.a (b int); CREATE TABLE b (c int); DROP SCHEMA s CASCADE", ["public.b"]),
    ("postgres", "CREATE TABLE a (b int); ALTER TABLE a SET SCHEMA t", ["t.a"]),
    ("postgres", "CREATE TABLE a (b int); DROP DATABASE public", ["public.a"]),
    ("postgres", "SET search_path = app; CREATE TABLE a (b int); RESET search_path; CREATE TABLE c (d int)", ["app.a", "public.c"]),
    ("postgres", "SET search_path = app; RESET ALL; CREATE TABLE a (b int)", ["public.a"]),
    ("postgres", "BEGIN; SET LOCAL search_path = app; CREATE TABLE a (b int); COMMIT; CREATE TABLE c (d int)", ["app.a", "public.c"]),
    ("postgres", "SELECT set_config('search_path', 'app', false); CREATE TABLE a (b int)", ["app.a"]),
    ("postgres", "SET search_path TO \"$user\", public; CREATE TABLE a (b int)", ["public.a"]),
    ("postgres", "DROP TABLE unknown; DROP TABLE IF EXISTS other", []),
    ("postgres", "ALTER TABLE unknown RENAME TO known", ["public.known"]),
    ("postgres", "CREATE TABLE a (b int); CREATE INDEX i ON a (b); ALTER TABLE i RENAME TO j", ["public.a"]),
    ("mysql", "CREATE TABLE shop.a (b INT); CREATE TABLE c (d INT); DROP DATABASE shop", [".c"]),
    ("mysql", "CREATE TABLE a (b INT); RENAME TABLE a TO shop.c", ["shop.c"]),
    ("sqlserver", "USE shop; CREATE TABLE a (b INT)", ["dbo.a"]),
    ("sqlserver", "CREATE TABLE a (b INT); ALTER SCHEMA s TRANSFER dbo.a", ["s.a"]),
    ("snowflake", "USE SCHEMA s; CREATE TABLE a (b NUMBER)", ["S.A"]),
    ("snowflake", "USE SCHEMA s; USE DATABASE d; CREATE TABLE a (b NUMBER)", ["D.PUBLIC.A"]),
    ("snowflake", "USE WAREHOUSE w; USE ROLE r; CREATE TABLE a (b NUMBER)", ["PUBLIC.A"]),
    ("clickhouse", "CREATE TABLE d.a (b UInt8) ENGINE = Memory; DROP DATABASE d", []),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "expected"), TABLES)
def test_tables_are_where_the_statements_put_them(dialect: str, text: str, expected: list[str]) -> None:
    assert sorted(f"{key.schema}.{key.name}" for key in folded(text, dialect).tables) == expected


@pytest.mark.parametrize("drop", ["DROP FOREIGN KEY k", "DROP CONSTRAINT k"])
def test_the_index_of_a_dropped_foreign_key_stays(drop: str) -> None:
    text = f"CREATE TABLE b (c int, KEY (c)); CREATE TABLE a (c int, CONSTRAINT k FOREIGN KEY (c) REFERENCES b (c)); ALTER TABLE a {drop}"
    (table,) = (table for name, table in folded(text, "mariadb").tables.items() if name.name == "a")
    assert (list(table.indexes), table.constraints) == (["k"], ())


def test_a_dropped_schema_takes_the_keys_of_others_to_it_along() -> None:
    state = folded(
        "CREATE TABLE s.p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES s.p (id)); DROP SCHEMA s CASCADE"
    )
    assert state.tables[Name("public", "c")].constraints == ()


def test_a_renamed_schema_keeps_keys_indexes_and_its_birth() -> None:
    state = folded(
        "CREATE SCHEMA s; CREATE TABLE s.p (id int PRIMARY KEY); CREATE INDEX i ON s.p (id);"
        "CREATE TABLE c (p int REFERENCES s.p (id)); ALTER SCHEMA s RENAME TO t"
    )
    reference = state.tables[Name("public", "c")].constraints[0].references
    assert reference is not None
    assert reference.table == Name("t", "p")
    assert state.index_tables[Name("t", "i")] == Name("t", "p")
    assert ("schema", Name("", "t")) in state.born
    assert state.schemas == {"t"}


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("clickhouse", "CREATE TABLE a (x UInt8) ENGINE = Memory; CREATE TABLE b (y UInt8) ENGINE = Memory; EXCHANGE TABLES a AND b"),
        ("snowflake", 'CREATE TABLE "a" ("x" NUMBER); CREATE TABLE "b" ("y" NUMBER); ALTER TABLE "a" SWAP WITH "b"'),
    ],
)  # fmt: skip
def test_an_exchange_swaps_what_stands_behind_two_names(dialect: str, text: str) -> None:
    found = {key.name: list(table.columns) for key, table in folded(text, dialect).tables.items()}
    assert found == {"a": ["y"], "b": ["x"]}


def test_an_exchange_with_an_unknown_table_leaves_one_known_in_part() -> None:
    state = folded("CREATE TABLE a (x UInt8) ENGINE = Memory; EXCHANGE TABLES a AND b", "clickhouse")
    assert state.tables[Name("default", "a")].partial
    assert list(state.tables[Name("default", "b")].columns) == ["x"]


def test_a_partition_knows_its_parent_until_it_is_detached() -> None:
    text = "CREATE TABLE p (b int) PARTITION BY RANGE (b); CREATE TABLE c (b int);"
    text += "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1) TO (2);"
    assert folded(text).tables[Name("public", "c")].partition_of == Name("public", "p")
    assert folded(text + "ALTER TABLE p DETACH PARTITION c").tables[Name("public", "c")].partition_of is None


def test_mysqls_exchange_of_a_partition_moves_rows_and_no_names() -> None:
    text = "CREATE TABLE a (b INT) PARTITION BY HASH (b); CREATE TABLE c (b INT);"
    assert (
        folded(text + "ALTER TABLE a EXCHANGE PARTITION p0 WITH TABLE c", "mysql").tables
        == folded(text, "mysql").tables
    )


@pytest.mark.parametrize(
    ("change", "table", "column"),
    [
        ("CONVERT TO CHARACTER SET utf8mb4", "utf8mb4", ""),
        ("DEFAULT CHARACTER SET utf8mb4", "utf8mb4", "latin1"),
        ("COLLATE utf8mb4_bin", "latin1", ""),
    ],
)
def test_the_charset_of_columns_follows_a_conversion_and_no_new_default(change: str, table: str, column: str) -> None:
    state = folded(f"CREATE TABLE a (b VARCHAR(9)) DEFAULT CHARSET = latin1; ALTER TABLE a {change}", "mysql")
    known = state.tables[Name("", "a")]
    assert (known.charset, known.columns["b"].charset) == (table, column)


GONE = [
    "CREATE VIEW v AS SELECT 1; DROP VIEW v",
    "CREATE MATERIALIZED VIEW v AS SELECT 1; DROP MATERIALIZED VIEW v",
    "CREATE TYPE m AS ENUM ('x'); DROP TYPE m",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f()",
    "DROP VIEW unknown; DROP TYPE unknown; DROP FUNCTION unknown(); DROP SEQUENCE unknown",
]


@pytest.mark.parametrize("text", GONE)
def test_what_is_dropped_is_no_longer_known(text: str) -> None:
    state = folded(text)
    assert (dict(state.views), dict(state.enums), dict(state.functions)) == ({}, {}, {})


def test_views_keep_what_they_read_when_they_are_renamed_or_made_again() -> None:
    text = "CREATE TABLE a (b int); CREATE TABLE c (d int); CREATE VIEW v AS SELECT b FROM a;"
    assert dict(folded(text + "ALTER VIEW v RENAME TO w").views) == {Name("public", "w"): (Name("public", "a"),)}
    assert dict(folded(text + "ALTER TABLE v RENAME TO w").views) == {Name("public", "w"): (Name("public", "a"),)}
    replaced = folded(text + "CREATE OR REPLACE VIEW v AS SELECT d FROM c").views
    assert dict(replaced) == {Name("public", "v"): (Name("public", "c"),)}


def test_an_enum_grows_once_by_each_value() -> None:
    state = folded("ALTER TYPE m ADD VALUE 'x'; ALTER TYPE m ADD VALUE IF NOT EXISTS 'x'; ALTER TYPE n RENAME TO o")
    assert dict(state.enums) == {Name("public", "m"): ("x",)}


def test_clickhouse_remembers_what_every_node_has() -> None:
    state = folded(
        "CREATE DATABASE d ON CLUSTER c ENGINE = Replicated('/x', 's', 'r'); CREATE VIEW v ON CLUSTER c AS SELECT 1;"
        "CREATE FUNCTION f ON CLUSTER c AS (x) -> x; CREATE TABLE a (b UInt8) ENGINE = Memory", "clickhouse",
    )  # fmt: skip
    assert {"d", "v", "f"} == {key.name for key in state.clustered}
    assert state.creates == (1, 1)
    assert state.replicated == {"d"}
    dropped = catalog.fold(state, sql.statements(migration("DROP DATABASE d"), "clickhouse"), "clickhouse")
    assert dropped.replicated == frozenset()


COPIES = [
    ("mysql", "CREATE TABLE a (b INT PRIMARY KEY, c INT UNIQUE); CREATE TABLE d LIKE a", {"primary-key", "unique"}),
    ("postgres", "CREATE TABLE a (b int PRIMARY KEY); CREATE TABLE d (LIKE a)", set()),
    ("postgres", "CREATE TABLE a (b int PRIMARY KEY); CREATE TABLE d (LIKE a INCLUDING ALL)", {"primary-key"}),
    ("postgres", "CREATE TABLE a (b int PRIMARY KEY); CREATE TABLE d AS SELECT b FROM a", set()),
    ("snowflake", "CREATE TABLE a (b NUMBER PRIMARY KEY); CREATE TABLE d CLONE a", {"primary-key"}),
]


@pytest.mark.parametrize(("dialect", "text", "expected"), COPIES)
def test_a_copy_has_the_keys_its_dialect_copies(dialect: str, text: str, expected: set[str]) -> None:
    (copy,) = (table for key, table in folded(text, dialect).tables.items() if key.name.lower() == "d")
    assert {constraint.kind for constraint in copy.constraints} == expected


# Each text and what PostgreSQL 15 names the constraints and indexes of its last table.
NUMBERED = {
    "checks": ("CREATE TABLE a_b (c int CHECK (c > 0)); CREATE TABLE a (b_c int CHECK (b_c > 0))", {"a_b_c_check1"}),
    "foreign keys": (
        "CREATE TABLE r (i int PRIMARY KEY); CREATE TABLE f_g (h int REFERENCES r); CREATE TABLE f (g_h int REFERENCES r)",
        {"f_g_h_fkey1"},
    ),
    "keys beside a check": (
        "CREATE TABLE y_x (i int, CONSTRAINT y_x_z_key CHECK (i > 1)); CREATE TABLE y (x_z int UNIQUE)", {"y_x_z_key1"},
    ),
    "a key beside a table": ("CREATE TABLE u_k_key (i int); CREATE TABLE u (k int UNIQUE)", {"u_k_key1"}),
    "a check beside a table": ("CREATE TABLE t_a_check (i int); CREATE TABLE t (a int CHECK (a > 0))", {"t_a_check"}),
    "a check beside an index": (
        "CREATE TABLE r (i int); CREATE INDEX q_p_check ON r (i); CREATE TABLE q (p int CHECK (p > 1))", {"q_p_check"},
    ),
    "another schema": ("CREATE TABLE a_b (c int CHECK (c > 0)); CREATE TABLE s.a (b_c int CHECK (b_c > 0))", {"a_b_c_check"}),
}  # fmt: skip


@pytest.mark.parametrize("case", NUMBERED)
def test_names_postgresql_gives_are_numbered_where_a_constraint_of_the_schema_has_them(case: str) -> None:
    text, expected = NUMBERED[case]
    last = list(folded(text, "postgres").tables.values())[-1]
    assert {constraint.name for constraint in last.constraints} == expected
