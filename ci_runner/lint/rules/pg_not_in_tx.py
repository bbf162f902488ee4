"""A statement that PostgreSQL refuses in a transaction stands in one.

VACUUM, CREATE DATABASE, CREATE and DROP TABLESPACE, ALTER SYSTEM, DISCARD ALL, CLUSTER without a table or of a partitioned one, the
subscription commands that reach the publisher, and before PostgreSQL 12 ALTER TYPE … ADD VALUE cannot run in a transaction block, and most
runners wrap each file in one. Where another rule reports the statement (concurrent-in-tx, drop-schema, reindex-not-concurrent), that one
says so.

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
from ci_runner.lint.postgres import partitioned
from ci_runner.lint.rule import POSTGRES, Fix, Hit, rule
from ci_runner.model.operations import AlterEnum, DropObjects, Other

_REFUSED = frozenset(
    {
        "vacuum", "vacuum-full", "create-database", "alter-database.set-tablespace", "create-tablespace", "drop-tablespace",
        "alter-system", "alter-subscription.refresh-publication",
    }
)  # fmt: skip
_REFRESHING = (
    "alter-subscription.set-publication",
    "alter-subscription.add-publication",
    "alter-subscription.drop-publication",
)


@rule("error", POSTGRES, on=(Other, DropObjects, AlterEnum), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """What PreventInTransactionBlock guards in the server, but for what another rule reports, which then says this, too.

    Those are whatever is CONCURRENTLY, DROP DATABASE, and REINDEX of what is old.
    """
    op = context.step.operation
    if not context.tx.block or not _refused(context):
        return
    fix = Fix((), "run the file outside a transaction", no_transaction=True) if context.tx.by == "runner" else None
    words = "discard all" if op.kind == "reset-setting" else op.kind.partition(".")[0]
    what = words.replace("-", " ").upper()
    yield Hit(f"PostgreSQL refuses {what} in a transaction, and {context.tx.opener}.", fix=fix)


def _refused(context: Context) -> bool:
    op = context.step.operation
    kind = op.kind
    if kind in _REFUSED:
        return True
    if isinstance(op, AlterEnum):
        return kind == "alter-type.add-value" and not context.file.at_least(12)
    if kind == "reindex":
        name = getattr(op, "object", None)
        return name is not None and partitioned(context, name) and not context.old(context.table_of_index(name) or name)
    if kind == "cluster":
        name = getattr(op, "object", None)
        return name is None or partitioned(context, name)
    if kind == "create-subscription":
        return not _says(context, r"(?:create_slot|connect)\s*=\s*'?(?:false|off|0)")
    if kind in _REFRESHING:
        return not _says(context, r"refresh\s*=\s*'?(?:false|off|0)")
    if kind == "reset-setting":
        return _says(context, r"^discard\s+all")
    return kind == "drop-subscription" and not _without_slot(context)


def _says(context: Context, pattern: str) -> bool:
    return re.search(pattern, context.text(), re.IGNORECASE) is not None


def _without_slot(context: Context) -> bool:
    """Whether the file has parted the subscription from its slot further up: then it can be dropped anywhere."""
    return any(
        op.kind == "alter-subscription.set-option"
        and re.search(r"slot_name\s*=\s*none", context.text(op), re.IGNORECASE)
        for _, op in context.earlier(Other)
    )
