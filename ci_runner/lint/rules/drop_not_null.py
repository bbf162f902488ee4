"""A column starts to accept NULL.

Readers written for a value that is always there meet NULL as soon as the first one is written.

Instead: make every reader ready for NULL first, release that, then drop NOT NULL.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email text NOT NULL);
    ---
    ALTER TABLE person ALTER COLUMN email DROP NOT NULL;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email text);
    ---
    ALTER TABLE person ALTER COLUMN email DROP NOT NULL;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import AlterColumn


@rule("notice", POSTGRES, on=(AlterColumn,), aliases=("ban-drop-not-null",))
def check(context: Context) -> Iterator[Hit]:
    """DROP NOT NULL on columns not known to be nullable already."""
    op = context.step.operation
    assert isinstance(op, AlterColumn)  # noqa: S101
    if op.kind != "alter-table.drop-not-null" or not context.old(op.table):
        return
    column = context.column(op.table, op.column)
    table = context.table(op.table)
    if column is None or column.nullable is False or (table is not None and table.partial):
        yield Hit(
            f"Column {quoted(op.column)} of {quoted(op.table)} may hold NULL from now on: readers of the running release do not expect it."
        )
