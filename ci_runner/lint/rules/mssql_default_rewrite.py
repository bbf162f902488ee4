"""A column with a default is added and written to every row.

Below Enterprise Edition (and Azure SQL), ADD … NOT NULL DEFAULT, or DEFAULT … WITH VALUES, updates every row while the table is locked;
there too, where the default differs from row to row, and for columns of (max) types, XML, geometry, geography and hierarchyid.
Set server_edition to enterprise, developer or azure if this is not your server.

Instead: add the column nullable without WITH VALUES, fill it in batches, then ALTER COLUMN … NOT NULL.

Bad, sqlserver, tx none:
    CREATE TABLE person (id INT NOT NULL PRIMARY KEY);
    ---
    ALTER TABLE person ADD state INT NOT NULL DEFAULT 0;

Good, sqlserver, tx none, edition enterprise:
    CREATE TABLE person (id INT NOT NULL PRIMARY KEY);
    ---
    ALTER TABLE person ADD state INT NOT NULL DEFAULT 0;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.sqlserver import keeps_default_apart
from ci_runner.model.operations import AddColumn


@rule("warning", ("sqlserver",), on=(AddColumn,))
def check(context: Context) -> Iterator[Hit]:
    """Defaults that must reach existing rows, where the server does not keep them as metadata."""
    op = context.step.operation
    assert isinstance(op, AddColumn)  # noqa: S101
    column = op.column
    if column.default is None or column.generated or not context.old(op.table):
        return
    if op.conditional and context.column(op.table, column.name) is not None:
        return
    reaches_rows = column.nullable is False or column.primary_key or "with values" in column.options
    if reaches_rows and not keeps_default_apart(context.file, column):
        yield Hit(
            f"The default of {quoted(column.name)} is written to every row of {quoted(op.table)} while the table is locked."
        )
