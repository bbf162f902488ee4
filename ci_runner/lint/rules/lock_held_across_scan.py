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

from ci_runner.lint.context import Context, File, quoted
from ci_runner.lint.facts import scans, strong_lock
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import Dml, Name, Operation


@rule("notice", POSTGRES)
def check(file: File) -> Iterator[Hit]:
    """In each transaction the first scan, or strong lock on another table, that follows a strong lock."""
    held: dict[int, Name] = {}
    said: set[int] = set()
    for step in file.steps if file.changed.change != "renamed" and len(file.steps) > 1 else ():
        transaction, op = step.tx.id, step.operation
        if transaction in said:
            continue
        context = Context(file, step)
        lock = strong_lock(context, op)
        first = held.get(transaction)
        if first is None:
            if lock is not None:
                held[transaction] = lock
            continue
        slow = scans(op)
        if slow is not None and _old_work(context, op):
            said.add(transaction)
            yield Hit(f"{quoted(first)} stays locked during {slow} that follows in the same transaction.", at=op)
        elif lock is not None and context.key(lock) != context.key(first):
            said.add(transaction)
            yield Hit(f"{quoted(first)} stays locked while this waits for its lock on {quoted(lock)}.", at=op)


def _old_work(context: Context, op: Operation) -> bool:
    """Whether what is scanned may hold rows."""
    names = (
        op.tables
        if isinstance(op, Dml)
        else tuple(n for n in (getattr(op, "table", None), getattr(op, "object", None)) if isinstance(n, Name))
    )
    return not names or any(context.old(name) for name in names)
