"""A column changes to a smaller type.

Values that do not fit make the statement fail, or are cut or rounded without a word, depending on the database and its mode.

Instead: look for values that do not fit first; add a new column of the smaller type, copy and check, then swap.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email varchar(255));
    ---
    -- pilotage:ignore type-change-rewrite: shown elsewhere
    ALTER TABLE person ALTER COLUMN email TYPE varchar(64);

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email varchar(64));
    ---
    ALTER TABLE person ALTER COLUMN email TYPE varchar(255);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clickhouse import key_use
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.types import narrows
from ci_runner.model.operations import AlterColumnType


@rule("warning", on=(AlterColumnType,), aliases=("changing-column-type",))
def check(context: Context) -> Iterator[Hit]:
    """Type changes of old columns to a type that holds less."""
    op = context.step.operation
    assert isinstance(op, AlterColumnType)  # noqa: S101
    column = context.column(op.table, op.column)
    if (
        column is None
        or column.type is None
        or not context.old(op.table)
        or not narrows(column.type, op.type, context.dialect)
    ):
        return
    if context.dialect == "clickhouse" and key_use(context.table(op.table), op.column):
        return
    yield Hit(
        f"Column {quoted(op.column)} of {quoted(op.table)} shrinks from {column.type.text or column.type.base} to {op.type.text or op.type.base}: "
        "values that do not fit fail the statement, or are cut."
    )
