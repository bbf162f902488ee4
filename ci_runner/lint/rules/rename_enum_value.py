"""An enum value is renamed under a running release.

The running release writes the old word and is refused, and reads the new one and does not know it.

Instead: add the new value, make the application write it and read both, convert the rows, and leave the old value unused.

Bad, postgres:
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    ---
    ALTER TYPE mood RENAME VALUE 'sad' TO 'unhappy';

Good, postgres:
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    ---
    ALTER TYPE mood ADD VALUE 'unhappy';
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.naming import born_type
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import AlterEnum


@rule("warning", POSTGRES, on=(AlterEnum,))
def check(context: Context) -> Iterator[Hit]:
    """RENAME VALUE on types this file did not make."""
    op = context.step.operation
    assert isinstance(op, AlterEnum)  # noqa: S101
    if op.kind == "alter-type.rename-value" and not born_type(context, op.type):
        yield Hit(
            f"Renaming value '{op.value}' of {quoted(op.type)} to '{op.new}' breaks the running release, which writes and reads '{op.value}'."
        )
