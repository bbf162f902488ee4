"""An index is built while writes wait.

CREATE INDEX locks the table against every INSERT, UPDATE and DELETE until the index is complete, minutes on a large table.

Instead: CREATE INDEX CONCURRENTLY, in a file that the runner does not wrap in a transaction. If it fails it leaves an invalid index: drop it
and run again.

Bad, postgres:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    ---
    CREATE INDEX users_email_idx ON users (email);

Good, postgres, tx none:
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    ---
    CREATE INDEX CONCURRENTLY users_email_idx ON users (email);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.postgres import concurrently
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.stepwise import by_partition
from ci_runner.model.operations import CreateIndex


@rule(
    "warning",
    POSTGRES,
    on=(CreateIndex,),
    aliases=("PG101", "require-concurrent-index-creation"),
    seen=("lock", "index-build"),
)
def check(context: Context) -> Iterator[Hit]:
    """Indexes on old tables, but for ON ONLY a partitioned parent, which builds nothing."""
    op = context.step.operation
    assert isinstance(op, CreateIndex)  # noqa: S101
    table = context.table(op.table)
    if op.concurrently or not context.old(op.table) or (op.only and (table is None or table.partition_by)):
        return
    if (op.if_not_exists or op.conditional) and table is not None and op.index.name and op.index.name in table.indexes:
        return
    if table is not None and table.partition_by:
        yield Hit(
            f"Building an index on partitioned {quoted(op.table)} blocks writes to all its partitions until every one is indexed.",
            remedy="Create the index ON ONLY the parent, CONCURRENTLY on each partition, and ATTACH them.",
            fix=by_partition(context, op),
        )
        return
    named = f" {quoted(op.index.name)}" if op.index.name else ""
    yield Hit(
        f"Building index{named} blocks writes to {quoted(op.table)} until it is complete.",
        fix=concurrently(context, "INDEX"),
    )
