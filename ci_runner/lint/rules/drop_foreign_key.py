"""A foreign key is dropped while its columns stay.

From here on nothing stops rows that refer to nothing; they are found much later, by a join that loses them.

Instead: say in the migration who keeps the integrity from now on, or replace the key in the same file.

Bad, postgres:
    CREATE TABLE author (id bigint PRIMARY KEY);
    CREATE TABLE book (id bigint PRIMARY KEY, author_id bigint CONSTRAINT book_author_fk REFERENCES author (id));
    ---
    ALTER TABLE book DROP CONSTRAINT book_author_fk;

Good, postgres:
    CREATE TABLE author (id bigint PRIMARY KEY);
    CREATE TABLE book (id bigint PRIMARY KEY, author_id bigint CONSTRAINT book_author_fk REFERENCES author (id));
    ---
    ALTER TABLE book DROP CONSTRAINT book_author_fk;
    ALTER TABLE book ADD CONSTRAINT book_author_fk FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE NOT VALID;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.constraints import dropped, replaced
from ci_runner.lint.context import Context, listed, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import DropConstraint


@rule("warning", on=(DropConstraint,), aliases=("CD101", "ban-drop-constraint"))
def check(context: Context) -> Iterator[Hit]:
    """Foreign keys of old tables that go without another on the same columns."""
    op = context.step.operation
    assert isinstance(op, DropConstraint)  # noqa: S101
    found = dropped(context, op)
    if found is None or found.kind != "foreign-key" or replaced(context, op, found):
        return
    if context.dropped_later(op.table) or (found.references and context.dropped_later(found.references.table)):
        return  # it must go with the table it stands on or refers to
    columns = f" on {listed(found.columns)}" if found.columns else ""
    name = f" {quoted(op.name)}" if op.name else ""
    target = f" to {quoted(context.shown(found.references.table))}" if found.references else ""
    yield Hit(
        f"Dropping foreign key{name}{columns}: rows of {quoted(op.table)} may from now on refer{target or ' to rows'} that do not exist."
    )
