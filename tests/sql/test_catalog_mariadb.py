"""The catalog against MariaDB itself: after any history that the server takes, both know the same schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings

from ci_runner.model.schema import Catalog
from tests.images.servers import PASSWORD, Server
from tests.sql.ddl import Seen, folded, histories

NAMES = {
    "t": ("t1", "t2", "`T 3`"),
    "u": ("t1", "t2"),
    "n": ("n1", "t2", "`T 3`"),
    "c": ("a", "B", "c", "`d`"),
    "d": ("a", "b", "e"),
    "y": ("INT", "BIGINT UNSIGNED", "VARCHAR(20)", "VARCHAR(50)", "DECIMAL(10, 2)", "ENUM('x', 'y')", "DATETIME"),
    "i": ("i1", "I2", "a"),
    "k": ("k1", "k2", "a", "t1_ibfk_1", "t2_ibfk_1", "CONSTRAINT_1"),
}
TEMPLATES = (
    "CREATE TABLE {t} (a INT PRIMARY KEY, b {y}, c TEXT NOT NULL)",
    "CREATE TABLE {t} (a INT NOT NULL, b INT UNIQUE, c BIGINT DEFAULT 5 CHECK (c > 0), KEY (c), PRIMARY KEY (a, b))",
    "CREATE TABLE IF NOT EXISTS {t} (a BIGINT AUTO_INCREMENT, b INT, c {y}, CONSTRAINT {k} UNIQUE (b, a), INDEX {i} (b), PRIMARY KEY (a))",
    "CREATE TABLE {t} (a INT, b INT AS (a + 1) PERSISTENT, c INT GENERATED ALWAYS AS (a) VIRTUAL, UNIQUE {i} (a, b))",
    "CREATE TABLE {t} (a INT, b INT, CHECK (a > 0), CONSTRAINT {k} CHECK (b > a), CHECK (b > 1))",
    "CREATE TABLE {t} LIKE {u}",
    "CREATE OR REPLACE TABLE {t} (a INT, b {y} NOT NULL, UNIQUE (a), UNIQUE (a, b))",
    "DROP TABLE {t}",
    "DROP TABLE IF EXISTS {t}",
    "RENAME TABLE {t} TO {n}",
    "RENAME TABLE {t} TO x, {u} TO {t}, x TO {u}",
    "ALTER TABLE {t} RENAME TO {n}",
    "ALTER TABLE {t} ADD COLUMN {c} {y}",
    "ALTER TABLE {t} ADD COLUMN {c} {y} NOT NULL AFTER {d}",
    "ALTER TABLE {t} ADD ({c} INT, {d} INT DEFAULT 3)",
    "ALTER TABLE {t} ADD COLUMN IF NOT EXISTS {c} INT FIRST",
    "ALTER TABLE {t} DROP COLUMN {c}",
    "ALTER TABLE {t} DROP {c}, ADD z {y}",
    "ALTER TABLE {t} DROP COLUMN IF EXISTS {c}",
    "ALTER TABLE {t} MODIFY {c} {y} NOT NULL",
    "ALTER TABLE {t} MODIFY COLUMN {c} {y} DEFAULT NULL FIRST",
    "ALTER TABLE {t} CHANGE {c} {d} {y}",
    "ALTER TABLE {t} RENAME COLUMN {c} TO {d}",
    "ALTER TABLE {t} ALTER COLUMN {c} SET DEFAULT 1",
    "ALTER TABLE {t} ALTER {c} DROP DEFAULT",
    "ALTER TABLE {t} ADD PRIMARY KEY ({c})",
    "ALTER TABLE {t} DROP PRIMARY KEY",
    "ALTER TABLE {t} ADD UNIQUE ({c})",
    "ALTER TABLE {t} ADD CONSTRAINT {k} UNIQUE KEY ({c}, {d})",
    "ALTER TABLE {t} ADD UNIQUE INDEX {i} ({c})",
    "ALTER TABLE {t} ADD KEY ({c}), ADD INDEX {i} ({d})",
    "ALTER TABLE {t} ADD CONSTRAINT {k} CHECK ({c} IS NOT NULL)",
    "ALTER TABLE {t} ADD CHECK ({c} IS NOT NULL)",
    "ALTER TABLE {t} ADD FOREIGN KEY ({c}) REFERENCES {u} (a)",
    "ALTER TABLE {t} ADD CONSTRAINT {k} FOREIGN KEY ({c}) REFERENCES {u} (b)",
    "ALTER TABLE {t} DROP FOREIGN KEY {k}",
    "ALTER TABLE {t} DROP CONSTRAINT {k}",
    "ALTER TABLE {t} DROP INDEX {i}",
    "ALTER TABLE {t} DROP KEY IF EXISTS {i}",
    "ALTER TABLE {t} RENAME INDEX {i} TO i2",
    "CREATE INDEX {i} ON {t} ({c})",
    "CREATE UNIQUE INDEX IF NOT EXISTS {i} ON {t} ({c}, {d})",
    "DROP INDEX {i} ON {t}",
    "CREATE VIEW v1 AS SELECT a FROM {t}",
    "CREATE OR REPLACE VIEW v1 AS SELECT a FROM {u}",
    "DROP VIEW IF EXISTS v1",
)  # fmt: skip
FIRST = [
    "CREATE TABLE t1 (a INT PRIMARY KEY, b INT, c VARCHAR(20) NOT NULL DEFAULT 'x', e DATETIME)",
    "CREATE TABLE t2 (a INT UNIQUE, b INT, d BIGINT, KEY (b), FOREIGN KEY (a) REFERENCES t1 (a))",
]
KINDS = {"PRIMARY KEY": "primary-key", "FOREIGN KEY": "foreign-key", "CHECK": "check"}
BASES = {"int": "int(11)", "bigint unsigned": "bigint(20) unsigned", "bigint": "bigint(20)"}


@pytest.fixture(scope="module")
def connection(mariadb_server: Server) -> Iterator[Any]:
    port, user = mariadb_server.port, mariadb_server.admin
    with closing(pymysql.connect(host="127.0.0.1", port=port, user=user, password=PASSWORD)) as connection:
        yield connection


def fresh(cursor: Any) -> None:
    """An empty database; foreign keys among its tables must not keep the old one."""
    for statement in (
        "SET foreign_key_checks = 0",
        "CREATE OR REPLACE DATABASE catalog_test",
        "SET foreign_key_checks = 1",
        "USE catalog_test",
    ):
        cursor.execute(statement)


def taken(cursor: Any, history: list[str]) -> list[str]:
    """The statements the server takes."""
    found = []
    for statement in history:
        try:
            cursor.execute(statement)
        except pymysql.Error:
            continue
        found.append(statement)
    return found


def real(cursor: Any) -> Seen:
    """What information_schema says of the database at work; unique keys are indexes here."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        cursor.execute(query)
        return list(cursor.fetchall())

    views = {
        name for (name,) in rows("SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()")
    }
    tables: dict[str, list[tuple[str, str, bool, bool, str]]] = {}
    for table, name, kind, nullable, default, extra in rows(
        "SELECT table_name, column_name, column_type, is_nullable, column_default, extra FROM information_schema.columns"
        " WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
    ):
        if table in views:
            continue
        made = "generated" if "GENERATED" in extra else "identity" if "auto_increment" in extra else ""
        shown = (name.lower(), kind, nullable == "YES", default not in (None, "NULL") and not made, made)
        tables.setdefault(table.lower(), []).append(shown)
    parts: dict[tuple[str, str], list[str]] = {}
    indexes: dict[str, dict[str, tuple[bool, tuple[str | None, ...]]]] = {}
    for table, name, plain, column in rows(
        "SELECT table_name, index_name, non_unique, column_name FROM information_schema.statistics"
        " WHERE table_schema = DATABASE() ORDER BY 1, 2, seq_in_index"
    ):
        known = parts.setdefault((table.lower(), name.lower()), [])
        known.append(column.lower())
        indexes.setdefault(table.lower(), {})[name.lower()] = (not plain, tuple(known))
    constraints: dict[str, list[tuple[str, str, tuple[str, ...], bool]]] = {}
    for table, name, kind in rows(
        "SELECT table_name, constraint_name, constraint_type FROM information_schema.table_constraints"
        " WHERE table_schema = DATABASE() AND constraint_type <> 'UNIQUE'"
    ):
        constraints.setdefault(table.lower(), []).append((name.lower(), KINDS[kind], (), True))
    return Seen(tables, {k: sorted(v) for k, v in constraints.items()}, indexes, {"views": views})


