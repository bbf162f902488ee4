"""What SQLite's statements begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import (
    AlterColumnType,
    CreateTable,
    DropIndex,
    DropObjects,
    DropTable,
    Name,
    Operation,
    Other,
    Type,
)
from ci_runner.sql import alter, changes, definitions, programs, session, tables
from ci_runner.sql.options import definition
from ci_runner.sql.session import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_runner.sql.cursor import Cursor


def create(c: Cursor, first: int) -> list[Operation]:
    """CREATE behind that word."""
    modifiers = set()
    while c.at("TEMP", "TEMPORARY", "UNIQUE"):
        modifiers.add(c.word())
    if c.take("TABLE"):
        return [tables.create_table(c, first, modifiers=frozenset(modifiers))]
    if c.take("INDEX"):
        return [definitions.create_index(c, first, frozenset(modifiers))]
    if c.take("VIEW"):
        at = c.i
        view = definitions.create_view(c, first)
        return [programs.of_view(c, view, at)]
    if c.take("TRIGGER"):
        return [programs.create_trigger(c, first)]
    if c.seq("VIRTUAL", "TABLE"):
        c.if_not_exists()
        name = c.name()
        c.need("USING")
        c.rest()
        return [c.op(CreateTable, "create-virtual-table", first, table=name)]
    return c.fail(f"no grammar for CREATE {c.text[c.i]}")


def drop(c: Cursor, first: int) -> list[Operation]:
    """DROP behind that word."""
    sort = c.word().lower()
    if_exists = c.if_exists()
    name = c.name()
    c.end()
    if sort == "table":
        return [c.op(DropTable, "drop-table", first, tables=(name,), if_exists=if_exists)]
    if sort == "index":
        return [c.op(DropIndex, "drop-index", first, indexes=(name,), if_exists=if_exists)]
    if sort not in ("view", "trigger"):
        c.fail(f"no grammar for DROP {sort.upper()}")
    return [c.op(DropObjects, f"drop-{sort}", first, names=(name,), if_exists=if_exists)]


def alter_table(c: Cursor, _first: int) -> list[Operation]:
    """ALTER behind that word: one action a statement."""
    c.need("TABLE")
    table = c.name()
    action, first = _ACTIONS.get(c.upper[c.i]), c.i
    if action is None:
        c.fail()
    c.i += 1
    found = action(c, table, first)
    c.end()
    return found


def _alter_column(c: Cursor, table: Name, first: int) -> list[Operation]:
    """ALTER [COLUMN]: SET and DROP NOT NULL, which SQLite has since 3.53, and what other databases have there and SQLite has not."""
    c.take("COLUMN")
    column = c.column()
    if c.take("TO"):  # libSQL's own: a new definition, which rows that are there need not meet
        defined = definition(c)
        type_ = defined.type or Type("")
        fields = {"table": table, "column": column, "type": type_, "definition": defined, "options": ("libsql",)}
        return alter.one(c.op(AlterColumnType, "alter-table.alter-column-type", first, **fields))
    if c.take("TYPE") or c.seq("SET", "DATA", "TYPE"):
        return alter.one(alter.alter_type(c, table, column, first))
    if c.seq("SET", "DEFAULT"):
        return alter.one(alter.set_default(c, table, column, first))
    manner = c.word().lower()
    if manner not in ("set", "drop"):
        c.fail()
    if manner == "drop" and c.take("DEFAULT"):
        return alter.one(alter.property_change(c, table, column, first, "drop-column-default"))
    c.need("NOT")
    c.need("NULL")
    if c.seq("ON", "CONFLICT"):
        c.word()
    return alter.one(alter.property_change(c, table, column, first, f"{manner}-not-null"))


_ACTIONS: dict[str, alter.Action] = {
    "ADD": alter.add,
    "DROP": alter.drop,
    "RENAME": alter.rename,
    "ALTER": _alter_column,
}


def _vacuum(c: Cursor, first: int) -> list[Operation]:
    """VACUUM [schema] [INTO file]."""
    name = None if c.done or c.at("INTO") else c.name()
    into = c.take("INTO")
    if into:
        c.rest()
    c.end()
    return [c.op(Other, "vacuum", first, object=name, options=("into",) if into else ())]


HEADS: dict[str, Callable[[Cursor, int], list[Operation]]] = {
    "CREATE": create, "DROP": drop, "ALTER": alter_table, "PRAGMA": session.pragma, "BEGIN": session.begin,
    "COMMIT": session.commit, "END": session.commit, "ROLLBACK": session.rollback, "SAVEPOINT": session.savepoint,
    "RELEASE": session.release, "INSERT": changes.insert, "REPLACE": changes.insert, "UPDATE": changes.update,
    "DELETE": changes.delete, "WITH": changes.with_query, "SELECT": changes.select, "VALUES": changes.select,
    "VACUUM": _vacuum, "REINDEX": command("reindex"), "ANALYZE": command("analyze"),
    "ATTACH": command("attach-database", named=False), "DETACH": command("detach-database", "DATABASE"),
    "EXPLAIN": command("explain", named=False),
}  # fmt: skip
