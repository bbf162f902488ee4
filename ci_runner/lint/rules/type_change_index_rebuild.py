"""A type change rebuilds indexes under lock.

The rows stay as they are, but the column's indexes sort by other rules from now on: PostgreSQL builds them anew while nobody can read or
write. Partial indexes and indexes on expressions are built anew whatever the change, even for a longer varchar.

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
from ci_runner.lint.facts import expressed, index_on
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
    if column is None or column.type is None or not context.old(op.table):
        return
    effect = type_change(column, op, context.catalog, utc=utc(context))
    table = context.table(op.table)
    index = index_on(table, op.column, context.dialect) if effect == "index" else None
    if effect != "rewrite" and index is None:
        index = expressed(table, op.column)
    if index:
        yield Hit(
            f"Changing {quoted(op.column)} to {op.type.text or op.type.base} rebuilds index {quoted(index)} while nobody can use {quoted(op.table)}."
        )
