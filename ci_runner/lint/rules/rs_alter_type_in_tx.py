"""A column's size is changed inside a transaction.

Redshift refuses ALTER TABLE … ALTER COLUMN … TYPE between BEGIN and COMMIT.

Instead: tell the runner not to wrap this file, and keep it to that one statement.

Bad, redshift:
    CREATE TABLE person (id BIGINT, name VARCHAR(20));
    ---
    ALTER TABLE person ALTER COLUMN name TYPE VARCHAR(300);

Good, redshift, tx none:
    CREATE TABLE person (id BIGINT, name VARCHAR(20));
    ---
    ALTER TABLE person ALTER COLUMN name TYPE VARCHAR(300);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Fix, Hit, rule
from ci_runner.model.operations import AlterColumnType


@rule("error", ("redshift",), on=(AlterColumnType,))
def check(context: Context) -> Iterator[Hit]:
    """ALTER COLUMN TYPE in a block, also on a table made in it: the statement is refused, whatever the table holds."""
    op = context.step.operation
    assert isinstance(op, AlterColumnType)  # noqa: S101
    if context.tx.block:
        fix = Fix((), "run the file outside a transaction", no_transaction=True) if context.tx.by == "runner" else None
        yield Hit(
            f"Redshift refuses to change the type of {quoted(op.column)} of {quoted(op.table)} inside a transaction.",
            fix=fix,
        )
