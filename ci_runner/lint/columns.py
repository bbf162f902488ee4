"""The columns and names an operation brings into the schema."""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    CreateIndex,
    CreateTable,
    Name,
    Operation,
    RenameColumn,
    RenameTable,
    Type,
)  # fmt: skip


def defined(op: Operation) -> Iterator[tuple[Name, str, Type | None]]:
    """(table, column, type) of every column the operation defines or redefines."""
    if isinstance(op, CreateTable):
        yield from ((op.table, column.name, column.type) for column in op.columns)
    elif isinstance(op, AddColumn):
        yield op.table, op.column.name, op.column.type
    elif isinstance(op, AlterColumnType):
        yield op.table, op.column, op.type


def names(op: Operation) -> Iterator[tuple[str, str]]:
    """(what, name) of everything the operation gives a name to."""
    if isinstance(op, CreateTable):
        yield "table", op.table.name
        yield from (("column", column.name) for column in op.columns)
        yield from (("constraint", constraint.name) for constraint in op.constraints if constraint.name)
        yield from (("index", index.name) for index in op.indexes if index.name)
    elif isinstance(op, AddColumn):
        yield "column", op.column.name
    elif isinstance(op, CreateIndex):
        yield "index", op.index.name
    elif isinstance(op, AddConstraint):
        yield "constraint", op.constraint.name
    elif isinstance(op, RenameTable):
        yield "table", op.new.name
    elif isinstance(op, RenameColumn):
        yield "column", op.new
