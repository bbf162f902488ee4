"""A partition is dropped with its rows.

A whole range of rows disappears at once; on ClickHouse DETACH PARTITION hides them from readers just the same.

Instead: detach or exchange the partition, keep it until nobody misses it, and drop it in a later migration.

Bad, mysql:
    CREATE TABLE log (id INT, y INT) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);
    ---
    ALTER TABLE log DROP PARTITION p0;

Bad, clickhouse, tx none:
    CREATE TABLE log (id UInt64, d Date) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY id;
    ---
    ALTER TABLE log DETACH PARTITION '202001';

Good, mysql:
    CREATE TABLE log (id INT, y INT) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);
    CREATE TABLE log_2019 (id INT, y INT);
    ---
    ALTER TABLE log EXCHANGE PARTITION p0 WITH TABLE log_2019;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import MYSQL, Hit, rule
from ci_runner.model.operations import Partition


@rule("error", (*MYSQL, "clickhouse"), on=(Partition,))
def check(context: Context) -> Iterator[Hit]:
    """DROP PARTITION (and ClickHouse's DETACH) of old tables."""
    op = context.step.operation
    assert isinstance(op, Partition)  # noqa: S101
    action = op.kind.rpartition(".")[2]
    if action not in (
        "drop-partition",
        "drop-part",
        "drop-detached-partition",
        "detach-partition",
        "detach-part",
    ) or not context.old(op.table):
        return
    if action.startswith("detach"):
        if context.dialect == "clickhouse" and not _attached_again(context, op):
            yield Hit(
                f"Detaching partition {quoted(op.partition.name)} of {quoted(op.table)} hides its rows from every reader."
            )
        return
    yield Hit(f"Dropping partition {quoted(op.partition.name)} of {quoted(op.table)} deletes all rows in it.")


def _attached_again(context: Context, op: Partition) -> bool:
    """Whether the file attaches the same partition, or part, to its table again."""
    return any(
        other.kind.replace("attach-", "detach-") == op.kind
        and context.key(other.table) == context.key(op.table)
        and other.partition.name == op.partition.name
        and not other.bounds
        for _, other in context.later(Partition)
    )
