"""A partition is detached while the whole table is locked.

DETACH PARTITION takes an ACCESS EXCLUSIVE lock on the parent: it waits for every running query on any partition, and all others wait behind.

Instead: DETACH PARTITION … CONCURRENTLY (14 and later), outside a transaction; it is not possible with a DEFAULT partition.

Bad, postgres:
    CREATE TABLE event (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE event_2019 PARTITION OF event FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
    ---
    ALTER TABLE event DETACH PARTITION event_2019;

Good, postgres, tx none:
    CREATE TABLE event (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE event_2019 PARTITION OF event FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
    ---
    ALTER TABLE event DETACH PARTITION event_2019 CONCURRENTLY;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clauses import clause
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Edit, Fix, Hit, rule
from ci_runner.model.operations import Partition


@rule("warning", POSTGRES, on=(Partition,), aliases=("require-concurrent-partition-detach",), seen=("lock",))
def check(context: Context) -> Iterator[Hit]:
    """DETACH of an old parent, where the server knows a better way."""
    op = context.step.operation
    assert isinstance(op, Partition)  # noqa: S101
    if (
        not op.kind.endswith(".detach-partition")
        or op.concurrently
        or clause(context.text(), "FINALIZE")
        or not context.old(op.table)
        or not context.file.at_least(14)
    ):
        return
    end = op.start + len(context.text().rstrip().rstrip(";").rstrip())
    fix = Fix((Edit(end, end, " CONCURRENTLY"),), "detach CONCURRENTLY, outside a transaction", no_transaction=True)
    yield Hit(f"Detaching {quoted(op.partition)} blocks all access to {quoted(op.table)} and its partitions.", fix=fix)
