"""A serial or identity column is added.

Every row gets its number from a sequence, so the whole table is written anew while nobody can read or write.

Instead: add a nullable column, give it the sequence as default, fill the old rows in batches, and make it NOT NULL.

Bad, postgres:
    CREATE TABLE person (name text);
    ---
    ALTER TABLE person ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;

Good, postgres:
    CREATE TABLE person (name text);
    ---
    ALTER TABLE person ADD COLUMN id bigint;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import AddColumn


@rule(
    "warning", POSTGRES, on=(AddColumn,), aliases=("PG310", "adding-field-with-default", "adding-serial-primary-key-field"),
    seen=("rewrite",), refutable=True,
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """ADD COLUMN serial or identity on old tables."""
    op = context.step.operation
    assert isinstance(op, AddColumn)  # noqa: S101
    if (op.if_not_exists or op.conditional) and context.column(op.table, op.column.name) is not None:
        return
    if op.column.identity and context.stored(op.table):
        yield Hit(
            f"Every row of {quoted(op.table)} gets a number for {quoted(op.column.name)}: the table is rewritten while nobody can use it."
        )
