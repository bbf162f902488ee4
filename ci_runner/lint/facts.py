"""Small facts about tables and columns that several rules ask for."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from ci_runner.lint.context import REACH, Context
from ci_runner.lint.rebuild import Rebuild
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    Column,
    Constraint,
    CreateIndex,
    CreateTable,
    CreateView,
    Dml,
    DropTable,
    Name,
    Operation,
    Other,
    RenameTable,
)
from ci_runner.model.schema import Table
from ci_runner.sql.catalog_names import comparable
from ci_runner.text.pattern import later

_NULL = later(r"\(*\s*null\s*\)*(?:\s*::\s*[\w\s()]+)?", re.IGNORECASE)


def has_default(column: Column) -> bool:
    """Whether new rows of the column get something other than NULL by themselves."""
    return (
        (column.default is not None and _NULL.fullmatch(column.default.strip()) is None)
        or column.identity
        or bool(column.generated)
    )


def not_null(column: Column) -> bool:
    """Whether the column's definition refuses NULL."""
    return column.nullable is False or column.primary_key


def rebuild_of(context: Context, table: Name) -> Rebuild | None:
    """The rebuild of that table in this file, if there is one."""
    key = context.key(table)
    return next((rebuild for rebuild in context.file.rebuilds if rebuild.table == key), None)


def set_aside(context: Context) -> bool:
    """Whether the operation drops the old table of a rebuild, its rows already copied over."""
    return any(
        rebuild.dropped is not None and rebuild.dropped.position == context.step.position
        for rebuild in context.file.rebuilds
    )


def copied_before(context: Context, table: Name) -> Table | None:
    """The table that an earlier file of the change made and copied that one into, and that takes its place: a rebuild over several files."""
    if not context.file.released.born:
        return None
    from ci_runner.sql.catalog_change import QUERIED

    key = context.key(table)
    for kind, other in islice(context.catalog.born, REACH):
        copy = context.catalog.tables.get(other) if kind == "table" and other != key else None
        if copy is None or not copy.born or not {key, QUERIED} & set(copy.copies):
            continue
        if _alike(key, other) or any(
            context.key(op.table) == other and context.same(op.new.name, key.name)
            for _, op in context.later(RenameTable)
        ):
            return copy
    return None


def _alike(one: Name, two: Name) -> bool:
    """Whether one name is made of the other: ``t`` and ``_t_new``."""
    first, second = f"_{one.name}_".lower(), f"_{two.name}_".lower()
    return first in second or second in first


def index_on(table: Table | None, column: str, dialect: str) -> str | None:
    """The name of an index that has the column in it, also inside an expression or its condition."""
    name = comparable(column, dialect)
    for index in table.indexes.values() if table else ():
        plain = {comparable(part.strip('"`[]'), dialect) for part in index.columns}
        if name in plain or any(
            mentions(part, column) for part in (*index.columns, index.where) if "(" in part or " " in part
        ):
            return index.name
    return None


def expressed(table: Table | None, column: str) -> str | None:
    """An index on an expression, or with a condition, that depends on the column: PostgreSQL does not look whether it could stay."""
    for index in table.indexes.values() if table else ():
        parts = (*index.columns, *index.include, index.where)
        special = index.where or any("(" in part or " " in part for part in index.columns)
        if special and any(mentions(part, column) for part in parts):
            return index.name
    return None


_MARKED = frozenset(
    {"sqlite", "sqlserver", "clickhouse", "redshift", "snowflake"}
)  # where columns an earlier file of the change added are


def added_here(context: Context, table: Name, column: str) -> bool:
    """Whether the file itself added the column further up: IF NOT EXISTS adds none that is there."""
    key = context.key(table)
    if context.dialect in _MARKED and ("column", Name(str(key), column)) in context.catalog.born:
        return True  # by this file, or by one before it in the change
    for step, op in context.earlier(AddColumn):
        if context.key(op.table) == key and context.same(op.column.name, column):
            known = step.catalog.tables.get(key)
            if known is None or comparable(column, context.dialect) not in known.columns:
                return True
    return False


def emptied(context: Context, table: Name) -> bool:
    """Whether the same transaction took all rows out of the table and put none in since."""
    key = context.key(table)
    for step, op in context.earlier(Dml):
        if step.tx.id != context.tx.id or key not in map(context.key, op.tables):
            continue
        return op.kind.startswith("truncate") or (op.kind == "delete" and not op.where)
    return False


def mentions(expression: str, column: str) -> bool:
    """Whether an expression speaks of the column."""
    return re.search(rf"(?<![\w$]){re.escape(column)}(?![\w$])", expression, re.IGNORECASE) is not None


def proves_not_null(constraint: Constraint, column: str) -> bool:
    """Whether a CHECK says ``column IS NOT NULL``, alone or joined by AND."""
    if constraint.kind == "not-null":
        return column in constraint.columns
    if constraint.kind != "check":
        return False
    parts = re.split(r"\band\b", constraint.expression, flags=re.IGNORECASE)
    plain = rf'[(\s]*"?{re.escape(column)}"?[)\s]+is\s+not\s+null[)\s]*'
    no_or = not re.search(r"\bor\b", constraint.expression, re.IGNORECASE)
    return no_or and any(re.fullmatch(plain, part, re.IGNORECASE) for part in parts)


_STRONG = (
    "alter-table.",
    "drop-table",
    "drop-foreign-table",
    "drop-index",
    "rename-table",
    "truncate",
    "drop-view",
    "reindex",
    "create-index",
    "vacuum-full",
)
_WEAK = (
    "alter-table.validate-constraint", "alter-table.set-column-statistics", "alter-table.attach-partition", "alter-table.set-comment",
    "drop-index-concurrently", "create-index-concurrently", "reindex-concurrently", "alter-table.detach-partition-concurrently",
)  # fmt: skip


@cache
def _strong(kind: str) -> bool:
    return kind.startswith(_STRONG) and kind not in _WEAK


def strong_lock(context: Context, operation: Operation) -> Name | None:
    """The old table on which the operation takes a lock that stops writers or readers; None when it takes none."""
    if not _strong(operation.kind) or getattr(operation, "concurrently", False):
        return None
    found: Name | None = getattr(operation, "table", None) or getattr(operation, "object", None)
    if isinstance(operation, DropTable):
        found = operation.tables[0] if operation.tables else None
    if isinstance(operation, CreateTable) or found is None or not context.old(found):
        return None
    return found


def scans(operation: Operation) -> str | None:
    """What in the operation reads or writes a whole table, in two or three words; None when nothing does."""
    if isinstance(operation, AddConstraint):
        kind = operation.constraint.kind
        quick = operation.constraint.not_valid or operation.constraint.using_index
        return (
            None
            if quick
            else {"foreign-key": "the foreign key's check", "check": "the CHECK's scan"}.get(kind, "the index build")
        )
    if isinstance(operation, CreateIndex):
        return None if operation.concurrently else "the index build"
    return {
        "alter-table.validate-constraint": "the validating scan", "update": "the UPDATE", "delete": "the DELETE", "merge": "the MERGE",
        "vacuum-full": "VACUUM FULL", "cluster": "CLUSTER", "refresh-materialized-view": "the refresh",
    }.get(operation.kind)  # fmt: skip


def view_follows(context: Context, operation: RenameTable) -> bool:
    """Whether a view, or a synonym, takes the table's old name later in the file."""
    key = context.key(operation.table)
    if any(context.key(view.view) == key for _, view in context.later(CreateView)):
        return True
    return any(
        op.kind == "create-synonym" and op.object is not None and context.key(op.object) == key
        for _, op in context.later(Other)
    )
