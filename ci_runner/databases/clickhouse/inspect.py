"""The schema of a ClickHouse database, read from its system tables (https://clickhouse.com/docs/operations/system-tables)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ci_runner.databases.address import IN_USE
from ci_runner.model.inspected import Column, Schema, Table

Query = Callable[[str], list[tuple[Any, ...]]]

SYSTEM = ("system", "information_schema", "INFORMATION_SCHEMA", "_system")
_TABLES = """SELECT database, name, engine, engine_full, create_table_query, as_select FROM system.tables
WHERE {own} AND NOT is_temporary AND name NOT LIKE '.inner%' AND name <> '{in_use}' ORDER BY 1, 2"""
_COLUMNS = """SELECT database, table, name, type, default_kind, default_expression, compression_codec, comment FROM system.columns
WHERE {own} ORDER BY database, table, position"""
_INDEXES = """SELECT database, table, name, expr, type_full, granularity FROM system.data_skipping_indices WHERE {own} ORDER BY 1, 2, 3"""
_FUNCTIONS = "SELECT name, create_query FROM system.functions WHERE origin = 'SQLUserDefined' ORDER BY 1"
_UUID = re.compile(r" UUID '[^']*'")
# In a CREATE TABLE as the server shows it, each of these is written this way: CONSTRAINT c CHECK e, PROJECTION p (SELECT …).
_PART = re.compile(r"(?P<kind>CONSTRAINT|PROJECTION) (?P<name>`[^`]*`|\w+) (?P<text>(?:CHECK|ASSUME) |\()")


def inspect(query: Query, database: str) -> Schema:
    """Everything in ``database``; with "" in every database that is not the server's own, names qualified."""
    own = f"database = {text(database)}" if database else f"database NOT IN ({', '.join(map(text, SYSTEM))})"

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return query(sql.replace("{own}", own).replace("{in_use}", IN_USE))

    def name(schema: str, plain: str) -> str:
        return plain if schema == database else f"{schema}.{plain}"

    columns: dict[str, dict[str, Column]] = {}
    for schema, table, column, *rest in rows(_COLUMNS):
        columns.setdefault(name(schema, table), {})[column] = _column(*rest)
    indexes: dict[str, dict[str, str]] = {}
    for schema, table, index, expression, kind, granularity in rows(_INDEXES):
        indexes.setdefault(name(schema, table), {})[index] = f"{expression} type {kind} granularity {granularity}"
    tables: dict[str, Table] = {}
    views: dict[str, str] = {}
    for schema, plain, engine, options, create, select in rows(_TABLES):
        full = name(schema, plain)
        if engine.endswith("View"):
            views[full] = select if engine == "View" else _UUID.sub("", create)
        else:
            described = options or (_UUID.sub("", create) if engine == "Dictionary" else engine)
            tables[full] = Table(columns.get(full, {}), indexes.get(full, {}), _parts(create), {}, described)
    return Schema(tables=tables, views=views, functions=dict(query(_FUNCTIONS)))


def _column(kind: str, default_kind: str, expression: str, codec: str, comment: str) -> Column:
    """A computed column is generated, one that is only filled in has a default; codec and comment belong to the type's text."""
    words = " ".join(part for part in (kind, codec, f"comment {text(comment)}" if comment else "") if part)
    nullable = kind.startswith(("Nullable(", "LowCardinality(Nullable("))
    if default_kind == "DEFAULT":
        return Column(words, nullable, expression)
    return Column(words, nullable, "", f"{default_kind.lower()} {expression}".strip())


def _parts(create: str) -> dict[str, str]:
    """Constraints and projections: no system table of older servers lists them."""
    found: dict[str, str] = {}
    for part in _PART.finditer(create):
        end = _end(create, part.start("text"))
        found[part["name"].strip("`")] = f"{part['kind'].lower()} {create[part.start('text') : end].strip()}"
    return found


def _end(create: str, start: int) -> int:
    """Where a part of a list in parentheses ends: at its comma, or at the list's own closing one."""
    depth, position, quote = 0, start, ""
    while position < len(create):
        character = create[position]
        if quote:
            position += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'`\"":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        if depth < 0 or (character == "," and depth == 0 and not quote):
            break
        position += 1
    return position


def text(value: str) -> str:
    """A value as a string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def name_of(value: str) -> str:
    """A name as a quoted identifier."""
    return "`" + value.replace("\\", "\\\\").replace("`", "\\`") + "`"
