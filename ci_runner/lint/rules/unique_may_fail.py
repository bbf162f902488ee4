"""Uniqueness is demanded of rows that are already there.

One duplicate is enough for the statement to fail, and on the empty database of a test run there is none.

Instead: look for duplicates first (GROUP BY … HAVING count(*) > 1) and settle them in an earlier migration.

Bad, mysql:
    CREATE TABLE person (id INT PRIMARY KEY, email VARCHAR(100));
    ---
    CREATE UNIQUE INDEX person_email ON person (email);

Good, mysql:
    CREATE TABLE person (id INT PRIMARY KEY, email VARCHAR(100));
    ---
    CREATE INDEX person_email ON person (email);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, listed, quoted
from ci_runner.lint.naming import comparable
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AddColumn, AddConstraint, CreateIndex


@rule("notice", on=(CreateIndex, AddConstraint), aliases=("MF101", "MF102"), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """Unique indexes and keys over columns that were there before and are not known to be unique."""
    op = context.step.operation
    if isinstance(op, CreateIndex):
        unique, columns = op.index.unique, op.index.columns
    else:
        assert isinstance(op, AddConstraint)  # noqa: S101
        unique = op.constraint.kind in ("unique", "primary-key") and not op.constraint.using_index
        columns = op.constraint.columns
    if (
        not unique
        or not context.old(op.table)
        or not columns
        or context.dialect in ("clickhouse", "redshift", "snowflake")
    ):
        return
    if _new_column(context, op, columns) or _unique_already(context, op, columns):
        return
    yield Hit(f"Uniqueness of {listed(columns)} on {quoted(op.table)} fails if any two rows agree in it.")


def _new_column(context: Context, op: CreateIndex | AddConstraint, columns: tuple[str, ...]) -> bool:
    """A column added here without a default holds nothing but NULL, which is no duplicate."""
    for _, other in context.earlier(AddColumn):
        if context.key(other.table) == context.key(op.table):
            name = comparable(other.column.name, context.dialect)
            if name in {comparable(column, context.dialect) for column in columns} and other.column.default is None:
                return other.column.nullable is not False
    return False


def _unique_already(context: Context, op: CreateIndex | AddConstraint, columns: tuple[str, ...]) -> bool:
    table = context.table(op.table)
    wanted = {comparable(column, context.dialect) for column in columns}
    return any(
        index.unique and not index.where and {comparable(c, context.dialect) for c in index.columns} <= wanted
        for index in (table.indexes.values() if table else ())
    )