def spelled(text: str) -> str:
    """A type as information_schema writes it."""
    plain = re.sub(r"\s*([,(])\s*", r"\1", text.lower())
    return BASES.get(plain, plain)


def told(state: Catalog) -> Seen:
    """What the catalog says."""
    tables = {str(key): table for key, table in state.tables.items()}
    return Seen(
        {
            name: [
                (
                    c.name, spelled(c.type.text if c.type else "?"), c.nullable is not False, c.default not in (None, "NULL") and not c.generated,
                    "generated" if c.generated else "identity" if c.identity else "",
                )
                for c in table.columns.values()
            ]
            for name, table in tables.items()
        },
        {
            name: sorted((c.name.lower(), c.kind, (), True) for c in table.constraints if c.kind != "unique")
            for name, table in tables.items() if [c for c in table.constraints if c.kind != "unique"]
        },
        {
            name: {key: (i.unique, tuple(x.lower() for x in i.columns)) for key, i in table.indexes.items()}
            for name, table in tables.items() if table.indexes
        },
        {"views": {str(key) for key in state.views}},
    )  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories(TEMPLATES, NAMES))
def test_catalog_and_server_know_the_same_schema(connection: Any, history: list[str]) -> None:
    with connection.cursor() as cursor:
        fresh(cursor)
        accepted = taken(cursor, [*FIRST, *history])
        expected = real(cursor)
    assert told(folded(accepted, "mariadb")) == expected, accepted
