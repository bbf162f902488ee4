"""DDL runs on one node of a cluster only.

The object was made ON CLUSTER, or everything else in this directory is. Without the clause only the node the runner happens to talk to
changes, and the others drift apart. Databases of the Replicated engine spread DDL by themselves.

Instead: name the cluster: ON CLUSTER '{cluster}'.

Bad, clickhouse, tx none:
    CREATE TABLE hits ON CLUSTER main (id UInt64) ENGINE = MergeTree ORDER BY id;
    ---
    ALTER TABLE hits ADD COLUMN url String;

Good, clickhouse, tx none:
    CREATE TABLE hits ON CLUSTER main (id UInt64) ENGINE = MergeTree ORDER BY id;
    ---
    ALTER TABLE hits ON CLUSTER main ADD COLUMN url String;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import (
    CreateTable,
    CreateView,
    Dml,
    DropTable,
    Name,
    Operation,
    RenameTable,
    Setting,
    Transaction,
)


@rule("warning", ("clickhouse",), on=(Operation,))
def check(context: Context) -> Iterator[Hit]:
    """Statements without the clause on objects, or in directories, that have it; said once a statement."""
    op = context.step.operation
    if (
        isinstance(op, Dml | Setting | Transaction)
        or _clustered(op.options)
        or context.statement.operations[0] is not op
    ):
        return
    if isinstance(op, CreateTable | CreateView):
        name = op.table if isinstance(op, CreateTable) else op.view
        with_, without = context.catalog.creates
        if (
            with_
            and not without
            and not getattr(op, "temporary", False)
            and context.key(name).schema not in context.catalog.replicated
        ):
            yield Hit(
                f"{quoted(name)} is made on one node only: every earlier CREATE in this directory says ON CLUSTER."
            )
        return
    for name in _objects(op):
        table = context.table(name)
        if (
            table is not None
            and _clustered(table.options)
            and context.key(name).schema not in context.catalog.replicated
        ):
            yield Hit(f"{quoted(name)} was made ON CLUSTER; this statement changes it on one node only.")
            return


def _clustered(options: tuple[str, ...]) -> bool:
    return any(option.startswith("on cluster") for option in options)


def _objects(op: Operation) -> tuple[Name, ...]:
    if isinstance(op, DropTable):
        return op.tables
    if isinstance(op, RenameTable):
        return (op.table,)
    found = getattr(op, "table", None) or getattr(op, "object", None)
    return (found,) if isinstance(found, Name) else ()
