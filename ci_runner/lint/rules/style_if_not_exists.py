"""A statement cannot be run twice.

Outside a transaction a failure half-way leaves the first statements applied; run again, they fail because their objects exist.

Instead: say IF NOT EXISTS or IF EXISTS in files that run outside a transaction.

Bad, postgres, tx none:
    CREATE TABLE person (id bigint PRIMARY KEY);

Good, postgres, tx none:
    CREATE TABLE IF NOT EXISTS person (id bigint PRIMARY KEY);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import AddColumn, CreateIndex, CreateTable, DropColumn, DropIndex, DropTable


@rule(
    "notice", POSTGRES, on=(CreateTable, CreateIndex, AddColumn, DropTable, DropIndex, DropColumn),
    aliases=("prefer-robust-stmts", "prefer-robust-statements"), accepts=("style",), default=False,
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """CREATE, ADD and DROP without a guard, outside a transaction."""
    op = context.step.operation
    guarded = getattr(op, "if_not_exists", False) or getattr(op, "if_exists", False) or op.conditional
    if guarded or context.tx.block:
        return
    words = op.kind.removeprefix("alter-table.").replace("-concurrently", "").replace("-", " ").upper()
    guard = "IF EXISTS" if words.startswith("DROP") else "IF NOT EXISTS"
    yield Hit(f"{words} without {guard} fails when the file is run again after a failure half-way.")
