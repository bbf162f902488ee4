"""A text column is given a fixed or a limited length.

char(n) pads with blanks and saves nothing; a limit in the type is a limit one must migrate to change.

Instead: use text, and a CHECK where a limit is meant.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, country char(2));

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, country text CHECK (length(country) = 2));
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.columns import defined
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.types import base
from ci_runner.model.operations import AddColumn, AlterColumnType, CreateTable


@rule(
    "notice", POSTGRES, on=(CreateTable, AddColumn, AlterColumnType), aliases=("ban-char-field", "prefer-text-field"), accepts=("style",),
    default=False,
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """Columns of type char or varchar(n)."""
    for table, name, type_ in defined(context.step.operation):
        if type_ is not None and (base(type_) == "char" or (base(type_) == "varchar" and type_.args)):
            yield Hit(f"Column {quoted(name)} of {quoted(table)} is {type_.text or type_.base}: use text.")
