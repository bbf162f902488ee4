"""CONCURRENTLY is used inside a transaction.

CREATE, DROP and REINDEX … CONCURRENTLY and DETACH PARTITION … CONCURRENTLY commit in between, so PostgreSQL refuses them in a
transaction block, and most runners wrap each file in one.

Instead: tell the runner not to wrap this file (-- atlas:txmode none, -- +goose NO TRANSACTION, transaction:false, …), and keep it to that
one statement.

Bad, postgres:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    ---
    CREATE INDEX CONCURRENTLY users_email_idx ON users (email);

Good, postgres, tx none:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    ---
    CREATE INDEX CONCURRENTLY users_email_idx ON users (email);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context
from ci_runner.lint.rule import POSTGRES, Fix, Hit, rule
from ci_runner.model.operations import Operation


@rule(
    "error",
    POSTGRES,
    on=(Operation,),
    aliases=("PG103", "ban-concurrent-index-creation-in-transaction"),
    seen=("error",),
)
def check(context: Context) -> Iterator[Hit]:
    """Whatever is CONCURRENTLY and cannot be in a block; REFRESH MATERIALIZED VIEW CONCURRENTLY can."""
    op = context.step.operation
    concurrent = getattr(op, "concurrently", False) or op.kind == "reindex-concurrently"
    if not concurrent or not context.tx.block:
        return
    fix = Fix((), "run the file outside a transaction", no_transaction=True) if context.tx.by == "runner" else None
    what = op.kind.removeprefix("alter-table.").removesuffix("-concurrently").replace("-", " ").upper()
    yield Hit(f"PostgreSQL refuses {what} CONCURRENTLY in a transaction, and {context.tx.opener}.", fix=fix)
