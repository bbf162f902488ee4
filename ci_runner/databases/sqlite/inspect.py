"""The schema of an SQLite database, read through its PRAGMAs and sqlite_schema (https://sqlite.org/pragma.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from ci_runner.databases.sqlite.checks import checks
from ci_runner.model.inspected import Column, Schema, Table

Query = Callable[[str], list[tuple[Any, ...]]]

_TABLES = (
    "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
)
# The whole schema in a handful of queries: asked table by table, a large one takes thousands.
_OF = "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
_EACH = f"FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS x {_OF}"
_UNIQUE = f"""SELECT m.name, l.name, i.name FROM sqlite_schema AS m, pragma_index_list(m.name) AS l, pragma_index_info(l.name) AS i
 {_OF} AND l.origin = 'u' ORDER BY m.name, l.name, i.seqno"""
_FOREIGN = f"""SELECT m.name, id, "table", "from", "to", on_update, on_delete
 FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) {_OF} ORDER BY m.name, id, seq"""
_GENERATED = {2: "virtual", 3: "stored"}


def inspect(query: Query) -> Schema:
    """Tables with columns, indexes, constraints and triggers, and views."""
    texts = {name: sql or "" for name, sql in query(_TABLES)}
    columns = _columns(query)
    constraints = _constraints(query, texts)
    indexes = _grouped(query, "index")
    triggers = _grouped(query, "trigger")
    listed = {
        row[0]: row[1:] for row in query("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'")
    }
    return Schema(
        tables={
            name: Table(
                columns.get(name, {}),
                indexes.get(name, {}),
                constraints.get(name, {}),
                triggers.get(name, {}),
                _options(*listed[name]),
            )
            for name in texts
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


def _columns(query: Query) -> dict[str, dict[str, Column]]:
    found: dict[str, dict[str, Column]] = {}
    sql = f'SELECT m.name, x.name, x.type, "notnull", dflt_value, hidden {_EACH} AND hidden <> 1 ORDER BY m.name, cid'
    for table, name, kind, not_null, default, hidden in query(sql):
        found.setdefault(table, {})[name] = Column(kind, not not_null, default or "", _GENERATED.get(hidden, ""))
    return found


def _constraints(query: Query, texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By table: key, unique constraints, foreign keys and checks by what they hold; SQLite keeps names only in the table's text."""
    found: dict[str, dict[str, str]] = {}
    for (table,), rows in _groups(query(f"SELECT m.name, x.name {_EACH} AND pk > 0 ORDER BY m.name, pk"), 1):
        own = "autoincrement" if "autoincrement" in texts[table].lower() else ""
        found.setdefault(table, {})[f"primary key ({', '.join(row[1] for row in rows)})"] = own
    for (table, _), rows in _groups(query(_UNIQUE), 2):
        found.setdefault(table, {})[f"unique ({', '.join(row[2] or '' for row in rows)})"] = ""
    for (table, _), rows in _groups(query(_FOREIGN), 2):
        near = ", ".join(row[3] for row in rows)
        far = ", ".join(row[4] or "" for row in rows)
        found.setdefault(table, {})[f"foreign key ({near})"] = (
            f"references {rows[0][2]} ({far}) on update {rows[0][5]} on delete {rows[0][6]}".lower()
        )
    for table, text in texts.items():
        if "check" in text.lower():
            found.setdefault(table, {}).update({f"check ({expression})": "" for expression in checks(text)})
    return found


def _groups(rows: list[tuple[Any, ...]], length: int) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """Neighbours that agree in their first ``length`` values."""
    for key, members in groupby(rows, key=lambda row: row[:length]):
        yield key, list(members)
