"""The catalog against SQLite itself: after any history that the library takes, both know the same schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from hypothesis import HealthCheck, given, settings

from ci_runner.model.schema import Catalog
from tests.sql.ddl import Seen, folded, histories

NAMES = {
    "t": ("t1", "T2", '"T 3"', "[t4]", "main.t1"),
    "u": ("t1", "t2"),
    "n": ("n1", "t2", '"T 3"'),
    "c": ("a", "B", "c", '"D"'),
    "d": ("a", "b", "e"),
    "y": ("INTEGER", "TEXT", "VARCHAR(20)", "NUMERIC(10, 2)", "unsigned big int", ""),
    "i": ("i1", "I2", "main.i1"),
}
TEMPLATES = (
    "CREATE TABLE {t} (a INTEGER PRIMARY KEY AUTOINCREMENT, b {y}, c TEXT NOT NULL DEFAULT 'x')",
    "CREATE TABLE {t} (a INT, b TEXT UNIQUE ON CONFLICT REPLACE, c {y} CHECK (c > 0), d TEXT COLLATE NOCASE)",
    "CREATE TABLE IF NOT EXISTS {t} (a, b REFERENCES {u} (a) ON DELETE CASCADE, CONSTRAINT k UNIQUE (a, b))",
    "CREATE TABLE {t} (a TEXT NOT NULL, b INT, c INT AS (b + 1), d INT GENERATED ALWAYS AS (b) STORED, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "CREATE TABLE {t} (a INT, b INT, FOREIGN KEY (a, b) REFERENCES {u} (a, b) DEFERRABLE INITIALLY DEFERRED) STRICT",
    "CREATE TEMP TABLE x1 (a INT)",
    "DROP TABLE {t}",
    "DROP TABLE IF EXISTS {t}",
    "ALTER TABLE {t} RENAME TO {n}",
    "ALTER TABLE {t} RENAME COLUMN {c} TO {d}",
    "ALTER TABLE {t} RENAME {c} TO {d}",
    "ALTER TABLE {t} ADD COLUMN {c} {y}",
    "ALTER TABLE {t} ADD {d} {y} NOT NULL DEFAULT 1",
    "ALTER TABLE {t} ADD COLUMN {d} INT REFERENCES {u} (a)",
    "ALTER TABLE {t} ADD COLUMN {d} INT GENERATED ALWAYS AS (a) VIRTUAL",
    "ALTER TABLE {t} DROP COLUMN {c}",
    "ALTER TABLE {t} DROP {d}",
    "CREATE INDEX {i} ON {u} ({c})",
    "CREATE UNIQUE INDEX {i} ON {u} ({c}, {d} COLLATE NOCASE DESC) WHERE a IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS {i} ON {u} (lower({c}))",
    "DROP INDEX {i}",
    "DROP INDEX IF EXISTS {i}",
    "CREATE VIEW v1 AS SELECT a FROM {t}",
    "CREATE VIEW IF NOT EXISTS v1 AS SELECT a FROM {u}",
    "DROP VIEW v1",
    "DROP VIEW IF EXISTS v2",
    "CREATE TRIGGER IF NOT EXISTS r AFTER INSERT ON {u} BEGIN DELETE FROM t2; END",
)  # fmt: skip


def taken(connection: sqlite3.Connection, history: list[str]) -> list[str]:
    """The statements the library takes."""
    found = []
    for statement in history:
        try:
            connection.execute(statement)
        except sqlite3.Error:
            continue
        found.append(statement)
    return found


def real(connection: sqlite3.Connection) -> Seen:
    """What SQLite's pragmas say of the main database."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    tables: dict[str, list[tuple[str, str, bool, bool, str]]] = {}
    constraints: dict[str, list[tuple[str, str, tuple[str, ...], bool]]] = {}
    indexes: dict[str, dict[str, tuple[bool, tuple[str | None, ...]]]] = {}
    for (name,) in rows("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        table, quoted = name.lower(), "'" + name.replace("'", "''") + "'"
        columns = rows(f'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo({quoted})')
        tables[table] = [
            (c.lower(), kind.lower().replace(" ", ""), not (must or pk), default is not None, {2: "generated", 3: "generated"}.get(hidden, ""))
            for c, kind, must, default, pk, hidden in columns
        ]  # fmt: skip
        keys = sorted((pk, c.lower()) for c, _, _, _, pk, _ in columns if pk)
        found = [("", "primary-key", tuple(c for _, c in keys), True)] if keys else []
        foreign: dict[int, list[str]] = {}
        for number, column in rows(f'SELECT id, "from" FROM pragma_foreign_key_list({quoted}) ORDER BY id, seq'):
            foreign.setdefault(number, []).append(column.lower())
        found += [("", "foreign-key", tuple(each), True) for each in foreign.values()]
        for index, unique, origin in rows(f'SELECT name, "unique", origin FROM pragma_index_list({quoted})'):
            parts = tuple(
                c and c.lower() for (c,) in rows(f"SELECT name FROM pragma_index_info('{index}') ORDER BY seqno")
            )
            if origin == "c":
                indexes.setdefault(table, {})[index.lower()] = (bool(unique), parts)
            elif origin == "u":
                found.append(("", "unique", parts, True))
        if found:
            constraints[table] = sorted(found)
    views = {name.lower() for (name,) in rows("SELECT name FROM main.sqlite_master WHERE type = 'view'")}
    return Seen(tables, constraints, indexes, {"views": views})


def told(state: Catalog) -> Seen:
    """What the catalog says."""
    tables = {str(key): table for key, table in state.tables.items() if not table.temporary}
    return Seen(
        {
            name: [
                (
                    c.name.lower(), (c.type.text if c.type else "").lower().replace(" ", ""), c.nullable is not False,
                    c.default is not None and not c.generated, "generated" if c.generated else "",
                )
                for c in table.columns.values()
            ]
            for name, table in tables.items()
        },
        {
            name: sorted(("", c.kind, tuple(x.lower() for x in c.columns), True) for c in table.constraints if c.kind != "check")
            for name, table in tables.items() if [c for c in table.constraints if c.kind != "check"]
        },
        {
            name: {key: (i.unique, tuple(x if x in table.columns else None for x in i.columns)) for key, i in own.items()}
            for name, table in tables.items()
            if (own := {key: i for key, i in table.indexes.items() if "constraint" not in i.options})
        },
        {"views": {str(key) for key in state.views}},
    )  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories(TEMPLATES, NAMES))
def test_catalog_and_library_know_the_same_schema(history: list[str]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        accepted = taken(connection, history)
        expected = real(connection)
    assert told(folded(accepted, "sqlite")) == expected, accepted
