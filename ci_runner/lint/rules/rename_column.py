"""A column is renamed under a running release.

Until every instance runs the new release, queries name a column that is not there any more.

Instead: add the new column, write both, copy the values, read the new one, and drop the old one in a later migration.

Bad, mysql:
    CREATE TABLE person (id INT PRIMARY KEY, mail VARCHAR(100));
    ---
    ALTER TABLE person CHANGE mail email VARCHAR(100);

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, mail text);
    ---
    ALTER TABLE person ADD COLUMN email text;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import added_here
from ci_runner.lint.replaced import comes_back
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import RenameColumn


@rule("warning", on=(RenameColumn,), aliases=("BC102", "DS103", "renaming-column"))
def check(context: Context) -> Iterator[Hit]:
    """Columns of old tables that get another name, unless the same file made them."""
    op = context.step.operation
    assert isinstance(op, RenameColumn)  # noqa: S101
    if (
        not context.old(op.table)
        or op.column == op.new
        or _is_key(context, op)
        or added_here(context, op.table, op.column)
        or comes_back(context, op)
        or _there_and_back(context, op)
    ):
        return
    yield Hit(
        f"Renaming column {quoted(op.column)} of {quoted(op.table)} to {quoted(op.new)} breaks the running release, which still asks for "
        f"{quoted(op.column)}."
    )


def _there_and_back(context: Context, op: RenameColumn) -> bool:
    """Whether another statement of the file is the same rename the other way round; in one statement two such swap columns."""
    return any(
        step.statement != context.step.statement
        and context.key(other.table) == context.key(op.table)
        and context.same(other.column, op.new)
        and context.same(other.new, op.column)
        for step, other in (*context.later(RenameColumn), *context.earlier(RenameColumn))
    )


def _is_key(context: Context, op: RenameColumn) -> bool:
    """ClickHouse refuses to rename a column of a key or of the engine: that has a rule of its own."""
    from ci_runner.lint.clickhouse import engine_use, key_use

    table = context.table(op.table)
    return context.dialect == "clickhouse" and bool(key_use(table, op.column) or engine_use(table, op.column))
