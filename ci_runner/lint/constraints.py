"""What a DROP CONSTRAINT takes away, and whether the same file puts something in its place."""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context
from ci_runner.model.operations import AddConstraint, Constraint, DropColumn, DropConstraint
from ci_runner.sql.catalog_columns import find_constraint
from ci_runner.sql.catalog_names import comparable


def dropped(context: Context, op: DropConstraint) -> Constraint | None:
    """The constraint as known, or as far as the statement says; None when the table is new, or nothing of that name is there."""
    if not context.old(op.table):
        return None
    table = context.table(op.table)
    found = find_constraint(table, op, context.dialect) if table else None
    if found is not None:
        return found
    absent = table is not None and not table.partial and (op.if_exists or op.conditional)
    return Constraint(op.constraint_kind, op.name, op.columns) if op.constraint_kind and not absent else None


def replaced(context: Context, op: DropConstraint, constraint: Constraint) -> bool:
    """Whether the file adds one like it, or drops the columns it stood on."""
    columns = {comparable(column, context.dialect) for column in constraint.columns}
    for other in _others(context):
        if context.key(other.table) != context.key(op.table):
            continue
        if isinstance(other, DropColumn):
            if comparable(other.column, context.dialect) in columns:
                return True
        elif _alike(other.constraint, constraint, columns, context.dialect):
            return True
    return False


def _others(context: Context) -> Iterator[AddConstraint | DropColumn]:
    near: list[AddConstraint | DropColumn] = [
        op for _, op in (*context.later(AddConstraint), *context.earlier(AddConstraint))
    ]
    near += [op for _, op in (*context.later(DropColumn), *context.earlier(DropColumn))]
    yield from near


def _alike(new: Constraint, old: Constraint, columns: set[str], dialect: str) -> bool:
    if new.kind != old.kind:
        return False
    if new.kind == "primary-key" or not columns or not new.columns:
        return new.kind == "primary-key" or comparable(new.name, dialect) == comparable(old.name, dialect)
    return columns <= {comparable(column, dialect) for column in new.columns} or comparable(
        new.name, dialect
    ) == comparable(old.name, dialect)
