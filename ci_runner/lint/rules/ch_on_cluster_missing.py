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

import re
from collections.abc import Iterator

from ci_runner.lint.clauses import rewrite
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Edit, Fix, Hit, rule
from ci_runner.model.operations import Dml, DropObjects, DropTable, Name, Operation
from ci_runner.model.schema import Table
from ci_runner.text.pattern import later

_CHANGES = ("alter-", "drop-", "rename-", "exchange-", "truncate", "create-index", "detach-", "undrop-")
_MADE = (
    "create-table", "create-or-replace-table", "create-view", "create-or-replace-view", "create-materialized-view", "create-dictionary",
    "create-database", "create-function",
)  # fmt: skip

_NAME = r'(?:"[^"]+"|`[^`]+`|[^\W\d]\w*)'
_TARGET = later(
    rf"(?:ALTER|DROP|TRUNCATE|DETACH)\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_NAME}(?:\.{_NAME})?(?!\s*[,.])", re.IGNORECASE
)


@rule("warning", ("clickhouse",), on=(Operation,))
def check(context: Context) -> Iterator[Hit]:
    """Statements without the clause on objects, or in directories, that have it; said once a statement."""
    op = context.step.operation
    if "on cluster" in op.options or context.statement.operations[0] is not op:
        return
    if op.kind.startswith(_MADE):
        name = _names(op)[0] if _names(op) else None
        with_, without = context.catalog.creates
        if name is not None and with_ and not without and not _replicated(context, name):
            yield Hit(
                f"{quoted(name)} is made on one node only: every earlier CREATE in this directory says ON CLUSTER."
            )
    elif op.kind.startswith(_CHANGES):
        for name in _names(op):
            table = context.table(name)
            clustered = "on cluster" in table.options if table else context.key(name) in context.catalog.clustered
            if clustered and not _replicated(context, name):
                message = f"{quoted(name)} was made ON CLUSTER; this statement changes it on one node only."
                yield Hit(message, fix=_everywhere(context, table))
                return


@rewrite
def _everywhere(context: Context, table: Table | None) -> Fix | None:
    """The clause the table was made with, behind the table's name."""
    cluster = next((option for option in table.options if option.startswith("cluster=")), "") if table else ""
    found = _TARGET.match(context.statement.text)
    if not cluster or found is None:
        return None
    at = context.statement.start + found.end()
    return Fix((Edit(at, at, f" ON CLUSTER {cluster.partition('=')[2]}"),), "run it on the whole cluster", safe=False)


def _replicated(context: Context, name: Name) -> bool:
    return context.key(name).schema in context.catalog.replicated


def _names(op: Operation) -> tuple[Name, ...]:
    if isinstance(op, DropTable | Dml):
        return op.tables
    if isinstance(op, DropObjects):
        return op.names
    found = next(
        (getattr(op, field) for field in ("table", "view", "object", "function", "name") if hasattr(op, field)), None
    )
    return (found,) if isinstance(found, Name) else ()
