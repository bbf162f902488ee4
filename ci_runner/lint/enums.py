"""Where a new enum value may really be meant, and where the same word is only text."""

from __future__ import annotations

import re

from ci_runner.lint.context import Context, Step
from ci_runner.lint.facts import mentions
from ci_runner.lint.naming import enum_key
from ci_runner.model.operations import AddColumn, Column, CreateTable, Dml, Name, Other
from ci_runner.model.schema import Table
from ci_runner.sql.catalog_names import locate


def may_hold(context: Context, step: Step, type_: Name, text: str, value: str) -> bool:
    """Whether the operation's use of the word can be a use of that type: it casts to it, or touches a column of it."""
    name = re.escape(type_.name)
    if re.search(rf'::\s*(?:[\w"]+\.)?"?{name}"?(?!\w)|\bas\s+(?:[\w"]+\.)?"?{name}"?\s*[),]', text, re.IGNORECASE):
        return True
    op = step.operation
    if isinstance(op, Other) and op.kind in ("set-comment", "grant", "revoke", "call", "do-block"):
        return False
    if isinstance(op, CreateTable):
        return any(
            _of(context, column, type_) and f"'{value}'" in (column.default or "") + (column.check or "")
            for column in op.columns
        )
    if isinstance(op, AddColumn):
        return _of(context, op.column, type_)
    names = (*op.tables, *op.reads) if isinstance(op, Dml) else _named(op)
    if not names:
        return False
    tables = [step.catalog.tables.get(locate(step.catalog, name, context.dialect)) for name in names]
    everywhere = (
        isinstance(op, Dml) and op.kind == "insert" and not op.columns
    )  # it names no column, and fills all of them
    return any(
        table is None or table.partial or _column_of(context, table, type_, "" if everywhere else text)
        for table in tables
    )


def _named(op: object) -> tuple[Name, ...]:
    found = getattr(op, "table", None)
    return (found,) if isinstance(found, Name) else ()


def _column_of(context: Context, table: Table, type_: Name, text: str) -> bool:
    """Whether a column of the table is of that type and, where there is a text, the text speaks of it."""
    return any(
        _of(context, column, type_) and (not text or mentions(text, column.name)) for column in table.columns.values()
    )


def _of(context: Context, column: Column, type_: Name) -> bool:
    if column.type is None:
        return True
    schema, _, name = column.type.base.replace('"', "").rpartition(".")
    return enum_key(context, Name(schema, name)) == enum_key(context, type_)
