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

from msgspec.structs import replace

from ci_runner.lint.constraints import dropped, replaced
from ci_runner.lint.context import Context, listed, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import Constraint, DropConstraint


@rule("warning", on=(DropConstraint,), aliases=("CD101", "ban-drop-constraint"))
def check(context: Context) -> Iterator[Hit]:
    """Foreign keys of old tables that go without another on the same columns."""
    op = context.step.operation
    assert isinstance(op, DropConstraint)  # noqa: S101
    found = dropped(context, op)
    if found is not None and "cascade" in op.options and found.kind in ("primary-key", "unique"):
        yield from _carried(context, op, found)
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


def _carried(context: Context, op: DropConstraint, key: Constraint) -> Iterator[Hit]:
    """The foreign keys that refer to a key dropped with CASCADE."""
    target = context.key(op.table)
    for name in context.catalog.referrers.get(target, ()):
        child = context.catalog.tables.get(name)
        for found in child.constraints if child and context.old(name) else ():
            far = found.references
            if far is None or far.table != target or not _stands_on(far.columns, key):
                continue
            gone = replace(op, table=name, name=found.name, options=())
            if not replaced(context, gone, found) and not context.dropped_later(name):
                yield Hit(
                    f"CASCADE drops the foreign key {quoted(found.name)} of {quoted(context.shown(name))} too: its rows may from now on "
                    f"refer to rows of {quoted(op.table)} that do not exist."
                )


def _stands_on(columns: tuple[str, ...], key: Constraint) -> bool:
    return columns == key.columns or (not columns and key.kind == "primary-key")
