"""A NOT NULL column loses the default it was added with.

Existing rows are filled, but the release that still runs does not know the column: its INSERTs leave it out and are refused from the
moment the default is gone.

Instead: keep the default until the release that writes the column is the only one running, and drop it in a later migration.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN surname text DEFAULT '' NOT NULL;
    ALTER TABLE person ALTER COLUMN surname DROP DEFAULT;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN surname text DEFAULT '' NOT NULL;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import has_default, not_null
from ci_runner.lint.rule import MYSQL, Hit, rule
from ci_runner.model.operations import AddColumn, AlterColumn, AlterColumnType, DropColumn, Operation

_RELIEVING = ("alter-table.set-column-default", "alter-table.drop-not-null", "alter-table.drop-column")


@rule("warning", ("postgres", *MYSQL), on=(AlterColumn, AlterColumnType), aliases=("ban-drop-default",))
def check(context: Context) -> Iterator[Hit]:
    """DROP DEFAULT (or a MODIFY without one) on a column that this file added NOT NULL with a default."""
    op = context.step.operation
    assert isinstance(op, AlterColumn | AlterColumnType)  # noqa: S101
    if not context.old(op.table) or not _drops_default(op):
        return
    column = context.column(op.table, op.column)
    required = column is not None and not_null(column) and has_default(column) and not column.identity
    added = any(
        context.key(other.table) == context.key(op.table) and context.same(other.column.name, op.column)
        for _, other in context.earlier(AddColumn)
    )
    if required and added and not _passing(context, op):
        yield Hit(
            f"Without its default, INSERTs of the running release, which does not know {quoted(op.column)} of {quoted(op.table)}, are refused."
        )


def _passing(context: Context, op: AlterColumn | AlterColumnType) -> bool:
    """Whether the file goes on to give the column a default again, to let it be NULL, or to drop it."""
    for _, other in context.later(AlterColumn, AlterColumnType, DropColumn):
        assert isinstance(other, AlterColumn | AlterColumnType | DropColumn)  # noqa: S101
        if context.same(other.column, op.column) and context.key(other.table) == context.key(op.table):
            definition = getattr(other, "definition", None)
            redefined = definition is not None and (has_default(definition) or not not_null(definition))
            if redefined or (other.kind in _RELIEVING and not _drops_default(other)):
                return True
    return False


def _drops_default(op: Operation) -> bool:
    if isinstance(op, AlterColumnType):
        return op.definition is not None and not_null(op.definition) and not has_default(op.definition)
    if not isinstance(op, AlterColumn):
        return False
    return op.kind == "alter-table.drop-column-default" or (
        op.kind == "alter-table.set-column-default" and (op.default or "").lower() == "null"
    )
