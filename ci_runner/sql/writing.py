"""An inspected schema as CREATE statements, in an order in which they run on an empty database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.model.inspected import Column, Schema, Table
from ci_runner.model.operations import Name
from ci_runner.sql.spelling import qualified, quoted
from ci_runner.text.pattern import later

VIEWS = 300  # more than these are not sorted
_CLAUSE = later(r"generated |auto_?increment|identity", re.IGNORECASE)
_FOREIGN = later(r"foreign key", re.IGNORECASE)
_STATEMENT = later(r"create ", re.IGNORECASE)
_STORAGE = later(r"[\w.]+=[^,]*(?:, [\w.]+=[^,]*)*\Z")


def creates(schema: Schema, dialect: str) -> Iterator[str]:
    """The statements without their semicolons. What cannot be written (a view whose text is not known) is a comment."""
    yield from _schemas(schema, dialect)
    for name, labels in schema.enums.items():
        listed = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
        yield f"CREATE TYPE {_name(name, dialect)} AS ENUM ({listed})"
    for name, text in schema.sequences.items():
        yield f"CREATE SEQUENCE {_name(name, dialect)} AS {text}"
    yield from _functions(schema, dialect)
    for name, table in schema.tables.items():
        yield _table(name, table, dialect)
    for name, table in schema.tables.items():
        yield from _further(name, table, dialect)
    for name, text in _in_order(schema):
        yield _view(name, text, dialect)
    for name, table in schema.tables.items():
        for trigger, text in table.triggers.items():
            yield text if _STATEMENT.match(text) else f"-- {_line(trigger)} on {_line(name)}: {_line(text)}"


def _schemas(schema: Schema, dialect: str) -> Iterator[str]:
    every = (
        *schema.tables,
        *schema.views,
        *schema.enums,
        *schema.sequences,
        *(name.partition("(")[0] for name in schema.functions),
    )
    for name in dict.fromkeys(each.partition(".")[0] for each in every if "." in each):
        yield f"CREATE {'DATABASE' if dialect in ('mysql', 'mariadb', 'clickhouse') else 'SCHEMA'} {quoted(name, dialect)}"


def _functions(schema: Schema, dialect: str) -> Iterator[str]:
    written = {name: text for name, text in schema.functions.items() if _STATEMENT.match(text)}
    if written and dialect == "postgres":
        yield "SET check_function_bodies = false"  # they may name tables that come later
    yield from (text.rstrip().removesuffix(";") for text in written.values())
    yield from (f"-- function {_line(name)}: its text is not known" for name in schema.functions if name not in written)


def _table(name: str, table: Table, dialect: str) -> str:
    parts = [f"    {quoted(column, dialect)} {_column(each)}" for column, each in table.columns.items()]
    for constraint, definition in table.constraints.items():
        if not _later(constraint, definition, dialect):
            parts.append(f"    {_constraint(constraint, definition, dialect)}")
    before, behind = _options(table.options, dialect)
    body = "(\n" + ",\n".join(parts) + "\n)" if parts else "()"
    return f"CREATE {before}TABLE {_name(name, dialect)} {body}{behind}"


def _further(name: str, table: Table, dialect: str) -> Iterator[str]:
    """What can only be said once every table is there: indexes, foreign keys, row security."""
    for index, text in table.indexes.items():
        invalid = text.endswith(" (invalid)")
        yield text.removesuffix(" (invalid)") if _STATEMENT.match(text) else f"-- index {_line(index)}: {_line(text)}"
        if invalid:
            yield f"-- the index {_line(index)} is invalid"
    for constraint, definition in table.constraints.items():
        if _later(constraint, definition, dialect):
            yield f"ALTER TABLE {_name(name, dialect)} ADD {_constraint(constraint, definition, dialect)}"
    if "row level security" in table.options.split(", "):
        yield f"ALTER TABLE {_name(name, dialect)} ENABLE ROW LEVEL SECURITY"


def _later(name: str, definition: str, dialect: str) -> bool:
    """Whether a constraint has to wait until every table is there; SQLite adds none to a table and lets keys lead to what comes later."""
    return dialect != "sqlite" and bool(_FOREIGN.match(definition) or _FOREIGN.match(name) or "NOT VALID" in definition)


def _column(column: Column) -> str:
    generated = column.generated
    if generated and not _CLAUSE.match(generated):
        generated = f"GENERATED ALWAYS AS ({generated}) STORED"
    parts = [
        column.type,
        f"DEFAULT {column.default}" if column.default else "",
        generated.upper() if generated.islower() and "(" not in generated else generated,
        "" if column.nullable else "NOT NULL",
    ]
    return " ".join(part for part in parts if part)


def _constraint(name: str, definition: str, dialect: str) -> str:
    """A constraint with its name; one that has none is kept under its own text, or (SQLite) under its first half."""
    if not definition or name.startswith(definition) or _FOREIGN.match(name) or name == "PRIMARY":
        return (
            definition
            if _FOREIGN.match(definition) or (name.startswith(definition) and definition)
            else f"{name} {definition}".strip()
        )
    return f"CONSTRAINT {quoted(name, dialect)} {definition}"


def _options(options: str, dialect: str) -> tuple[str, str]:
    """What stands before the word TABLE and behind the columns."""
    if dialect != "postgres":
        return "", f" {options}" if options else ""
    parts = options.split(", ") if options else []
    before = "UNLOGGED " if parts[:1] == ["unlogged"] else ""
    split = next((part for part in parts if part.startswith("partition by ")), "")
    split = options[options.index(split) :] if split else ""
    stored = "" if split else ", ".join(part for part in parts if _STORAGE.match(part))
    return (
        before,
        f" {split.replace('partition by', 'PARTITION BY', 1)}" if split else f" WITH ({stored})" if stored else "",
    )


def _view(name: str, text: str, dialect: str) -> str:
    if not text:
        return f"-- view {_line(name)}: its text is not known"
    if _STATEMENT.match(text):
        return text
    materialized = text.startswith("materialized: ")
    query = text.removeprefix("materialized: ").strip().removesuffix(";")
    return f"CREATE {'MATERIALIZED ' if materialized else ''}VIEW {_name(name, dialect)} AS\n{query}"


def _in_order(schema: Schema) -> list[tuple[str, str]]:
    """Views behind those that they mention; of a great many their own order has to do."""
    waiting = dict(schema.views)
    if len(waiting) > VIEWS:
        return list(waiting.items())
    reads = {
        name: {other for other in waiting if other != name and _mentions(text, other)} for name, text in waiting.items()
    }
    found: list[str] = []
    while waiting:
        ready = [name for name in waiting if not reads[name] & waiting.keys()]
        found += ready or list(waiting)
        waiting = {name: text for name, text in waiting.items() if ready and name not in ready}
    return [(name, schema.views[name]) for name in found]


def _mentions(text: str, name: str) -> bool:
    return (
        name.rpartition(".")[2] in text
        and re.search(rf"(?<!\w){re.escape(name.rpartition('.')[2])}(?!\w)", text) is not None
    )


def _name(name: str, dialect: str) -> str:
    schema, _, own = name.rpartition(".")
    return qualified(Name(schema, own), dialect)


def _line(text: str) -> str:
    return " ".join(text.split())
