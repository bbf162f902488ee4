"""A column with data is dropped.

Its values are gone, and the release that still runs names the column in its queries and fails. The same happens when a table is built
anew without one of its columns.

Instead: make the application ignore the column (ORMs have a setting for that), release, and drop the column in a later migration.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, nickname text);
    ---
    ALTER TABLE person DROP COLUMN nickname;

Good, mysql:
    CREATE TABLE person (id INT PRIMARY KEY, born DATE, age INT GENERATED ALWAYS AS (2024 - YEAR(born)) VIRTUAL);
    ---
    ALTER TABLE person DROP COLUMN age;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, listed, quoted
from ci_runner.lint.domains import carried
from ci_runner.lint.facts import added_here, copied_before
from ci_runner.lint.naming import comparable
from ci_runner.lint.rebuild import Rebuild, keeps_itself, produced
from ci_runner.lint.replaced import moved
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import CreateTable, DropColumn, DropObjects, DropTable
from ci_runner.model.schema import Table


@rule("error", on=(DropColumn, DropTable, CreateTable, DropObjects), aliases=("DS103", "ban-drop-column"))
def check(context: Context) -> Iterator[Hit]:
    """Dropped columns of old tables, and columns a rebuild leaves out."""
    op = context.step.operation
    if isinstance(op, DropColumn):
        if context.old(op.table) and _holds_data(context, op):
            key = context.key(op.table)
            views = [
                str(view) for view, reads in context.catalog.views.items() if "cascade" in op.options and key in reads
            ]
            named = f"; of the views {listed(views)} CASCADE drops those that show it" if views else ""
            yield Hit(
                f"Dropping column {quoted(op.column)} of {quoted(op.table)} deletes its values, and the running release that names it fails{named}."
            )
        return
    if isinstance(op, DropObjects):
        yield from _with_type(context, op)
        return
    if isinstance(op, CreateTable):
        again = op.or_replace and keeps_itself(context.file, context.step)
        if ("or alter" in op.options or again) and context.old(op.table):
            yield from _missing(context, context.table(op.table), op)
        return
    for rebuild in context.file.rebuilds:
        if rebuild.dropped is not None and rebuild.dropped.position == context.step.position:
            yield from _left_out(context, rebuild)
    for name in op.tables if isinstance(op, DropTable) else ():
        copy = copied_before(context, name)
        if copy is not None and not copy.partial:
            yield from _lacking(context.table(name), set(copy.columns))


def _with_type(context: Context, op: DropObjects) -> Iterator[Hit]:
    """The columns that DROP TYPE, DOMAIN or EXTENSION … CASCADE takes along."""
    for key, table, columns in carried(context.catalog, op) if context.dialect == "postgres" else ():
        gone = [column.name for column in columns if not added_here(context, table.name, column.name)]
        if gone and context.old(key):
            noun = "columns" if len(gone) > 1 else "column"
            yield Hit(
                f"CASCADE drops {noun} {listed(gone)} of {quoted(table.name)} with the type: "
                "the values are deleted, and the running release that names them fails."
            )


def _holds_data(context: Context, op: DropColumn) -> bool:
    table, column = context.table(op.table), context.column(op.table, op.column)
    if column is None:
        return not ((op.if_exists or op.conditional) and table is not None and not table.partial)
    stored = column.generated != "virtual" and "ephemeral" not in column.options
    return stored and not added_here(context, op.table, op.column) and not moved(context, op)


def _left_out(context: Context, rebuild: Rebuild) -> Iterator[Hit]:
    made = rebuild.made.operation
    if isinstance(made, CreateTable):
        yield from _missing(context, context.file.released.tables.get(rebuild.table), made)


def _missing(context: Context, old: Table | None, made: CreateTable) -> Iterator[Hit]:
    names = produced(made, context.dialect)
    if names is None:
        return
    yield from _lacking(old, {comparable(name, context.dialect) for name in names})


def _lacking(old: Table | None, kept: set[str]) -> Iterator[Hit]:
    if old is None or old.born or old.partial:
        return
    gone = [column.name for key, column in old.columns.items() if key not in kept and column.generated != "virtual"]
    if gone:
        noun = "columns" if len(gone) > 1 else "column"
        yield Hit(f"The new definition of {quoted(old.name)} has no {noun} {listed(gone)}: the values are lost.")
