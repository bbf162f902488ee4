"""SET NOT NULL reads the whole table under lock.

PostgreSQL looks at every row while nobody can read or write. It skips the scan if a validated CHECK already says that the column is not
NULL (12 and later). PRIMARY KEY USING INDEX on a nullable column does the same scan.

Instead: add CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in another transaction, SET NOT NULL, and drop the CHECK.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email text);
    ---
    ALTER TABLE person ALTER COLUMN email SET NOT NULL;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email text);
    ALTER TABLE person ADD CONSTRAINT email_there CHECK (email IS NOT NULL) NOT VALID;
    ALTER TABLE person VALIDATE CONSTRAINT email_there;
    ---
    ALTER TABLE person ALTER COLUMN email SET NOT NULL;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.domains import users
from ci_runner.lint.facts import not_null, proves_not_null
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.stepwise import set_not_null
from ci_runner.model.operations import AddConstraint, AlterColumn, DropConstraint, Name, Other


@rule(
    "warning",
    POSTGRES,
    on=(AlterColumn, AddConstraint, Other),
    aliases=("MF104", "PG303", "PG304", "adding-not-nullable-field"),
)
def check(context: Context) -> Iterator[Hit]:
    """SET NOT NULL of old columns not proven to hold no NULL."""
    op = context.step.operation
    if isinstance(op, AlterColumn):
        hazard, observed = context.judged(
            "scan", op.kind == "alter-table.set-not-null" and _scanned(context, op.table, op.column), op.table
        )
        if hazard and op.kind == "alter-table.set-not-null":
            yield Hit(
                f"SET NOT NULL on {quoted(op.column)} reads all of {quoted(op.table)} while nobody can use it.",
                observed=observed,
                fix=set_not_null(context, op),
            )
        return
    if isinstance(op, Other):
        yield from _domain(context, op)
        return
    assert isinstance(op, AddConstraint)  # noqa: S101
    if op.constraint.kind != "primary-key" or not op.constraint.using_index:
        return
    table = context.table(op.table)
    index = table.indexes.get(op.constraint.using_index) if table else None
    for column in index.columns if index else ():
        if _scanned(context, op.table, column):
            yield Hit(
                f"PRIMARY KEY USING INDEX makes nullable {quoted(column)} NOT NULL: all of {quoted(op.table)} is read while nobody can use it."
            )


def _domain(context: Context, op: Other) -> Iterator[Hit]:
    if op.kind != "alter-domain.set-not-null" or op.object is None:
        return
    for key, table, columns in users(context.catalog, op.object):
        if context.stored(key) and not all(not_null(column) for column in columns):
            yield Hit(
                f"SET NOT NULL on domain {quoted(op.object)} reads all of {quoted(table.name)} while writes wait."
            )


def _scanned(context: Context, name: Name, column: str) -> bool:
    if not context.stored(name):
        return False
    known, table = context.column(name, column), context.table(name)
    if known is not None and not_null(known):
        return False
    gone = {op.name for op in context.siblings() if isinstance(op, DropConstraint)}  # what a statement drops goes first
    proven = context.file.at_least(12) and any(
        proves_not_null(constraint, column) and not constraint.not_valid and constraint.enforced
        for constraint in (table.constraints if table else ())
        if constraint.name not in gone
    )
    return not proven
