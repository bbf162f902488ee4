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
from ci_runner.lint.domains import settled
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.types import narrows
from ci_runner.model.operations import AlterColumnType, CreateTable, Name, Type


@rule("warning", on=(AlterColumnType, CreateTable), aliases=("changing-column-type",))
def check(context: Context) -> Iterator[Hit]:
    """Type changes of old columns to a type that holds less."""
    op = context.step.operation
    if isinstance(op, CreateTable):
        if "or alter" in op.options:  # Snowflake: an ALTER of each column that differs
            for column in op.columns:
                yield from _shrunk(context, op.table, column.name, column.type)
        return
    assert isinstance(op, AlterColumnType)  # noqa: S101
    if context.dialect == "clickhouse" and key_use(context.table(op.table), op.column):
        return
    yield from _shrunk(context, op.table, op.column, op.type)


def _shrunk(context: Context, table: Name, name: str, new: Type | None) -> Iterator[Hit]:
    column = context.column(table, name)
    if column is None or column.type is None or new is None or not context.stored(table):
        return
    if narrows(settled(context.catalog, column.type), settled(context.catalog, new), context.dialect):
        yield Hit(
            f"Column {quoted(name)} of {quoted(table)} shrinks from {column.type.text or column.type.base} to {new.text or new.base}: "
            "values that do not fit fail the statement, or are cut."
        )
