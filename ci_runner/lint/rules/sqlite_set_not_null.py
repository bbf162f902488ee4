"""A rebuild makes a nullable column NOT NULL and copies its NULLs.

INSERT … SELECT into the new table fails on the first row whose value is NULL, and the file stops half-way; INSERT OR IGNORE loses such rows.

Instead: copy coalesce(column, value), or fill the NULLs with an UPDATE before.

Bad, sqlite, tx none:
    CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT);
    ---
    CREATE TABLE new_person (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO new_person (id, name) SELECT id, name FROM person;
    DROP TABLE person;
    ALTER TABLE new_person RENAME TO person;

Good, sqlite, tx none:
    CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT);
    ---
    CREATE TABLE new_person (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO new_person (id, name) SELECT id, coalesce(name, '') FROM person;
    DROP TABLE person;
    ALTER TABLE new_person RENAME TO person;
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import mentions, not_null
from ci_runner.lint.naming import comparable
from ci_runner.lint.rebuild import Rebuild, unwrapped
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AlterColumn, Column, CreateTable, Dml


@rule("warning", ("sqlite",), on=(Dml, AlterColumn), aliases=("LT101",), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """The copying INSERT of a rebuild, column by column, and what SQLite 3.53 can do in place."""
    op = context.step.operation
    if isinstance(op, AlterColumn):
        known = context.column(op.table, op.column)
        able = op.kind == "alter-table.set-not-null" and context.file.at_least(3, 53, default=False)
        if able and context.old(op.table) and not (known and not_null(known)) and not _filled(context, op.column):
            yield Hit(f"SET NOT NULL fails on the first row of {quoted(op.table)} whose {quoted(op.column)} is NULL.")
        return
    for rebuild in context.file.rebuilds:
        if rebuild.copied.position == context.step.position:
            yield from _copied(context, rebuild)


def _copied(context: Context, rebuild: Rebuild) -> Iterator[Hit]:
    made, op = rebuild.made.operation, context.step.operation
    old = context.file.released.tables.get(rebuild.table)
    if old is None or old.born or not isinstance(made, CreateTable) or not isinstance(op, Dml):
        return
    targets = op.columns or tuple(column.name for column in made.columns)
    for column in made.columns:
        before = old.columns.get(comparable(column.name, "sqlite"))
        if before is None or not not_null(column) or not_null(before):
            continue
        if _bare(op, targets, column) and not _filled(context, column.name):
            lost = re.match(r"insert\s+or\s+ignore\b", context.text(), re.IGNORECASE)
            what = "leaves out every row" if lost else "fails on the first row"
            yield Hit(
                f"Copying {quoted(old.name)} {what} whose {quoted(column.name)} is NULL: the new table refuses it."
            )


def _bare(op: Dml, targets: tuple[str, ...], column: Column) -> bool:
    """Whether the copy takes the column as it is."""
    if not op.values or any(value.strip().endswith("*") for value in op.values):
        return True
    pairs = dict(zip((comparable(target, "sqlite") for target in targets), op.values, strict=False))
    value = pairs.get(comparable(column.name, "sqlite"))
    return value is not None and re.fullmatch(r"\w+", unwrapped(value)) is not None and not value.strip()[:1].isdigit()


def _filled(context: Context, column: str) -> bool:
    """An UPDATE of the column or a DELETE by it before the copy, or a filter in it that leaves the NULLs out."""
    if re.search(
        rf"\b{re.escape(column)}\W*\s+(?:is\s+)?not\s*null",
        context.text().partition("WHERE")[2] or context.text(),
        re.IGNORECASE,
    ):
        return True
    return any(op.kind in ("update", "delete") and mentions(context.text(op), column) for _, op in context.earlier(Dml))
