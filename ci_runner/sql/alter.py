"""Drives ALTER TABLE: the head, the list of actions, and the actions most dialects share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterColumnType,
    Constraint,
    CreateIndex,
    DropColumn,
    DropConstraint,
    Index,
    Name,
    Operation,
    Other,
    Partition,
    RenameColumn,
    RenameConstraint,
    RenameTable,
    Type,
    ValidateConstraint,
)  # fmt: skip
from ci_runner.sql.cursor import Cursor
from ci_runner.sql.keys import constraint
from ci_runner.sql.options import definition, stops
from ci_runner.sql.types import read_type

Action = Callable[[Cursor, Name, int], list[Operation]]
ADDED = {
    "primary-key": "add-primary-key", "unique": "add-unique", "foreign-key": "add-foreign-key", "check": "add-check",
    "exclusion": "add-exclusion", "not-null": "add-not-null", "connection": "add-connection",
}  # fmt: skip
CONSTRAINT_HEADS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE")


def kind(action: str) -> str:
    """The published kind of an action of ALTER TABLE."""
    return f"alter-table.{action}"


def one(operation: Operation) -> list[Operation]:
    """A list of it."""
    return [operation]


def other(c: Cursor, table: Name, first: int, action: str, *options: str) -> list[Operation]:
    """An action the catalog need not know."""
    return [c.op(Other, kind(action), first, object=table, options=options)]


def actions(c: Cursor, table: Name, known: Mapping[str, Action]) -> list[Operation]:
    """Reads actions parted by commas; each begins with a word that ``known`` has."""
    found: list[Operation] = []
    while True:
        first = c.i
        action = known.get(c.upper[first])
        if action is None or c.done:
            c.fail(f"no grammar for ALTER TABLE … {' '.join(c.text[first : first + 3]).strip()}")
        c.i += 1
        found += action(c, table, first)
        if not c.take(","):
            break
    c.end()
    return found


def tail_options(c: Cursor) -> tuple[str, ...]:
    """CASCADE or RESTRICT behind a DROP."""
    if c.take("CASCADE"):
        return ("cascade",)
    c.take("RESTRICT")
    return ()


# ── ADD ──


def add(c: Cursor, table: Name, first: int) -> list[Operation]:
    """ADD [COLUMN] definition, or a constraint."""
    if c.at(*CONSTRAINT_HEADS) or (c.ahead("NOT", "NULL") and c.dialect == "postgres"):
        key = constraint(c)
        if isinstance(key, Constraint):
            return one(add_constraint(c, table, first, key))
    c.take("COLUMN")
    return one(add_column(c, table, first, if_not_exists=c.if_not_exists()))


def add_column(c: Cursor, table: Name, first: int, *, if_not_exists: bool = False) -> Operation:
    """One column definition as an AddColumn."""
    column = definition(c)
    if column.type is None and c.dialect in ("postgres", "redshift", "snowflake"):
        c.fail()
    return c.op(AddColumn, kind("add-column"), first, table=table, column=column, if_not_exists=if_not_exists)


def add_constraint(c: Cursor, table: Name, first: int, key: Constraint, suffix: str = "") -> Operation:
    """A constraint under the kind its manner asks for: not valid, using an index."""
    name = ADDED[key.kind]
    if "not valid" in key.options and key.kind in ("exclusion", "primary-key", "unique"):
        c.fail("NOT VALID is for foreign keys and checks")
    if key.using_index:
        name += "-using-index"
    elif key.not_valid and not suffix:
        name += "-not-valid"
    return c.op(AddConstraint, kind(name + suffix), first, table=table, constraint=key)


def add_index(c: Cursor, table: Name, first: int, index: Index) -> Operation:
    """MySQL's ADD INDEX and its sisters."""
    sort = f"{index.method}-index" if index.method in ("fulltext", "spatial", "vector") else "index"
    return c.op(CreateIndex, kind(f"add-{sort}"), first, table=table, index=index)


# ── DROP ──


def drop_column(c: Cursor, table: Name, first: int) -> list[Operation]:
    """DROP COLUMN behind the word COLUMN, if it stands."""
    if_exists = c.if_exists()
    column = c.column()
    options = tail_options(c)
    return one(
        c.op(DropColumn, kind("drop-column"), first, table=table, column=column, if_exists=if_exists, options=options)
    )


