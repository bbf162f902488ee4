"""A table is emptied.

TRUNCATE deletes every row at once; with CASCADE it reaches every table that refers to this one, without naming them. On Redshift it also
commits the transaction it runs in.

Instead: delete in batches what must go, or name every table that is meant to be emptied.

Bad, postgres:
    CREATE TABLE session (id bigint PRIMARY KEY);
    ---
    TRUNCATE session CASCADE;

Good, postgres:
    CREATE TABLE session (id bigint PRIMARY KEY, ends date);
    ---
    DELETE FROM session WHERE ends < '2020-01-01';
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, listed, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import Dml, Other, Partition


@rule("warning", on=(Dml, Partition, Other), aliases=("ban-truncate-cascade",), seen=("rows-lost",))
def check(context: Context) -> Iterator[Hit]:
    """TRUNCATE and TRUNCATE PARTITION of old tables, TRUNCATE of an old database."""
    op = context.step.operation
    commits = " On Redshift it also commits the transaction at once." if context.dialect == "redshift" else ""
    if isinstance(op, Partition):
        if op.kind.endswith("truncate-partition") and context.old(op.table):
            yield Hit(f"Truncating partition {quoted(op.partition.name)} of {quoted(op.table)} deletes all rows in it.")
        return
    if isinstance(op, Other):
        if op.kind == "truncate-database" and op.object and ("schema", op.object) not in context.catalog.born:
            yield Hit(f"TRUNCATE DATABASE deletes all rows of every table in {quoted(op.object)}.")
        return
    assert isinstance(op, Dml)  # noqa: S101
    old = [str(name) for name in op.tables if context.old(name)]
    if op.kind == "truncate" and old:
        cascade = ", and CASCADE empties every table that refers to it" if "cascade" in op.options else ""
        yield Hit(f"TRUNCATE deletes all rows of {listed(old)}{cascade}.{commits}")
