"""The schema of an SQLite database, read through its PRAGMAs and sqlite_schema (https://sqlite.org/pragma.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ci_runner.model.inspected import Column, Schema, Table

Query = Callable[[str], list[tuple[Any, ...]]]

_TABLES = (
    "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
)
_GENERATED = {2: "virtual", 3: "stored"}


def inspect(query: Query) -> Schema:
    """Tables with columns, indexes, constraints and triggers, and views."""
    indexes = _grouped(query, "index")
    triggers = _grouped(query, "trigger")
    listed = {
        row[0]: row[1:] for row in query("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'")
    }
    return Schema(
        tables={
            name: Table(
                _columns(query, name),
                indexes.get(name, {}),
                _constraints(query, name, sql or ""),
                triggers.get(name, {}),
                _options(*listed[name]),
            )
            for name, sql in query(_TABLES)
            if listed[name][0] != "shadow"
        },
        views=dict(query("SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY name")),
    )


def _options(kind: str, without_rowid: int, strict: int) -> str:
    return " ".join(
        ["virtual"] * (kind == "virtual") + ["without rowid"] * bool(without_rowid) + ["strict"] * bool(strict)
    )


def _grouped(query: Query, kind: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    sql = f"SELECT tbl_name, name, sql FROM sqlite_schema WHERE type = '{kind}' AND sql IS NOT NULL ORDER BY tbl_name, name"
    for table, name, text in query(sql):
        found.setdefault(table, {})[name] = text
    return found


def _columns(query: Query, table: str) -> dict[str, Column]:
    rows = query(
        f'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo({_text(table)}) WHERE hidden <> 1'
    )
    return {
        name: Column(kind, not not_null, default or "", _GENERATED.get(hidden, ""))
        for name, kind, not_null, default, _, hidden in rows
    }


def _constraints(query: Query, table: str, sql: str) -> dict[str, str]:
    """Primary key, unique constraints and foreign keys by what they hold; SQLite keeps names and checks only in the table's text."""
    argument = _text(table)
    key = [row[0] for row in query(f"SELECT name FROM pragma_table_xinfo({argument}) WHERE pk > 0 ORDER BY pk")]
    found = (
        {f"primary key ({', '.join(key)})": "autoincrement" if "autoincrement" in sql.lower() else ""} if key else {}
    )
    for (name,) in query(f"SELECT name FROM pragma_index_list({argument}) WHERE origin = 'u' ORDER BY name"):
        columns = [row[0] or "" for row in query(f"SELECT name FROM pragma_index_info({_text(name)}) ORDER BY seqno")]
        found[f"unique ({', '.join(columns)})"] = ""
    foreign: dict[int, list[tuple[Any, ...]]] = {}
    for row in query(
        f'SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list({argument}) ORDER BY id, seq'
    ):
        foreign.setdefault(row[0], []).append(row)
    for rows in foreign.values():
        near = ", ".join(row[2] for row in rows)
        far = ", ".join(row[3] or "" for row in rows)
        found[f"foreign key ({near})"] = (
            f"references {rows[0][1]} ({far}) on update {rows[0][4]} on delete {rows[0][5]}".lower()
        )
    return found


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
