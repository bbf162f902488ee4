"""Two tables change places under their readers.

From one moment to the next queries see the other table's rows, and writers write into it; what was written between the copy and the swap
is only in the old one.

Instead: stop writers first, or make the swap the last step of a copy made in the same file.

Bad, snowflake, tx none:
    CREATE TABLE price (id NUMBER);
    CREATE TABLE price_next (id NUMBER);
    ---
    ALTER TABLE price SWAP WITH price_next;

Good, snowflake, tx none:
    CREATE TABLE price (id NUMBER);
    ---
    CREATE TABLE price_next AS SELECT id FROM price;
    ALTER TABLE price SWAP WITH price_next;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import rebuild_of
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import RenameTable


@rule("notice", ("snowflake", "clickhouse"), on=(RenameTable,))
def check(context: Context) -> Iterator[Hit]:
    """SWAP WITH and EXCHANGE TABLES of a table that was there before, but for the last step of a copy made in the same file."""
    op = context.step.operation
    assert isinstance(op, RenameTable)  # noqa: S101
    if not op.kind.endswith(("swap-table", "exchange-tables")):
        return
    names = (op.table, op.new)
    if any(context.old(name) for name in names) and not any(rebuild_of(context, name) for name in names):
        yield Hit(f"{quoted(op.table)} and {quoted(op.new)} change places at once, for readers and writers alike.")
