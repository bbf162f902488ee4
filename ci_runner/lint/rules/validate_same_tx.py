"""NOT VALID and VALIDATE stand in one transaction.

The lock that ADD CONSTRAINT takes is kept until COMMIT, so the scan of VALIDATE runs under it: nothing is won by NOT VALID.

Instead: put VALIDATE CONSTRAINT into a migration (or a transaction) of its own.

Bad, postgres:
    CREATE TABLE item (id bigint PRIMARY KEY, price int);
    ---
    ALTER TABLE item ADD CONSTRAINT price_positive CHECK (price > 0) NOT VALID;
    ALTER TABLE item VALIDATE CONSTRAINT price_positive; -- here

Good, postgres:
    CREATE TABLE item (id bigint PRIMARY KEY, price int);
    ALTER TABLE item ADD CONSTRAINT price_positive CHECK (price > 0) NOT VALID;
    ---
    ALTER TABLE item VALIDATE CONSTRAINT price_positive;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clauses import end, removed, rewrite
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Fix, Hit, rule
from ci_runner.lint.stepwise import plain
from ci_runner.model.operations import AddConstraint, ValidateConstraint


@rule("warning", POSTGRES, on=(ValidateConstraint,), aliases=("constraint-missing-not-valid",))
def check(context: Context) -> Iterator[Hit]:
    """VALIDATE of a constraint that the same transaction added to an old table."""
    op = context.step.operation
    assert isinstance(op, ValidateConstraint)  # noqa: S101
    if not context.old(op.table):
        return
    for step, other in context.earlier(AddConstraint):
        if step.tx.id != context.tx.id or not other.constraint.not_valid:
            continue
        if context.key(other.table) == context.key(op.table) and (
            not other.constraint.name or context.same(other.constraint.name, op.name)
        ):
            yield Hit(
                f"{quoted(op.name)} is validated in the transaction that adds it: {quoted(op.table)} is scanned under the lock of ADD CONSTRAINT.",
                fix=_fix(context, op),
            )
            return


@rewrite
def _fix(context: Context, op: ValidateConstraint) -> Fix | None:
    """VALIDATE as the next migration."""
    if not plain(context) or context.tx.by != "runner" or len(context.statement.operations) > 1:
        return None
    statement = f"{context.file.text[context.statement.start : end(context)]};"
    return Fix(
        (removed(context),), "validate it in the next migration", after=((statement,),), name=f"validate_{op.name}"
    )
