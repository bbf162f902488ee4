"""Names: as rules compare them, and those an operation gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ci_runner.lint.context import Context
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    Column,
    Constraint,
    CreateIndex,
    CreateTable,
    Name,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
)  # fmt: skip
from ci_runner.sql.catalog_names import comparable, locate

__all__ = ["born_type", "comparable", "enum_key", "given", "written"]

_CONSTRAINTS = {"foreign-key": "foreign_key", "unique": "unique", "check": "check"}
_FOLDING = ("postgres", "redshift")  # there a name is what the database makes of it, elsewhere what the file says


def enum_key(context: Context, name: Name) -> Name:
    """The key of an enum type, resolved as the database would."""
    return locate(context.catalog, name, context.dialect, context.catalog.enums)


def born_type(context: Context, name: Name) -> bool:
    """Whether this file made the type."""
    return ("type", enum_key(context, name)) in context.catalog.born


def given(context: Context) -> Iterator[tuple[str, str]]:
    """(kind, name) of everything the operation gives a name to; kinds as in the option ``naming``. Unnamed things are the database's to name."""
    op = context.step.operation
    if isinstance(op, CreateTable) and op.if_not_exists and context.table(op.table) is not None:
        return
    for kind, name in _given(context):
        if kind and name:
            yield kind, name


def _given(context: Context) -> Iterator[tuple[str, str]]:
    op = context.step.operation
    if isinstance(op, CreateTable):
        rebuilt = next((each for each in context.file.rebuilds if each.made is context.step), None)
        old = context.file.released.tables.get(rebuilt.table) if rebuilt else None
        kept = old.columns if old else {}
        yield "table", op.table.name if old is None else ""
        for column in op.columns:
            if comparable(column.name, context.dialect) not in kept:
                yield from _column(column)
        yield from (_constraint(constraint) for constraint in op.constraints)
        yield from (("unique" if index.unique else "index", index.name) for index in op.indexes)
    elif isinstance(op, AddColumn):
        yield from _column(op.column)
    elif isinstance(op, CreateIndex):
        yield "unique" if op.index.unique and op.kind.startswith("alter-table") else "index", op.index.name
    elif isinstance(op, AddConstraint):
        yield _constraint(op.constraint)
    elif isinstance(op, RenameTable):
        before = locate(context.file.released, op.new, context.dialect) in context.file.released.tables
        yield "table", "" if before or op.new.name == op.table.name else op.new.name
    elif isinstance(op, RenameColumn):
        yield "column", op.new
    elif isinstance(op, RenameIndex):
        yield "index", op.new
    elif isinstance(op, RenameConstraint):
        table = context.table(op.table)
        kinds = [each.kind for each in table.constraints if context.same(each.name, op.name)] if table else []
        yield _CONSTRAINTS.get(kinds[0], "") if kinds else "", op.new


def _column(column: Column) -> Iterator[tuple[str, str]]:
    yield "column", column.name
    kind = "foreign_key" if column.references else "unique" if column.unique else "check" if column.check else ""
    yield kind, column.constraint


def _constraint(constraint: Constraint) -> tuple[str, str]:
    return _CONSTRAINTS.get(constraint.kind, ""), constraint.name


def written(context: Context) -> Callable[[str], str]:
    """How the statement spells a name whose case the reading has levelled; as it is where the database levels case itself."""
    if context.dialect in _FOLDING:
        return lambda name: name
    words = re.findall(r"\w+", context.text())
    exact, spelled = set(words), {word.lower(): word for word in reversed(words)}
    return lambda name: name if name in exact else spelled.get(name.lower(), name)
