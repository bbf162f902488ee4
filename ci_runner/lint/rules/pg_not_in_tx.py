"""A statement that PostgreSQL refuses in a transaction stands in one.

VACUUM, CREATE and DROP DATABASE or TABLESPACE, ALTER SYSTEM, DISCARD ALL, CLUSTER without a table, REINDEX of a schema, a database or a partitioned
table, the subscription commands that reach the publisher, and before PostgreSQL 12 ALTER TYPE … ADD VALUE cannot run in a transaction
block, and most runners wrap each file in one.

Instead: tell the runner not to wrap this file (-- atlas:txmode none, -- +goose NO TRANSACTION, transaction:false, …), and keep it to that
one statement.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    VACUUM ANALYZE person;

Good, postgres, tx none:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    VACUUM ANALYZE person;
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.lint.context import Context
from ci_runner.lint.rule import POSTGRES, Fix, Hit, rule
from ci_runner.model.operations import AlterEnum, DropObjects, Name, Other

_REFUSED = frozenset(
    {
        "vacuum", "vacuum-full", "create-database", "drop-database", "alter-database.set-tablespace", "create-tablespace", "drop-tablespace",
        "alter-system", "alter-subscription.refresh-publication",
    }
)  # fmt: skip
_REFRESHING = (
    "alter-subscription.set-publication",
    "alter-subscription.add-publication",
    "alter-subscription.drop-publication",
)
_WHO = {
    "runner": "the runner wraps this file in one",
    "file": "the file opens one with BEGIN",
    "block": "a DO block is one",
}


@rule("error", POSTGRES, on=(Other, DropObjects, AlterEnum), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """What PreventInTransactionBlock guards in the server, but for CONCURRENTLY, which has a rule of its own."""
    op = context.step.operation
    if not context.tx.block or not _refused(context):
        return
    fix = Fix((), "run the file outside a transaction", no_transaction=True) if context.tx.by == "runner" else None
    words = "discard all" if op.kind == "reset-setting" else op.kind.partition(".")[0]
    what = words.replace("-", " ").upper()
    yield Hit(f"PostgreSQL refuses {what} in a transaction, and {_WHO[context.tx.by]}.", fix=fix)


def _refused(context: Context) -> bool:
    op = context.step.operation
    kind = op.kind
    if kind in _REFUSED:
        return True
    if isinstance(op, AlterEnum):
        return kind == "alter-type.add-value" and not context.file.at_least(12)
    if kind == "reindex":
        return bool({"schema", "database", "system"} & set(op.options)) or _partitioned(
            context, getattr(op, "object", None)
        )
    if kind == "cluster":
        table = getattr(op, "object", None)
        return table is None or _partitioned(context, table)
    if kind == "create-subscription":
        return not _says(context, r"(?:create_slot|connect)\s*=\s*'?(?:false|off|0)")
    if kind in _REFRESHING:
        return not _says(context, r"refresh\s*=\s*'?(?:false|off|0)")
    if kind == "reset-setting":
        return _says(context, r"^discard\s+all")
    return kind == "drop-subscription" and not _without_slot(context)


def _says(context: Context, pattern: str) -> bool:
    return re.search(pattern, context.text(), re.IGNORECASE) is not None


def _partitioned(context: Context, name: Name | None) -> bool:
    table = context.table(context.table_of_index(name) or name) if name else None
    return table is not None and bool(table.partition_by)


def _without_slot(context: Context) -> bool:
    """Whether the file has parted the subscription from its slot further up: then it can be dropped anywhere."""
    return any(
        op.kind == "alter-subscription.set-option"
        and re.search(r"slot_name\s*=\s*none", context.text(op), re.IGNORECASE)
        for _, op in context.earlier(Other)
    )
