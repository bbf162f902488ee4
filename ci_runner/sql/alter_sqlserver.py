"""ALTER TABLE of SQL Server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    Constraint,
    CreateIndex,
    DropIndex,
    Index,
    Name,
    Operation,
    Partition,
    ValidateConstraint,
)
from ci_runner.sql.alter import (
    CONSTRAINT_HEADS,
    Action,
    add_column,
    add_constraint,
    drop_column,
    drop_constraint,
    kind,
    one,
    other,
    property_change,
    with_options,
)
from ci_runner.sql.keys import constraint, settings
from ci_runner.sql.options import definition, stops
from ci_runner.text.pattern import later

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_ONLINE = later(r"\bwith\s*\(\s*online\s*=\s*on\b", re.IGNORECASE)


def alter_table(c: Cursor, _first: int) -> list[Operation]:
    """ALTER TABLE behind the word TABLE: one action, which may hold a list."""
    table = c.name()
    first, checked = c.i, ""
    if c.at("WITH") and c.peek() in ("CHECK", "NOCHECK"):
        c.i += 1
        checked = c.word()
    if c.at("CHECK", "NOCHECK") and c.peek() == "CONSTRAINT":
        return _trust(c, table, first, checked)
    action = _ACTIONS.get(c.upper[c.i])
    if action is None or c.done:
        c.fail(f"no grammar for ALTER TABLE … {' '.join(c.text[c.i : c.i + 3]).strip()}")
    c.i += 1
    found = action(c, table, first)
    c.end()
    return [_untrusted(operation) for operation in found] if checked == "NOCHECK" else found


def _untrusted(operation: Operation) -> Operation:
    if isinstance(operation, AddColumn) and (operation.column.references or operation.column.check is not None):
        column = operation.column
        return replace(operation, column=replace(column, options=(*column.options, "not valid")))
    if not isinstance(operation, AddConstraint) or operation.constraint.kind not in ("foreign-key", "check"):
        return operation
    return replace(
        operation, kind=operation.kind + "-nocheck", constraint=replace(operation.constraint, not_valid=True)
    )


def _trust(c: Cursor, table: Name, first: int, checked: str) -> list[Operation]:
    """CHECK CONSTRAINT, with WITH CHECK a validation, and NOCHECK CONSTRAINT."""
    word = c.word()
    c.need("CONSTRAINT")
    found: list[Operation] = []
    while True:
        name = c.identifier()
        if word == "CHECK" and checked == "CHECK":
            found.append(c.op(ValidateConstraint, kind("validate-constraint"), first, table=table, name=name))
        else:
            action = "enable-constraint" if word == "CHECK" else "disable-constraint"
            found += other(c, table, first, action, name)
        if not c.take(","):
            return found


def _add(c: Cursor, table: Name, first: int) -> list[Operation]:
    found: list[Operation] = []
    while True:
        begin = first if not found else c.i
        c.take("COLUMN")
        found += _addition(c, table, begin)
        if not c.take(",") and not c.at("CONSTRAINT"):  # the comma before a constraint may be missing
            return found
        if c.at("ADD"):
            c.i += 1


def _addition(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at("DEFAULT") or (c.at("CONSTRAINT") and c.peek(2) == "DEFAULT"):
        return _default(c, table, first)
    if c.at("PERIOD") and c.peek() == "FOR":
        c.i += 2
        c.identifier()
        c.skip_parens()
        return other(c, table, first, "add-period")
    if c.at(*CONSTRAINT_HEADS) or (c.at("INDEX") and c.peek(2) in ("(", "UNIQUE", "CLUSTERED", "NONCLUSTERED", "HASH")):
        key = constraint(c)
        if isinstance(key, Index):
            return one(c.op(CreateIndex, kind("add-index"), first, table=table, index=key, options=key.options))
        if isinstance(key, Constraint):
            return with_options(one(add_constraint(c, table, first, key)), _online(key.options))
    return one(add_column(c, table, first))


def _online(options: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(option for option in options if option in ("online", "resumable"))


def _default(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.take("CONSTRAINT"):
        c.identifier()
    c.need("DEFAULT")
    text = c.until(stops(c.dialect))
    c.need("FOR")
    column = c.column()
    c.seq("WITH", "VALUES")
    return one(property_change(c, table, column, first, "set-column-default", text))


def _drop(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.seq("PERIOD", "FOR"):
        c.identifier()
        return other(c, table, first, "drop-period")
    if c.seq("SYSTEM_TIME"):
        return other(c, table, first, "drop-period")
    if c.at("INDEX") and c.peek() not in ("", ",", "WITH"):
        c.i += 1
        return one(c.op(DropIndex, kind("drop-index"), first, indexes=(Name("", c.identifier()),), table=table))
    found: list[Operation] = []
    sort = "CONSTRAINT"
    while True:
        begin = first if not found else c.i
        if c.at("COLUMN", "CONSTRAINT") and c.peek() not in ("", ","):
            sort = c.word()
        found += drop_column(c, table, begin) if sort == "COLUMN" else drop_constraint(c, table, begin)
        if c.at("WITH"):
            c.i += 1
            found = with_options(found, tuple(settings(c)))
        if not c.take(","):
            return found


def _property(c: Cursor, table: Name, column: str, first: int) -> Operation:
    """ALTER COLUMN x ADD | DROP of what is no type."""
    verb = c.word().lower()
    if c.seq("NOT", "FOR", "REPLICATION"):
        word = "not-for-replication"
    else:
        word = c.upper[c.i].lower()
        c.need("ROWGUIDCOL", "PERSISTED", "SPARSE", "HIDDEN", "MASKED")
    if word == "masked" and verb == "add":
        c.need("WITH")
        c.skip_parens()
    options = tuple(settings(c)) if c.take("WITH") else ()
    change = property_change(c, table, column, first, f"{verb}-{word}")
    return replace(change, options=options) if options else change


def _alter(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.take("INDEX"):
        c.identifier()
        c.need("REBUILD")
        c.need("WITH")
        return other(c, table, first, "rebuild-index", *settings(c))
    c.need("COLUMN")
    column = c.column()
    if c.at("ADD", "DROP"):
        return one(_property(c, table, column, first))
    begin = c.i
    new = definition(c, column)
    options = ("online",) if _ONLINE.search(c.slice(begin, c.i)) else ()
    if new.type is None:
        c.fail()
    fields = {"column": column, "type": new.type, "collation": new.collation, "definition": new, "options": options}
    return one(c.op(AlterColumnType, kind("alter-column-type"), first, table=table, **fields))


def _state(c: Cursor, table: Name, first: int) -> list[Operation]:
    word = c.upper[c.i]
    c.need("TRIGGER", "CHANGE_TRACKING", "FILETABLE_NAMESPACE")
    c.rest()
    noun = word.lower().replace("_", "-")
    return other(c, table, first, f"set-{noun}-state" if word == "TRIGGER" else f"set-{noun}")


def _switch(c: Cursor, table: Name, first: int) -> list[Operation]:
    number = c.until(frozenset({"TO"})) if c.take("PARTITION") else ""
    c.need("TO")
    target = c.name()
    c.rest()
    return one(c.op(Partition, kind("switch-partition"), first, table=table, partition=target, bounds=number))


def _set(c: Cursor, table: Name, first: int) -> list[Operation]:
    found = settings(c)
    versioning = any(option.startswith("system_versioning") for option in found)
    return other(c, table, first, "set-system-versioning" if versioning else "set-table-option", *found)


def _rebuild(c: Cursor, table: Name, first: int) -> list[Operation]:
    options: list[str] = []
    if c.take("PARTITION"):
        c.take("=")
        options += ["partition"] if c.word() != "ALL" else []
    if c.take("WITH"):
        options += settings(c)
    return other(c, table, first, "rebuild", *options)


_ACTIONS: dict[str, Action] = {
    "ADD": _add, "DROP": _drop, "ALTER": _alter, "ENABLE": _state, "DISABLE": _state, "SWITCH": _switch, "SET": _set, "REBUILD": _rebuild,
}  # fmt: skip