def drop_constraint(c: Cursor, table: Name, first: int, sort: str = "") -> list[Operation]:
    """DROP CONSTRAINT, FOREIGN KEY, CHECK; ``sort`` where the statement says which it is."""
    if_exists = c.if_exists()
    name = c.identifier()
    options = tail_options(c)
    action = "drop-foreign-key" if sort == "foreign-key" else "drop-constraint"
    fields = {"table": table, "name": name, "constraint_kind": sort, "if_exists": if_exists, "options": options}
    return one(c.op(DropConstraint, kind(action), first, **fields))


def drop_primary_key(c: Cursor, table: Name, first: int) -> list[Operation]:
    """DROP PRIMARY KEY behind the word PRIMARY."""
    c.need("KEY")
    if c.dialect == "snowflake" and c.at("("):
        c.skip_parens()
    options = tail_options(c)
    fields = {"table": table, "name": "", "constraint_kind": "primary-key", "options": options}
    return one(c.op(DropConstraint, kind("drop-primary-key"), first, **fields))


def drop(c: Cursor, table: Name, first: int) -> list[Operation]:
    """DROP of a column or a constraint."""
    reserved = c.dialect in ("postgres", "redshift", "sqlserver")
    if c.at("CONSTRAINT") and (reserved or c.peek() not in ("", ",")):
        c.i += 1
        return drop_constraint(c, table, first)
    c.take("COLUMN")
    return drop_column(c, table, first)


# ── RENAME ──


def rename(c: Cursor, table: Name, first: int) -> list[Operation]:
    """RENAME TO, RENAME CONSTRAINT, RENAME [COLUMN] a TO b."""
    if c.take("TO"):
        return one(rename_table(c, table, first))
    if c.at("CONSTRAINT") and c.peek() != "TO":
        c.i += 1
        name = c.identifier()
        c.need("TO")
        return one(c.op(RenameConstraint, kind("rename-constraint"), first, table=table, name=name, new=c.identifier()))
    if c.at("COLUMN") and c.peek() != "TO":
        c.i += 1
    c.if_exists()
    column = c.column()
    c.need("TO")
    new = c.column()
    return one(c.op(RenameColumn, kind("rename-column"), first, table=table, column=column, new=new))


def rename_table(c: Cursor, table: Name, first: int) -> Operation:
    """The new name of a table."""
    new = c.name()
    return c.op(RenameTable, kind("rename-table"), first, table=table, new=new)


# ── ALTER COLUMN ──


def alter_type(c: Cursor, table: Name, column: str, first: int) -> Operation:
    """TYPE t [COLLATE c] [USING e] behind the word TYPE."""
    new = read_type(c, stops(c.dialect))
    if new is None:
        c.fail()
    collation = c.name().name if c.take("COLLATE") else ""
    using = c.until(frozenset()) if c.take("USING") else ""
    return type_change(c, table, column, first, new, using=using, collation=collation)


def type_change(
    c: Cursor, table: Name, column: str, first: int, new: Type, *, using: str = "", collation: str = ""
) -> Operation:
    """The change of a column's type."""
    return c.op(
        AlterColumnType,
        kind("alter-column-type"),
        first,
        table=table,
        column=column,
        type=new,
        using=using,
        collation=collation,
    )


def property_change(
    c: Cursor, table: Name, column: str, first: int, action: str, default: str | None = None
) -> Operation:
    """One property of a column."""
    return c.op(AlterColumn, kind(action), first, table=table, column=column, default=default)


def set_default(c: Cursor, table: Name, column: str, first: int) -> Operation:
    """SET DEFAULT e behind the word DEFAULT."""
    text = c.until(stops(c.dialect))
    if not text:
        c.fail()
    return property_change(c, table, column, first, "set-column-default", text)


def validate(c: Cursor, table: Name, first: int) -> list[Operation]:
    """VALIDATE CONSTRAINT."""
    c.need("CONSTRAINT")
    name = c.identifier()
    return one(c.op(ValidateConstraint, kind("validate-constraint"), first, table=table, name=name))


def partition(c: Cursor, table: Name, first: int, action: str, child: Name, **fields: object) -> list[Operation]:
    """An action on a partition."""
    return one(c.op(Partition, kind(action), first, table=table, partition=child, **fields))


def with_options(operations: list[Operation], options: tuple[str, ...]) -> list[Operation]:
    """The operations with statement-level options added to each."""
    if not options:
        return operations
    return [replace(operation, options=(*operation.options, *options)) for operation in operations]
