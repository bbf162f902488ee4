"""A schema read from information_schema (ISO/IEC 9075-11), as far as SQL Server, Redshift and Snowflake have it alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ci_runner.databases.address import IN_USE
from ci_runner.model.inspected import Column, Schema, Table

Query = Callable[[str], list[tuple[Any, ...]]]

_TABLES = """SELECT table_schema, table_name FROM information_schema.tables
WHERE table_type IN ('BASE TABLE', 'TABLE') AND {own} ORDER BY 1, 2"""
_COLUMNS = """SELECT table_schema, table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale,
 is_nullable, column_default FROM information_schema.columns WHERE {own} ORDER BY table_schema, table_name, ordinal_position"""
_KEYS = """SELECT c.table_schema, c.table_name, c.constraint_name, c.constraint_type, k.column_name
FROM information_schema.table_constraints c LEFT JOIN information_schema.key_column_usage k
 ON k.constraint_schema = c.constraint_schema AND k.constraint_name = c.constraint_name AND k.table_name = c.table_name
WHERE c.constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') AND {own} ORDER BY 1, 2, 3, k.ordinal_position"""
_VIEWS = "SELECT table_schema, table_name, view_definition FROM information_schema.views WHERE {own} ORDER BY 1, 2"
_SIZED = frozenset({"numeric", "decimal", "number"})


def inspect(
    query: Query,
    schema: str,
    system: Iterable[str],
    *,
    keys: bool = True,
    more: dict[str, dict[str, str]] | None = None,
) -> Schema:
    """All schemas but those of ``system``; names of the default ``schema`` stay bare. ``more`` are indexes by table and name."""
    own = f"table_schema NOT IN ({', '.join(map(text, system))})"

    def rows(sql: str, prefix: str = "") -> list[tuple[Any, ...]]:
        return query(sql.replace("{own}", prefix + own))

    def name(place: str, plain: str) -> str:
        return plain if place == schema else f"{place}.{plain}"

    columns: dict[str, dict[str, Column]] = {}
    for place, table, column, *rest in rows(_COLUMNS):
        columns.setdefault(name(place, table), {})[column] = _column(*rest)
    constraints: dict[str, dict[str, str]] = {}
    for place, table, constraint, kind, column in rows(_KEYS, "c.") if keys else ():
        of_table = constraints.setdefault(name(place, table), {})
        before = of_table.get(constraint, "")
        of_table[constraint] = f"{before[:-1]}, {column})" if before else f"{kind.lower()} ({column})"
    names = [name(place, table) for place, table in rows(_TABLES) if table.lower() != IN_USE]
    return Schema(
        tables={
            each: Table(columns.get(each, {}), (more or {}).get(each, {}), constraints.get(each, {})) for each in names
        },
        views={name(place, view): definition or "" for place, view, definition in rows(_VIEWS)},
    )


def _column(kind: str, length: Any, precision: Any, scale: Any, nullable: str, default: Any) -> Column:
    size = ""
    if length not in (None, 0):
        size = "(max)" if int(length) < 0 else f"({length})"
    elif kind.lower() in _SIZED and precision is not None:
        size = f"({precision},{scale or 0})"
    return Column(f"{kind}{size}", nullable == "YES", "" if default is None else str(default))


def text(value: str) -> str:
    """A value as a string literal."""
    return "'" + value.replace("'", "''") + "'"
