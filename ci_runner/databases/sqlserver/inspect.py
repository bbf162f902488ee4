"""The schema of a SQL Server database: information_schema, and the catalogue views where that is silent about indexes and checks.

(https://learn.microsoft.com/sql/relational-databases/system-catalog-views)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ci_runner.databases import standard
from ci_runner.model.inspected import Schema

Query = Callable[[str], list[tuple[Any, ...]]]

SYSTEM = ("sys", "INFORMATION_SCHEMA", "guest")
_INDEXES = """SELECT s.name, t.name, i.name, i.type_desc, i.is_unique, c.name, k.is_descending_key, k.is_included_column, i.filter_definition
FROM sys.indexes i JOIN sys.tables t ON t.object_id = i.object_id JOIN sys.schemas s ON s.schema_id = t.schema_id
JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id
JOIN sys.columns c ON c.object_id = i.object_id AND c.column_id = k.column_id
WHERE i.is_primary_key = 0 AND i.is_unique_constraint = 0 AND i.name IS NOT NULL AND t.is_ms_shipped = 0
ORDER BY s.name, t.name, i.name, k.is_included_column, k.key_ordinal, k.index_column_id"""


def inspect(query: Query, _database: str) -> Schema:
    """Tables with columns, keys and indexes, and views, of every schema; those of dbo by their bare name."""
    parts: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in query(_INDEXES):
        table = row[1] if row[0] == "dbo" else f"{row[0]}.{row[1]}"
        parts.setdefault((table, row[2]), []).append(row)
    indexes: dict[str, dict[str, str]] = {}
    for (table, name), rows in parts.items():
        indexes.setdefault(table, {})[name] = _index(rows)
    return standard.inspect(query, "dbo", SYSTEM, more=indexes)


def _index(rows: list[tuple[Any, ...]]) -> str:
    kind, unique, where = rows[0][3], rows[0][4], rows[0][8]
    columns = ", ".join(f"{row[5]} desc" if row[6] else str(row[5]) for row in rows if not row[7])
    included = ", ".join(str(row[5]) for row in rows if row[7])
    words = f"{'unique ' if unique else ''}{kind.lower()} ({columns})"
    return words + (f" include ({included})" if included else "") + (f" where {where}" if where else "")
