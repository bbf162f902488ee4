"""A foreign key is written where MySQL does not read it.

REFERENCES inside a column definition is parsed and ignored before MySQL 9.0: there is no foreign key, and nobody is told.

Instead: write FOREIGN KEY (column) REFERENCES … as a clause of the table.

Bad, mysql:
    CREATE TABLE author (id INT PRIMARY KEY);
    ---
    CREATE TABLE book (id INT PRIMARY KEY, author_id INT REFERENCES author (id));

Good, mysql:
    CREATE TABLE author (id INT PRIMARY KEY);
    ---
    CREATE TABLE book (id INT PRIMARY KEY, author_id INT, FOREIGN KEY (author_id) REFERENCES author (id));
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AddColumn, AlterColumnType, Column, CreateTable


@rule("warning", ("mysql",), on=(CreateTable, AddColumn, AlterColumnType), aliases=("MY102",))
def check(context: Context) -> Iterator[Hit]:
    """Column definitions with REFERENCES, below MySQL 9."""
    op = context.step.operation
    if context.file.at_least(9, default=False):
        return
    columns: tuple[Column | None, ...] = ()
    if isinstance(op, CreateTable):
        columns = op.columns
    elif isinstance(op, AddColumn):
        columns = (op.column,)
    elif isinstance(op, AlterColumnType):
        columns = (op.definition,)
    for column in columns:
        if column is not None and column.references:
            yield Hit(
                f"MySQL ignores REFERENCES in the definition of {quoted(column.name)}: no foreign key to {quoted(column.references.table)} is made."
            )
