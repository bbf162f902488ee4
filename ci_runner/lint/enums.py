"""Where a new enum value may really be meant, and where the same word is only text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.lint.context import Context, Step
from ci_runner.lint.facts import mentions
from ci_runner.lint.naming import enum_key
from ci_runner.model.operations import (
    AddColumn,
    Column,
    CreateDomain,
    CreateFunction,
    CreateTable,
    Dml,
    Name,
    Other,
    Partition,
)
from ci_runner.model.schema import Table
from ci_runner.sql.catalog_names import locate
from ci_runner.text.pattern import later

_SIGN = r"=|<>|!=|[<>]=?|is\s++(?:not\s++)?distinct\s++from"
_WORDS = later(r'(?:("[^"]++"|[A-Za-z_][\w$]*+)\s*+\.\s*+)?("[^"]++"|[A-Za-z_][\w$]*+)')
_SQL_BODY = later(
    r"\blanguage\s++'?\"?sql\b", re.IGNORECASE
)  # read when the function is made; other languages' are not


def may_hold(context: Context, step: Step, type_: Name, text: str, value: str) -> bool:
    """Whether the operation's use of the word can be a use of that type: it casts to it, or touches a column of it."""
    op = step.operation
    text = _without_text(text, value)
    if f"'{value}'" not in text.replace("''", "'"):
        return False
    if isinstance(op, CreateFunction) and _SQL_BODY.search(text) is None:
        return _argument(type_, text, value)  # the body is read when it runs
    name = re.escape(type_.name)
    if re.search(rf'::\s*(?:[\w"]+\.)?"?{name}"?(?!\w)|\bas\s+(?:[\w"]+\.)?"?{name}"?\s*[),]', text, re.IGNORECASE):
        return True
    if isinstance(op, Other) and op.kind in ("set-comment", "grant", "revoke", "call"):
        return False
    if isinstance(op, CreateTable):
        return _made_with(context, step, op, type_, text, value)
    if isinstance(op, CreateDomain):
        return _of(context, op.definition, type_)
    if isinstance(op, CreateFunction) and _argument(type_, text, value):
        return True
    if isinstance(op, AddColumn) and _of(context, op.column, type_):
        return True
    if isinstance(op, Partition) and _bounded(context, step, op.table, type_):
        return True
    if not isinstance(op, Dml):
        return _touches(context, step, _named(op), type_, text) or _compared(context, step, type_, text, value)
    everywhere = op.kind == "insert" and not op.columns  # it names no column, and fills all of them
    return _touches(context, step, (*op.tables, *op.reads), type_, "" if everywhere else text)


def _without_text(text: str, value: str) -> str:
    """The text less the places where the word is held against a text, as in m::text = 'x', or is one, as in 'x'::text."""
    if "text" not in text.lower():
        return text
    literal = f"'{re.escape(value)}'"
    held = rf"(?:::\s*+|\bas\s++)text\s*+\)*+\s*+(?:{_SIGN}|(?:not\s++)?in\s*+\()\s*+(?:'[^']*+'\s*+,\s*+)*?{literal}"
    return re.sub(rf"{held}|{literal}\s*+::\s*+text\b(?!\s*+::)", "::text", text, flags=re.IGNORECASE)


def _argument(type_: Name, text: str, value: str) -> bool:
    """Whether an argument of the type is that value by default."""
    default = rf"(?<![\w$]){re.escape(type_.name)}\"?\s*+(?:default\b|:?=)\s*+'{re.escape(value)}'"
    return re.search(default, text, re.IGNORECASE) is not None


def _made_with(context: Context, step: Step, op: CreateTable, type_: Name, text: str, value: str) -> bool:
    """Whether a new table has the value in a default, a check or its bounds, or is made of what has."""
    own = [column for column in op.columns if _of(context, column, type_)]
    if any(f"'{value}'" in (column.default or "") + (column.check or "") for column in own):
        return True
    if op.partition_of is not None and _bounded(context, step, op.partition_of, type_):
        return True
    if any(_beside(text, {column.name for column in own if column.type}, value)):
        return True
    return op.selects and _compared(context, step, type_, text, value)


def _bounded(context: Context, step: Step, parent: Name, type_: Name) -> bool:
    """Whether the partitions of that table are told apart by a column of the type."""
    table = step.catalog.tables.get(locate(step.catalog, parent, context.dialect))
    return table is not None and bool(table.partition_by) and _column_of(context, table, type_, table.partition_by)


def _touches(context: Context, step: Step, names: tuple[Name, ...], type_: Name, text: str) -> bool:
    """Whether one of these tables has a column of the type that the text speaks of; it may where the table is not known."""
    tables = [step.catalog.tables.get(locate(step.catalog, name, context.dialect)) for name in names]
    return any(table is None or table.partial or _column_of(context, table, type_, text) for table in tables)


def _compared(context: Context, step: Step, type_: Name, text: str, value: str) -> bool:
    """Whether a query, a condition or a body holds a column of the type, of a table it names, against the value."""
    columns: set[str] = set()
    for schema, name in set(_WORDS.findall(text)):
        key = locate(step.catalog, Name(_plain(schema), _plain(name)), context.dialect)
        table = step.catalog.tables.get(key)
        if table is not None:
            columns.update(c.name for c in table.columns.values() if c.type and _of(context, c, type_))
    return any(_beside(text, columns, value))


def _beside(text: str, columns: set[str], value: str) -> Iterator[bool]:
    """For each way to hold one of the columns against the value, whether the text does."""
    if not columns:
        return
    column = rf'(?<![\w$])"?(?:{"|".join(re.escape(each) for each in sorted(columns))})(?![\w$])"?'
    literal = f"'{re.escape(value)}'"
    for way in (
        rf"{column}\s*+\)*+\s*+(?:{_SIGN}|(?:not\s++)?in(?=\s*+\())\s*+(?:any\s*+\(\s*+array\s*+)?[(\[\s]*+(?:'[^']*+'\s*+,\s*+)*?{literal}",
        rf"{literal}\s*+(?:{_SIGN})\s*+(?:\w+\.)?{column}",
        rf"\b(?:coalesce|nullif)\s*+\(\s*+(?:\w+\.)?{column}\s*+,\s*+{literal}",
        rf"\bcase\s++(?:\w+\.)?{column}\s++when\s++{literal}",
    ):
        yield re.search(way, text, re.IGNORECASE) is not None


def _plain(word: str) -> str:
    """A name as PostgreSQL folds it."""
    return word[1:-1] if word.startswith('"') else word.lower()


def _named(op: object) -> tuple[Name, ...]:
    found = getattr(op, "table", None)
    return (found,) if isinstance(found, Name) else ()


def _column_of(context: Context, table: Table, type_: Name, text: str) -> bool:
    """Whether a column of the table is of that type and, where there is a text, the text speaks of it."""
    return any(
        _of(context, column, type_) and (not text or mentions(text, column.name)) for column in table.columns.values()
    )


def _of(context: Context, column: Column, type_: Name) -> bool:
    if column.type is None:
        return True
    schema, _, name = column.type.base.replace('"', "").rpartition(".")
    return enum_key(context, Name(schema, name)) == enum_key(context, type_)
