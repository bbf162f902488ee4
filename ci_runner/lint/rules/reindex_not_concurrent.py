"""An index is rebuilt while the table is locked.

REINDEX blocks writes to the table, and reads that would use the index, until it is done.

Instead: REINDEX … CONCURRENTLY (12 and later), outside a transaction.

Bad, postgres, tx none:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE INDEX users_email_idx ON users (email);
    ---
    REINDEX INDEX users_email_idx;

Good, postgres, tx none:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE INDEX users_email_idx ON users (email);
    ---
    REINDEX INDEX CONCURRENTLY users_email_idx;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.postgres import concurrently, partitioned
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import Other


@rule("warning", POSTGRES, on=(Other,), aliases=("PG102", "require-concurrent-reindex"), seen=("lock", "index-build"))
def check(context: Context) -> Iterator[Hit]:
    """REINDEX of an old table or its index, a schema or the database."""
    op = context.step.operation
    assert isinstance(op, Other)  # noqa: S101
    if op.kind != "reindex":
        return
    if op.object is not None:
        key = context.table_of_index(op.object) or op.object
        if not context.old(key):
            return
    what = quoted(op.object) if op.object else "the database"
    whole = {"schema", "database", "system"}.intersection(op.options)
    refused = context.tx.block and (whole or partitioned(context, op.object))
    also = f" PostgreSQL refuses it in a transaction, and {context.tx.opener}." if refused else ""
    yield Hit(
        f"REINDEX of {what} blocks writes, and reads by that index, until it is done.{also}",
        fix=concurrently(context, r"(?:INDEX|TABLE|SCHEMA|DATABASE)"),
    )
