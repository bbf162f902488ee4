"""A unique or primary key builds its index while all access waits.

ADD UNIQUE and ADD PRIMARY KEY build their index under an ACCESS EXCLUSIVE lock: not even reads pass until it is complete. One duplicate
makes it fail.

Instead: CREATE UNIQUE INDEX CONCURRENTLY outside a transaction, then ADD CONSTRAINT … UNIQUE USING INDEX.

Bad, postgres:
    CREATE TABLE account (id bigint PRIMARY KEY, email text);
    ---
    ALTER TABLE account ADD CONSTRAINT account_email_key UNIQUE (email);

Good, postgres:
    CREATE TABLE account (id bigint PRIMARY KEY, email text);
    CREATE UNIQUE INDEX account_email_key ON account (email);
    ---
    ALTER TABLE account ADD CONSTRAINT account_email_key UNIQUE USING INDEX account_email_key;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.postgres import partitioned, rewrites_by_adding
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.stepwise import using_index
from ci_runner.model.operations import AddColumn, AddConstraint


@rule(
    "warning",
    POSTGRES,
    on=(AddConstraint, AddColumn),
    aliases=("PG104", "PG105", "disallowed-unique-constraint"),
    seen=("index-build",),
)
def check(context: Context) -> Iterator[Hit]:
    """Keys of old tables without USING INDEX; a column that is added with one, unless the table is rewritten for it anyway."""
    op = context.step.operation
    if isinstance(op, AddColumn):
        unique = op.column.unique or op.column.primary_key
        if not unique or not context.old(op.table) or rewrites_by_adding(op.column, context.catalog):
            return
        if (op.if_not_exists or op.conditional) and context.column(op.table, op.column.name) is not None:
            return
        kind = "PRIMARY KEY" if op.column.primary_key else "UNIQUE"
        columns: tuple[str, ...] = (op.column.name,)
    else:
        assert isinstance(op, AddConstraint)  # noqa: S101
        constraint = op.constraint
        if constraint.kind not in ("unique", "primary-key") or constraint.using_index or not context.old(op.table):
            return
        if "only" in op.options and partitioned(
            context, op.table
        ):  # an index without a row, valid once its partitions' are attached
            return
        kind = "PRIMARY KEY" if constraint.kind == "primary-key" else "UNIQUE"
        columns = constraint.columns
    yield Hit(
        f"{kind} ({', '.join(columns)}) builds its index while nobody can use {quoted(op.table)}, and fails on duplicates.",
        fix=using_index(context, op) if isinstance(op, AddConstraint) else None,
    )
