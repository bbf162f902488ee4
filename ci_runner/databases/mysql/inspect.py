"""The schema of a MySQL or MariaDB database, read from information_schema (the manuals' chapter of that name)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ci_runner.model.inspected import Column, Schema, Table

Query = Callable[[str], list[tuple[Any, ...]]]

SYSTEM = ("mysql", "sys", "information_schema", "performance_schema")
_TABLES = """SELECT table_schema, table_name, concat_ws(' ', engine, table_collation) FROM information_schema.tables
WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND {own} ORDER BY 1, 2"""
_COLUMNS = """SELECT table_schema, table_name, column_name, column_type, is_nullable, column_default, extra, generation_expression
FROM information_schema.columns WHERE {own} ORDER BY table_schema, table_name, ordinal_position"""
_INDEXES = """SELECT table_schema, table_name, index_name, non_unique, index_type, column_name, sub_part{expression}
FROM information_schema.statistics WHERE {own} ORDER BY table_schema, table_name, index_name, seq_in_index"""
# Not joined by the server: MariaDB fills its views anew for each query and compares every row with every other.
_FOREIGN = """SELECT table_schema, table_name, constraint_name, column_name, referenced_table_name, referenced_column_name
FROM information_schema.key_column_usage
WHERE referenced_table_name IS NOT NULL AND {own} ORDER BY table_schema, table_name, constraint_name, ordinal_position"""
_RULES = """SELECT constraint_schema, table_name, constraint_name, update_rule, delete_rule
FROM information_schema.referential_constraints WHERE {own}"""
_CHECKS_MARIADB = """SELECT constraint_schema, table_name, constraint_name, check_clause FROM information_schema.check_constraints
WHERE {own} ORDER BY 1, 2, 3"""
_CHECKS_MYSQL = """SELECT c.constraint_schema, t.table_name, c.constraint_name, c.check_clause FROM information_schema.check_constraints c
JOIN information_schema.table_constraints t ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name
WHERE t.constraint_type = 'CHECK' AND {own} ORDER BY 1, 2, 3"""
_TRIGGERS = """SELECT event_object_schema, event_object_table, trigger_name, concat_ws(' ', action_timing, event_manipulation, action_statement)
FROM information_schema.triggers WHERE {own} ORDER BY 1, 2, 3"""
_VIEWS = "SELECT table_schema, table_name, view_definition FROM information_schema.views WHERE {own} ORDER BY 1, 2"
_ROUTINES = """SELECT routine_schema, routine_name, concat_ws(' ', lower(routine_type), dtd_identifier, routine_definition)
FROM information_schema.routines WHERE {own} ORDER BY 1, 2"""


def inspect(query: Query, database: str) -> Schema:
    """Everything in ``database``; with "" in every database that is not the server's own, names qualified."""
    mariadb = "mariadb" in str(query("SELECT version()")[0][0]).lower()

    def rows(sql: str, column: str) -> list[tuple[Any, ...]]:
        return query(sql.replace("{own}", own(column, database)))

    def name(schema: str, own: str) -> str:
        return own if schema == database else f"{schema}.{own}"

    columns = _columns(rows(_COLUMNS, "table_schema"), name, mariadb=mariadb)
    indexes, keys = _indexes(
        rows(_INDEXES.replace("{expression}", ", NULL" if mariadb else ", expression"), "table_schema"), name
    )
    foreign = rows(_FOREIGN, "table_schema")
    constraints = _foreign(foreign, rows(_RULES, "constraint_schema") if foreign else (), name)
    checks = rows(_CHECKS_MARIADB, "constraint_schema") if mariadb else _mysql_checks(rows, query)
    for schema, table, constraint, clause in checks:
        constraints.setdefault(name(schema, table), {})[constraint] = f"check ({clause})"
    for table, key in keys.items():
        constraints.setdefault(table, {})["PRIMARY"] = key
    triggers: dict[str, dict[str, str]] = {}
    for schema, table, trigger, text in rows(_TRIGGERS, "event_object_schema"):
        triggers.setdefault(name(schema, table), {})[trigger] = text
    return Schema(
        tables={
            full: Table(
                columns.get(full, {}),
                indexes.get(full, {}),
                constraints.get(full, {}),
                triggers.get(full, {}),
                options or "",
            )
            for full, options in (
                (name(schema, table), options) for schema, table, options in rows(_TABLES, "table_schema")
            )
        },
        views={name(schema, view): text for schema, view, text in rows(_VIEWS, "table_schema")},
        functions={name(schema, routine): text for schema, routine, text in rows(_ROUTINES, "routine_schema")},
    )


def own(column: str, database: str) -> str:
    """The condition that ``column`` names the ``database``; with "" any but the server's own."""
    if database:
        return f"{column} = '{database.replace(chr(92), chr(92) * 2).replace(chr(39), chr(39) * 2)}'"
    return f"{column} NOT IN ({', '.join(repr(name) for name in SYSTEM)})"


def _mysql_checks(rows: Callable[[str, str], list[tuple[Any, ...]]], query: Query) -> list[tuple[Any, ...]]:
    """CHECK constraints came with MySQL 8.0.16."""
    found = query(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'information_schema' AND table_name = 'CHECK_CONSTRAINTS'"
    )
    return rows(_CHECKS_MYSQL, "c.constraint_schema") if found else []


def _columns(
    rows: Iterable[tuple[Any, ...]], name: Callable[[str, str], str], *, mariadb: bool
) -> dict[str, dict[str, Column]]:
    tables: dict[str, dict[str, Column]] = {}
    for schema, table, column, kind, nullable, default, extra, generated in rows:
        shown = "" if default is None or (mariadb and default == "NULL") else str(default)
        further = extra.replace("DEFAULT_GENERATED", "").strip().lower()
        text = f"{further}: {generated}" if generated else further
        tables.setdefault(name(schema, table), {})[column] = Column(_text(kind), nullable == "YES", shown, text)
    return tables


def _indexes(
    rows: Iterable[tuple[Any, ...]], name: Callable[[str, str], str]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Indexes by table and name, and primary keys by table."""
    parts: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in rows:
        parts.setdefault((name(row[0], row[1]), row[2]), []).append(row)
    indexes: dict[str, dict[str, str]] = {}
    keys: dict[str, str] = {}
    for (table, index), members in parts.items():
        columns = ", ".join((row[5] or f"({row[7]})") + (f"({row[6]})" if row[6] else "") for row in members)
        if index == "PRIMARY":
            keys[table] = f"primary key ({columns})"
        else:
            indexes.setdefault(table, {})[index] = (
                f"{'' if members[0][3] else 'unique '}{members[0][4].lower()} ({columns})"
            )
    return indexes, keys


def _foreign(
    rows: Iterable[tuple[Any, ...]], rules: Iterable[tuple[Any, ...]], name: Callable[[str, str], str]
) -> dict[str, dict[str, str]]:
    acting = {tuple(rule[:3]): f"on update {rule[3]} on delete {rule[4]}".lower() for rule in rules}
    parts: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in rows:
        parts.setdefault((name(row[0], row[1]), row[2]), []).append(row)
    found: dict[str, dict[str, str]] = {}
    for (table, constraint), members in parts.items():
        near, far = (", ".join(row[column] for row in members) for column in (3, 5))
        actions = acting.get(tuple(members[0][:3]), "")
        found.setdefault(table, {})[constraint] = f"foreign key ({near}) references {members[0][4]} ({far}) {actions}"
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
