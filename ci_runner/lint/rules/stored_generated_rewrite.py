"""A stored generated column is added.

PostgreSQL computes it for every row and writes the whole table anew while nobody can read or write.

Instead: add a plain column, keep it with a trigger, and fill it in batches; on PostgreSQL 18 a VIRTUAL column costs nothing.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, name text);
    ---
    ALTER TABLE person ADD COLUMN slug text GENERATED ALWAYS AS (lower(name)) STORED;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, name text);
    ---
    ALTER TABLE person ADD COLUMN slug text;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import AddColumn


@rule(
    "warning",
    POSTGRES,
    on=(AddColumn,),
    aliases=("PG309", "adding-field-with-default"),
    seen=("rewrite",),
    refutable=True,
)
def check(context: Context) -> Iterator[Hit]:
    """ADD COLUMN … STORED on old tables."""
    op = context.step.operation
    assert isinstance(op, AddColumn)  # noqa: S101
    if (op.if_not_exists or op.conditional) and context.column(op.table, op.column.name) is not None:
        return
    if op.column.generated == "stored" and context.stored(op.table):
        yield Hit(
            f"Stored generated column {quoted(op.column.name)} is computed for every row: {quoted(op.table)} is rewritten while nobody can use it."
        )
