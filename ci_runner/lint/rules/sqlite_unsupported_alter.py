"""An ALTER that SQLite does not have.

ADD COLUMN cannot bring UNIQUE, PRIMARY KEY or a STORED generated column, nor to a STRICT table any but its six types. DROP COLUMN is refused
for a column that is part of a key, an index, a CHECK of the table, or a foreign key, or that a view or a trigger names. A column's type and
default cannot be changed, keys cannot be added; NOT NULL and CHECK can be from SQLite 3.53 on (say so with `server_version`). Renames and
DROP COLUMN, of whatever table, are refused while a view or a trigger reads a table that is gone, as in the middle of a rebuild, unless
`legacy_alter_table` is on. Views cannot be altered at all.

Instead: drop the index, view or trigger first and create it again behind, or build the table anew: create, copy, drop, rename.

Bad, sqlite:
    CREATE TABLE person (id INTEGER PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email TEXT UNIQUE;

Good, sqlite:
    CREATE TABLE person (id INTEGER PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email TEXT;
    CREATE UNIQUE INDEX person_email ON person (email);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clauses import clause, cut, end, ident, rewrite, target
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import mentions
from ci_runner.lint.naming import comparable
from ci_runner.lint.rule import Edit, Fix, Hit, rule
from ci_runner.lint.sqlite import legacy, namer
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterColumnType,
    DropColumn,
    DropConstraint,
    DropTable,
    Operation,
    RenameColumn,
    RenameConstraint,
    RenameTable,
)

_STRICT = ("int", "integer", "real", "text", "blob", "any")
_PARTS = {
    "primary-key": "the primary key",
    "unique": "a UNIQUE constraint",
    "foreign-key": "a foreign key of the table",
}


@rule(
    "error", ("sqlite",), on=(
        AddColumn, DropColumn, AlterColumn, AlterColumnType, AddConstraint, DropConstraint, RenameConstraint, RenameColumn, RenameTable,
    ), seen=("error",),
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """What SQLite 3.35 and later still refuse, whether or not the table has rows."""
    op = context.step.operation
    table = getattr(op, "table", None)
    if table is not None and context.table(table) is None and context.key(table) in context.catalog.views:
        yield Hit(f"SQLite refuses ALTER TABLE of {quoted(table)}, which is a view.")
        return
    if isinstance(op, AddColumn):
        yield from _added(context, op)
        return
    if isinstance(op, DropColumn | RenameColumn | RenameTable):
        yield from _broken(context, op)
    if isinstance(op, RenameColumn | RenameTable):
        return
    if not isinstance(op, DropColumn):
        yield from _unknown(context, op)
        return
    use = _use(context, op)
    if use:
        yield Hit(
            f"SQLite cannot drop {quoted(op.column)} of {quoted(op.table)}: it is part of {use}.",
            fix=_without_index(context, use),
        )


def _added(context: Context, op: AddColumn) -> Iterator[Hit]:
    column, table = op.column, context.table(op.table)
    what = "PRIMARY KEY" if column.primary_key else "UNIQUE" if column.unique else ""
    if column.generated == "stored" and context.old(op.table):
        what = "STORED once the table has a row"
    if what:
        message = f"SQLite cannot add {quoted(column.name)} to {quoted(op.table)}: ADD COLUMN may not be {what}."
        yield Hit(message, fix=_unique_index(context, op) if what == "UNIQUE" else None)
        return
    refused = ""
    if (
        table is not None
        and "strict" in table.options
        and (column.type is None or column.type.text.lower() not in _STRICT)
    ):
        refused = f"the table is STRICT, and knows only the types {', '.join(_STRICT).upper()}"
    elif column.references and (column.default or "null").strip("() ").lower() != "null" and context.old(op.table):
        refused = "with foreign keys on, a REFERENCES column must default to NULL"
    if refused:
        yield Hit(f"SQLite refuses to add {quoted(column.name)} to {quoted(op.table)}: {refused}.")


def _broken(context: Context, op: Operation) -> Iterator[Hit]:
    """What reads a table that the file has dropped: SQLite reads the text of every view and trigger before it alters anything."""
    if not context.catalog.programs or (isinstance(op, RenameTable) and legacy(context)):
        return
    gone = {context.key(name) for _, drop in context.earlier(DropTable) for name in drop.tables}
    gone -= {*context.catalog.tables, *context.catalog.views}
    for (kind, name), program in context.catalog.programs.items() if gone else ():
        missing = gone.intersection(program.reads)
        if missing:
            yield Hit(
                f"SQLite refuses this ALTER TABLE while {kind} {quoted(name)} reads {quoted(min(missing))}, which was dropped further up."
            )
            return


def _unknown(context: Context, op: Operation) -> Iterator[Hit]:
    """What other databases alter in place; ALTER COLUMN … TO is libSQL's."""
    if "libsql" in op.options:
        return
    words = " ".join(context.text().split()[:3])
    newer = op.kind.endswith((".set-not-null", ".drop-not-null", ".add-check", ".drop-constraint"))
    if newer and not context.file.at_least(3, 53, default=False):
        yield Hit(f"SQLite before 3.53 does not know {words} …: the statement is a syntax error.")
    elif not newer:
        yield Hit(f"SQLite does not know {words} … in ALTER TABLE: the statement is a syntax error.")


@rewrite
def _unique_index(context: Context, op: AddColumn) -> Fix | None:
    """The column without UNIQUE, and a unique index behind it."""
    span, table = clause(context.text(), "UNIQUE"), target(context)
    if span is None or table is None:
        return None
    name, column = ident(f"{op.table.name}_{op.column.name}_key", ""), ident(op.column.name, context.text())
    at = end(context)
    index = f";\nCREATE UNIQUE INDEX {name} ON {table.rpartition('.')[2]} ({column})"
    return Fix((cut(context, span), Edit(at, at, index)), "add the column, then a unique index", safe=False)


@rewrite
def _without_index(context: Context, use: str) -> Fix | None:
    """DROP INDEX before it."""
    if not use.startswith("index "):
        return None
    at = context.statement.start
    drop = f"DROP INDEX {ident(use.removeprefix('index ').strip(chr(34)), '')};\n"
    return Fix((Edit(at, at, drop),), "drop the index first", safe=False)


def _use(context: Context, op: DropColumn) -> str | None:
    table = context.table(op.table)
    name = comparable(op.column, "sqlite")
    for constraint in table.constraints if table else ():
        own = name in {comparable(c, "sqlite") for c in constraint.columns}
        if "inline" in constraint.options and (
            constraint.kind == "foreign-key" or (own and constraint.kind == "check")
        ):
            continue  # goes with its column
        if own:
            return _PARTS.get(constraint.kind, "a CHECK")
        if constraint.kind == "check" and mentions(constraint.expression, op.column):
            return "a CHECK of the table"
    for key, column in table.columns.items() if table else ():
        if column.generated and key != name and mentions(column.default or "", op.column):
            return f"generated column {quoted(column.name)}"
    for index in table.indexes.values() if table else ():
        parts = (*index.columns, index.where)
        if "constraint" not in index.options and any(mentions(part, op.column) for part in parts):
            return f"index {quoted(index.name)}"
    return namer(context, op.table, name)
