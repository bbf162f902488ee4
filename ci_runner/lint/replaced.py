"""Columns that a file builds anew beside the old one and puts in its place: the values are copied, and the name stays."""

from __future__ import annotations

from ci_runner.lint.context import Context
from ci_runner.lint.facts import mentions
from ci_runner.model.operations import AddColumn, Dml, DropColumn, Name, RenameColumn


def moved(context: Context, op: DropColumn) -> bool:
    """Whether the dropped column's values were copied into another that this file added, and that goes by its name in the end.

    Either the copy takes the name (add, copy, drop, rename), or the old column stepped aside first (rename, add, copy, drop).
    """
    takes = [
        other.column
        for _, other in context.later(RenameColumn)
        if _is(context, other.table, op.table) and context.same(other.new, op.column)
    ]
    aside = [
        other.column
        for _, other in context.earlier(RenameColumn)
        if _is(context, other.table, op.table) and context.same(other.new, op.column)
    ]
    return any(_added(context, op.table, name) and _copied(context, op, name) for name in (*takes, *aside))


def comes_back(context: Context, op: RenameColumn) -> bool:
    """Whether the file adds a column under the old name behind the rename, and copies the values into it."""
    return any(
        _is(context, other.table, op.table)
        and context.same(other.column.name, op.column)
        and _filled(context, op, op.new)
        for _, other in context.later(AddColumn)
    )


def _is(context: Context, one: Name, two: Name) -> bool:
    return context.key(one) == context.key(two)


def _added(context: Context, table: Name, column: str) -> bool:
    return any(
        _is(context, op.table, table) and context.same(op.column.name, column) for _, op in context.earlier(AddColumn)
    )


def _copied(context: Context, op: DropColumn, copy: str) -> bool:
    return any(_writes(context, other, op.table, op.column, copy) for _, other in context.earlier(Dml))


def _filled(context: Context, op: RenameColumn, source: str) -> bool:
    return any(_writes(context, other, op.table, source, op.column) for _, other in context.later(Dml))


def _writes(context: Context, op: Dml, table: Name, source: str, target: str) -> bool:
    """Whether every row gets the one column's value into the other."""
    if op.kind != "update" or context.key(table) not in map(context.key, op.tables):
        return False
    text = context.text(op)
    return mentions(text, source) and mentions(text, target)
