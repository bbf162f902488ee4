"""A name breaks the common form.

Names in lower snake case need no quotes anywhere and stay within what the database keeps; longer ones are cut without a word.

Instead: lower case, digits and underscores, at most 63 characters.

Bad, postgres:
    CREATE TABLE "PersonData" (id bigint PRIMARY KEY);

Good, postgres:
    CREATE TABLE person_data (id bigint PRIMARY KEY);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.columns import names
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AddColumn, AddConstraint, CreateIndex, CreateTable, RenameColumn, RenameTable
from ci_runner.text.pattern import later

_PLAIN = later(r"[a-z_][a-z0-9_]{0,62}")


@rule(
    "notice", on=(CreateTable, AddColumn, CreateIndex, RenameTable, RenameColumn, AddConstraint),
    aliases=("identifier-too-long",), accepts=("style", "NM101", "NM103", "NM104", "NM105", "NM106"), default=False,
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """New names of tables, columns, indexes and constraints; Snowflake's are upper case by nature."""
    for what, name in names(context.step.operation):
        shown = name.lower() if context.dialect == "snowflake" and name.isupper() else name
        if name and not _PLAIN.fullmatch(shown):
            yield Hit(f"The name of {what} {quoted(name)} is not in lower snake case of at most 63 characters.")
