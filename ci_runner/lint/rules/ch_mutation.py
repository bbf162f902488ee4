"""A mutation rewrites parts in the background.

ALTER … UPDATE, ALTER … DELETE, MATERIALIZE, REWRITE PARTS and a type change write every part that holds affected rows anew, and so does APPLY
DELETED MASK with what lightweight deletes left; it takes disk and merges, cannot be undone, and other mutations queue behind it.

Instead: a lightweight DELETE FROM where it will do, small steps by partition, and an eye on system.mutations.

Bad, clickhouse, tx none:
    CREATE TABLE hits (id UInt64, url String) ENGINE = MergeTree ORDER BY id;
    ---
    ALTER TABLE hits UPDATE url = '' WHERE id < 100;

Bad, clickhouse, tx none:
    CREATE TABLE hits (id UInt64, url String) ENGINE = MergeTree ORDER BY id;
    ---
    ALTER TABLE hits DELETE WHERE id < 100;

Good, clickhouse, tx none:
    CREATE TABLE hits (id UInt64, url String) ENGINE = MergeTree ORDER BY id;
    ---
    DELETE FROM hits WHERE id < 100;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clauses import clause, end, rewrite, target
from ci_runner.lint.clickhouse import cast_in_key, holds_no_rows, key_use, same_representation
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Edit, Fix, Hit, rule
from ci_runner.model.operations import AlterColumn, AlterColumnType, Dml, Name, Operation, Other

_KINDS = tuple(
    f"alter-table.{what}" for what in ("update", "delete", "apply-deleted-mask", "apply-patches", "rewrite-parts")
)


@rule("warning", ("clickhouse",), on=(AlterColumnType, AlterColumn, Other, Dml), seen=("mutation",))
def check(context: Context) -> Iterator[Hit]:
    """ALTER UPDATE, ALTER DELETE, MATERIALIZE, APPLY, REWRITE PARTS and type changes of old tables."""
    op = context.step.operation
    table = (
        op.tables[0] if isinstance(op, Dml) and op.tables else getattr(op, "table", None) or getattr(op, "object", None)
    )
    if not isinstance(table, Name) or not context.old(table):
        return
    if isinstance(op, AlterColumnType):
        yield from _type(context, op)
    elif _mutates(op):
        what = op.kind.removeprefix("alter-table.").replace("-", " ").upper()
        message = f"ALTER … {what} rewrites the parts of {quoted(table)} that hold affected rows."
        yield Hit(message, fix=_lightweight(context) if what == "DELETE" else None)


def _mutates(op: Operation) -> bool:
    return op.kind in _KINDS or op.kind.startswith("alter-table.materialize")


@rewrite
def _lightweight(context: Context) -> Fix | None:
    """ALTER … DELETE as a lightweight DELETE FROM, which only marks the rows."""
    source, table = context.file.text[context.statement.start : end(context)], target(context)
    where, cluster = clause(source, "WHERE"), clause(source, "ON", "CLUSTER", "*")
    if table is None or where is None or clause(source, "IN", "PARTITION") or len(context.statement.operations) > 1:
        return None
    on = f" {source[slice(*cluster)]}" if cluster else ""
    edit = Edit(context.statement.start, context.statement.start + where[0], f"DELETE FROM {table}{on} ")  # noqa: S608 — the words of the file itself
    return Fix((edit,), "a lightweight DELETE")


def _type(context: Context, op: AlterColumnType) -> Iterator[Hit]:
    column = context.column(op.table, op.column)
    table = context.table(op.table)
    cast = column is not None and column.type is not None and cast_in_key(column.type, op.type, table, op.column)
    if not op.type.base or (key_use(table, op.column) and not cast) or holds_no_rows(table, context.dialect):
        return
    if column is None or column.type is None:
        yield Hit(
            f"Changing {quoted(op.column)} of {quoted(op.table)} to {op.type.text} may rewrite every part: its present type is not known."
        )
    elif column.generated != "virtual" and not same_representation(column.type, op.type):
        yield Hit(
            f"Changing {quoted(op.column)} from {column.type.text} to {op.type.text} rewrites every part of {quoted(op.table)}."
        )
