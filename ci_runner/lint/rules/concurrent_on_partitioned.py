"""CREATE INDEX CONCURRENTLY or DROP INDEX CONCURRENTLY is used on a partitioned table.

PostgreSQL refuses it: the parent has no rows of its own, and its partitions must be indexed one by one. A partitioned index can only be
dropped without CONCURRENTLY, and its partitions' indexes go with it.

Instead: CREATE INDEX ON ONLY the parent, CREATE INDEX CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION.

Bad, postgres, tx none:
    CREATE TABLE event (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ---
    CREATE INDEX CONCURRENTLY event_day_idx ON event (day);

Good, postgres, tx none:
    CREATE TABLE event (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ---
    CREATE INDEX event_day_idx ON ONLY event (day);
    CREATE INDEX CONCURRENTLY event_2024_day_idx ON event_2024 (day);
    ALTER INDEX event_day_idx ATTACH PARTITION event_2024_day_idx;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.stepwise import by_partition
from ci_runner.model.operations import CreateIndex, DropIndex


@rule("error", POSTGRES, on=(CreateIndex, DropIndex), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """CONCURRENTLY on a table that has PARTITION BY, or on an index of one."""
    op = context.step.operation
    assert isinstance(op, CreateIndex | DropIndex)  # noqa: S101
    if not op.concurrently:
        return
    if isinstance(op, CreateIndex):
        table = context.table(op.table)
        if table is not None and table.partition_by:
            message = f"PostgreSQL refuses CREATE INDEX CONCURRENTLY on partitioned {quoted(op.table)}."
            yield Hit(message, fix=by_partition(context, op))
        return
    for name in op.indexes:
        key = context.table_of_index(name, op.table)
        table = context.catalog.tables.get(key) if key else None
        if table is not None and table.partition_by:
            yield Hit(
                f"PostgreSQL refuses DROP INDEX CONCURRENTLY for {quoted(name)}, an index of partitioned {quoted(table.name)}."
            )
