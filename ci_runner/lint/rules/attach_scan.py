"""A partition is attached and scanned under lock.

Without a CHECK that says the same as the partition's bounds, ATTACH PARTITION reads the whole new partition while it is locked. Where the
table has a DEFAULT partition, that one is locked and read, too, for rows that belong to the new one.

Instead: add a matching CHECK with NOT VALID, VALIDATE it, attach, and drop the CHECK; on a DEFAULT partition one that rules the bounds out.

Bad, postgres:
    CREATE TABLE event (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE event_2024 (id bigint, day date);
    ---
    ALTER TABLE event ATTACH PARTITION event_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');

Good, postgres:
    CREATE TABLE event (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE event_2024 (id bigint, day date,
        CONSTRAINT bounds CHECK (day IS NOT NULL AND day >= '2024-01-01' AND day < '2025-01-01'));
    ---
    ALTER TABLE event ATTACH PARTITION event_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.partitions import covered, ruled_out
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.stepwise import attach
from ci_runner.model.operations import Name, Partition


@rule("warning", POSTGRES, on=(Partition,), seen=("scan",), refutable=True)
def check(context: Context) -> Iterator[Hit]:
    """ATTACH of an old table whose validated CHECKs do not speak of the key and every bound, or beside an old DEFAULT partition."""
    op = context.step.operation
    assert isinstance(op, Partition)  # noqa: S101
    if not op.kind.endswith(".attach-partition"):
        return
    child, parent = context.table(op.partition), context.table(op.table)
    if context.stored(op.partition) and (child is None or not covered(child, parent, op.bounds)):
        yield Hit(
            f"Attaching {quoted(op.partition)} to {quoted(op.table)} scans it under lock: no validated CHECK matches its bounds.",
            fix=attach(context, op),
        )
    else:
        yield from _default(context, op.partition, op.table)


def _default(context: Context, new: Name, parent: Name) -> Iterator[Hit]:
    """The scan of an old DEFAULT partition of which no validated CHECK says what it holds."""
    table = context.table(parent)
    for name in table.children if table else ():
        child = context.catalog.tables.get(name)
        if child is None or "default partition" not in child.options or not context.stored(name):
            continue
        if table is not None and not ruled_out(child, table):
            yield Hit(
                f"Attaching {quoted(new)} to {quoted(parent)} locks its DEFAULT partition {quoted(child.name)} and scans it: "
                "no validated CHECK says that it holds none of the new partition's rows.",
                remedy="Add a CHECK to the DEFAULT partition that rules the new bounds out, NOT VALID and validated before.",
            )
