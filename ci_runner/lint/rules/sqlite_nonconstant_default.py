"""A column is added whose default SQLite cannot give to existing rows.

ALTER TABLE … ADD COLUMN with CURRENT_TIMESTAMP or an expression in parentheses as its default is refused once the table holds a row
("Cannot add a column with non-constant default"); an empty database lets it pass.

Instead: add the column without a default and fill it with an UPDATE, or build the table anew.

Bad, sqlite:
    CREATE TABLE note (id INTEGER PRIMARY KEY);
    ---
    ALTER TABLE note ADD COLUMN made TEXT DEFAULT CURRENT_TIMESTAMP;

Good, sqlite:
    CREATE TABLE note (id INTEGER PRIMARY KEY);
    ---
    ALTER TABLE note ADD COLUMN made TEXT;
    UPDATE note SET made = CURRENT_TIMESTAMP;
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AddColumn

_CONSTANT = re.compile(
    r"[-+]?\s*(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)|'(?:[^']|'')*'|\"[^\"]*\"|x'[0-9a-f]*'|null|true|false|\w+",
    re.IGNORECASE,
)


@rule("error", ("sqlite",), on=(AddColumn,), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """Defaults that are neither a literal nor a parenthesised constant."""
    op = context.step.operation
    assert isinstance(op, AddColumn)  # noqa: S101
    default = (op.column.default or "").strip()
    if not default or op.column.generated or not context.old(op.table):
        return
    inner = default
    while inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1].strip()
    now = inner.lower() in ("current_timestamp", "current_date", "current_time")
    if now or _CONSTANT.fullmatch(inner) is None:
        yield Hit(
            f"SQLite refuses to add {quoted(op.column.name)} to {quoted(op.table)} with the default {default} as soon as the table has a row."
        )
