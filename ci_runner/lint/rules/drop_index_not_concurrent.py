"""An index is dropped while the table is locked.

DROP INDEX takes an ACCESS EXCLUSIVE lock on the table: it waits for running queries, and everything else waits behind it.

Instead: DROP INDEX CONCURRENTLY, in a file that the runner does not wrap in a transaction.

Bad, postgres:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE INDEX users_email_idx ON users (email);
    ---
    DROP INDEX users_email_idx;

Good, postgres, tx none:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE INDEX users_email_idx ON users (email);
    ---
    DROP INDEX CONCURRENTLY users_email_idx;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.postgres import concurrently
from ci_runner.lint.rule import POSTGRES, Fix, Hit, rule
from ci_runner.model.operations import CreateIndex, DropIndex, Name


@rule("warning", POSTGRES, on=(DropIndex,), aliases=("PG102", "require-concurrent-index-deletion"), seen=("lock",))
def check(context: Context) -> Iterator[Hit]:
    """Indexes of old tables; an index of a partitioned table cannot be dropped CONCURRENTLY and is not the file's choice."""
    op = context.step.operation
    assert isinstance(op, DropIndex)  # noqa: S101
    if op.concurrently:
        return
    for name in op.indexes:
        key = context.table_of_index(name, op.table)
        if key is None and (op.if_exists or op.conditional):
            continue
        table = context.catalog.tables.get(key) if key else None
        if (
            (key is not None and not context.old(key))
            or (table is not None and table.partition_by)
            or _made_here(context, name)
        ):
            continue
        if key is not None and context.dropped_later(key):
            continue
        where = f" of {quoted(table.name)}" if table else ""
        yield Hit(
            f"Dropping index {quoted(name)}{where} blocks all access to the table until running queries are done.",
            fix=_fix(context, op),
        )


def _made_here(context: Context, name: Name) -> bool:
    return any(op.index.name == name.name for _, op in context.earlier(CreateIndex))


def _fix(context: Context, op: DropIndex) -> Fix | None:
    return concurrently(context, "INDEX") if len(op.indexes) == 1 and "cascade" not in op.options else None
