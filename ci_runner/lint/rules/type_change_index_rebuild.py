"""A type change rebuilds indexes under lock.

The rows stay as they are, but the column's indexes sort by other rules from now on: PostgreSQL builds them anew while nobody can read or
write.

Instead: add a column of the new type, build its index CONCURRENTLY, copy, and swap.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email text);
    CREATE INDEX person_email_idx ON person (email);
    ---
    ALTER TABLE person ALTER COLUMN email TYPE citext;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email varchar(100));
    CREATE INDEX person_email_idx ON person (email);
    ---
    ALTER TABLE person ALTER COLUMN email TYPE text;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import index_on
from ci_runner.lint.postgres import type_change, utc
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import AlterColumnType


@rule(
    "warning",
    POSTGRES,
    on=(AlterColumnType,),
    aliases=("PG301", "changing-column-type"),
    seen=("index-build",),
    refutable=True,
)
def check(context: Context) -> Iterator[Hit]:
    """Changes to a type that is stored alike and compared otherwise, where the column is indexed."""
    op = context.step.operation
    assert isinstance(op, AlterColumnType)  # noqa: S101
    column = context.column(op.table, op.column)
    if (
        column is None
        or column.type is None
        or not context.old(op.table)
        or type_change(column, op, context.catalog, utc=utc(context)) != "index"
    ):
        return
    index = index_on(context.table(op.table), op.column, context.dialect)
    if index:
        yield Hit(
            f"Changing {quoted(op.column)} to {op.type.text or op.type.base} rebuilds index {quoted(index)} while nobody can use {quoted(op.table)}."
        )
