"""A name is a reserved word.

It must be quoted wherever it is used, and every query that forgets is an error, or means something else (user).

Instead: choose another name, a plural or a more exact word.

Bad, postgres:
    CREATE TABLE "order" (id bigint PRIMARY KEY);

Good, postgres:
    CREATE TABLE purchase (id bigint PRIMARY KEY);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.columns import names
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AddColumn, CreateTable, RenameColumn, RenameTable
from ci_runner.model.words import RESERVED


@rule(
    "notice",
    on=(CreateTable, AddColumn, RenameTable, RenameColumn),
    aliases=("NM102",),
    accepts=("style",),
    default=False,
)
def check(context: Context) -> Iterator[Hit]:
    """New tables and columns named by a word of SQL."""
    for what, name in names(context.step.operation):
        if name.lower() in RESERVED:
            yield Hit(f"The name of {what} {quoted(name)} is a reserved word: every query must quote it.")
