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

import re
from collections.abc import Iterator

from ci_runner.lint.clauses import rewrite, words
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Edit, Fix, Hit, rule
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
                f"MySQL ignores REFERENCES in the definition of {quoted(column.name)}: no foreign key to {quoted(column.references.table)} is made.",
                fix=_fix(context, column),
            )


_ACTION = {"ON", "DELETE", "UPDATE", "CASCADE", "SET", "NULL", "RESTRICT", "NO", "ACTION", "DEFAULT", "MATCH", "FULL"}


@rewrite
def _fix(context: Context, column: Column) -> Fix | None:
    """The same words as a foreign key of the table, where they are the last of the column's definition."""
    op, text = context.step.operation, context.text()
    if isinstance(op, AlterColumnType):
        return None
    inner = 0
    if isinstance(op, CreateTable):
        opened = next(((start, stop) for word, start, stop in words(text) if word.startswith("(")), None)
        name = opened and re.compile(rf"[(,]\s*[`\"]?{re.escape(column.name)}[`\"]?\s", re.IGNORECASE).search(
            text, opened[0], opened[1]
        )
        if not opened or not name:
            return None
        inner, text = name.start() + 1, text[: opened[1] - 1]
    tokens = list(words(text, inner))
    at = next((number for number, (word, _, _) in enumerate(tokens) if word.upper() == "REFERENCES"), None)
    if at is None or any(word == "," for word, _, _ in tokens[:at]):
        return None
    rest = [word for word, _, _ in tokens[at + 3 :]]
    until = rest.index(",") if "," in rest else len(rest)
    if any(word.upper() not in _ACTION for word in rest[:until]):
        return None
    add = "ADD " if not isinstance(op, CreateTable) else ""
    start = op.start + tokens[at][1]
    behind = start - 1 if context.file.text[start - 1] == " " else start
    key = f", {add}FOREIGN KEY (`{column.name}`) "
    return Fix((Edit(behind, start, key),), "make it a foreign key of the table, which is enforced", safe=False)
