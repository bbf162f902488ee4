"""A strong lock is held while something slow runs.

Locks are kept until COMMIT: a table locked by an early statement stays closed while later ones scan, build or lock another table.

Instead: one strong lock a transaction: split the file, the slow part first or by itself.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email text);
    CREATE TABLE invoice (id bigint PRIMARY KEY, paid boolean);
    ---
    ALTER TABLE person ADD COLUMN nickname text;
    UPDATE invoice SET paid = false WHERE paid IS NULL; -- here

Good, postgres, tx none:
    CREATE TABLE person (id bigint PRIMARY KEY, email text);
    CREATE TABLE invoice (id bigint PRIMARY KEY, paid boolean);
    ---
    ALTER TABLE person ADD COLUMN nickname text;
    UPDATE invoice SET paid = false WHERE paid IS NULL;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import scans, strong_lock
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import Dml, Name, Operation


@rule("notice", POSTGRES, on=(Operation,))
def check(context: Context) -> Iterator[Hit]:
    """The first scan, or strong lock on another table, that follows a strong lock in the same transaction."""
    op = context.step.operation
    slow = scans(op)
    second = strong_lock(context, op)
    if slow is None and second is None:
        return
    if slow is not None and not _old_work(context, op):
        slow = None
    held: Name | None = None
    for step in reversed(list(context.earlier())):
        if step.tx.id != context.tx.id:
            continue
        locked = strong_lock(context, step.operation)
        if held is not None and (scans(step.operation) or (locked and context.key(locked) != context.key(held))):
            return  # said where it first happened
        held = held or locked
    if held is None:
        return
    if slow is not None:
        yield Hit(f"{quoted(held)} stays locked during {slow} that follows in the same transaction.")
    elif second is not None and context.key(second) != context.key(held):
        yield Hit(f"{quoted(held)} stays locked while this waits for its lock on {quoted(second)}.")


def _old_work(context: Context, op: Operation) -> bool:
    """Whether what is scanned may hold rows."""
    names = (
        op.tables
        if isinstance(op, Dml)
        else tuple(n for n in (getattr(op, "table", None), getattr(op, "object", None)) if isinstance(n, Name))
    )
    return not names or any(context.old(name) for name in names)
