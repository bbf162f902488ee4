"""Reads the definitions that the catalog keeps besides tables: indexes, views, enums, routines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_runner.model.operations import (
    AlterEnum,
    Column,
    CreateDomain,
    CreateEnum,
    CreateFunction,
    CreateIndex,
    CreateView,
    DropIndex,
    Index,
    Name,
    Operation,
    Other,
    RenameIndex,
    RenameObject,
)
from ci_runner.sql.cursor import unquote, unquote_text
from ci_runner.sql.keys import columns, tail
from ci_runner.sql.objects import action
from ci_runner.sql.options import definition
from ci_runner.sql.queries import tables_read
from ci_runner.sql.table_tails import on_cluster

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor


def create_index(c: Cursor, first: int, modifiers: frozenset[str] = frozenset()) -> Operation:
    """CREATE [UNIQUE] INDEX behind the word INDEX."""
    concurrently = c.take("CONCURRENTLY")
    if_not_exists = c.if_not_exists()
    name = None if c.at("ON") else c.name()
    method = c.word().lower() if c.take("USING") or c.take("TYPE") else ""
    c.need("ON")
    only = c.take("ONLY")
    table = c.name()
    if c.take("USING"):
        method = c.word().lower()
    if c.dialect == "clickhouse":
        return _skipping_index(c, first, name, table, if_not_exists)
    keys = columns(c) if c.at("(") else ()
    if not any(keys) and "COLUMNSTORE" not in modifiers:
        c.fail()
    if if_not_exists and name is None:
        c.fail("IF NOT EXISTS needs the index's name")
    more = tail(c)
    if c.take("ORDER"):  # ordered columnstore
        c.skip_parens()
        more.extend(tail(c))
    c.end()
    sort = next((word.lower() for word in ("FULLTEXT", "SPATIAL", "VECTOR") if word in modifiers), "")
    options = tuple(word.lower() for word in ("CLUSTERED", "NONCLUSTERED", "COLUMNSTORE") if word in modifiers)
    index = Index(
        name.name if name else "", keys, "UNIQUE" in modifiers, method or more.method or sort, more.where, more.include,
        (*options, *more),
    )  # fmt: skip
    kind = f"create-{sort}-index" if sort else "create-index-concurrently" if concurrently else "create-index"
    fields: dict[str, Any] = {"concurrently": concurrently, "only": only, "if_not_exists": if_not_exists}
    return c.op(CreateIndex, kind, first, table=table, index=index, options=tuple(more), **fields)


def _skipping_index(c: Cursor, first: int, name: Name | None, table: Name, if_not_exists: bool) -> Operation:
    """ClickHouse's CREATE INDEX behind its table: ``[ON CLUSTER x] (keys) [TYPE minmax [(…)]] [GRANULARITY n]``."""
    options: list[str] = []
    on_cluster(c, options)
    keys = columns(c) if c.at("(") else (c.until(frozenset({"TYPE"})),)
    method = ""
    if c.take("TYPE"):
        method = c.word().lower()
        if c.at("("):
            c.skip_parens()
    if c.take("GRANULARITY"):
        c.word()
    c.end()
    index = Index(name.name if name else "", keys, method=method)
    fields: dict[str, Any] = {"if_not_exists": if_not_exists, "options": tuple(options)}
    return c.op(CreateIndex, "create-index", first, table=table, index=index, **fields)


def drop_index(c: Cursor, first: int) -> Operation:
    """DROP INDEX behind the word INDEX."""
    concurrently = c.take("CONCURRENTLY")
    if_exists = c.if_exists()
    names = c.names()
    table = c.name() if c.take("ON") else None
    options = tuple(tail(c))
    if c.take("CASCADE"):
        options = (*options, "cascade")
    c.take("RESTRICT")
    if c.dialect == "mariadb" and c.take("WAIT", "NOWAIT") and not c.done:
        c.word()
    c.end()
    kind = "drop-index-concurrently" if concurrently else "drop-index"
    fields: dict[str, Any] = {"concurrently": concurrently, "if_exists": if_exists, "options": options}
    return c.op(DropIndex, kind, first, indexes=names, table=table, **fields)


def alter_index(c: Cursor, first: int) -> Operation:
    """ALTER INDEX of PostgreSQL behind the word INDEX."""
    if c.seq("ALL", "IN", "TABLESPACE"):
        c.rest()
        return c.op(Other, "alter-index.set-tablespace", first)
    c.if_exists()
    name = c.name()
    if c.seq("RENAME", "TO"):
        new = c.identifier()
        c.end()
        return c.op(RenameIndex, "rename-index", first, index=name, new=new)
    return action(c, first, "index", name)


def create_view(c: Cursor, first: int, *, materialized: bool = False, or_replace: bool = False) -> CreateView:
    """CREATE [MATERIALIZED] VIEW behind the word VIEW; what stands before its query is not checked."""
    c.if_not_exists()
    view = c.name()
    options: list[str] = []
    on_cluster(c, options)
    at = c.i
    while at < c.last and c.upper[at] not in ("AS", "SELECT"):
        if c.upper[at] in ("POPULATE", "TO", "REFRESH", "APPEND"):
            options.append(c.upper[at].lower())
        at += 1
    if at == c.last or (at + 1 == c.last and c.upper[at] == "AS"):
        c.i = c.last
        c.fail()
    if c.dialect == "clickhouse" and "to" in options:
        options += _target(c, at)
    elif c.dialect == "clickhouse" and materialized and ("refresh" not in options or "append" in options):
        options.append("stores")  # rows that no query makes again
    reads = tables_read(c, at, c.last)
    c.rest()
    sort = "materialized-view" if materialized else "view"
    kind = f"create-or-replace-{sort}" if or_replace else f"create-{sort}"
    fields: dict[str, Any] = {"materialized": materialized, "or_replace": or_replace, "options": tuple(options)}
    return c.op(CreateView, kind, first, view=view, reads=reads, **fields)


def _target(c: Cursor, stop: int) -> list[str]:
    keep = c.i
    while c.i < stop and not c.at("TO"):
        c.i += 1
    c.i += 1
    name = c.name() if c.i < stop else None
    c.i = keep
    return [f"to {name}"] if name else []


_VOLATILITY = {"IMMUTABLE": "immutable", "STABLE": "stable", "VOLATILE": "volatile", "DETERMINISTIC": "immutable"}


def create_routine(c: Cursor, first: int, sort: str, *, or_replace: bool = False) -> Operation:
    """CREATE FUNCTION or PROCEDURE behind that word; the body is not looked into."""
    c.if_not_exists()
    name = c.name()
    volatility = "volatile"
    depth = 0
    for i in range(c.i, c.last):
        token = c.upper[i]
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif depth == 0 and token in _VOLATILITY:
            if not (token == "DETERMINISTIC" and c.upper[i - 1] == "NOT"):
                volatility = _VOLATILITY[token]
            break
        elif depth == 0 and token in ("BEGIN", "RETURN"):
            break
    c.rest()
    manner = "create-or-replace" if or_replace else "create"
    return c.op(CreateFunction, f"{manner}-{sort}", first, function=name, volatility=volatility)


def create_type(c: Cursor, first: int) -> Operation:
    """CREATE TYPE behind the word TYPE."""
    name = c.name()
    if c.seq("AS", "ENUM"):
        c.need("(")
        values = []
        while not c.at(")"):
            values.append(_text(c))
            if not c.take(","):
                break
        c.need(")")
        c.end()
        return c.op(CreateEnum, "create-enum", first, type=name, values=tuple(values))
    kind = "create-type"
    if c.ahead("AS", "("):
        kind = "create-composite-type"
    elif c.ahead("AS", "RANGE"):
        kind = "create-range-type"
    elif c.ahead("AS", "TABLE"):
        kind = "create-table-type"
    elif c.ahead("FROM"):
        kind = "create-alias-type"
    c.rest()
    return c.op(Other, kind, first, object=name)


def create_domain(c: Cursor, first: int) -> Operation:
    """CREATE DOMAIN behind the word DOMAIN."""
    name = c.name()
    c.take("AS")
    begin = c.i
    column = definition(c, name.name)
    checks = [i for i in range(begin, c.i) if c.upper[i] == "CHECK"]
    traits = c.traits
    names = tuple(unquote(c.text[i - 1], traits, traits.fold) if c.upper[i - 2] == "CONSTRAINT" else "" for i in checks)
    c.end()
    kept = Column(name.name, column.type, column.nullable, column.default, options=names)
    return c.op(CreateDomain, "create-domain", first, domain=name, definition=kept)


def _text(c: Cursor) -> str:
    """Reads a string and returns its value; a name in its place gives up."""
    token = c.text[c.i]
    if c.done or token[-1:] not in ("'", "$"):
        c.fail()
    c.i += 1
    return unquote_text(token)


_NO_WORDS: frozenset[str] = frozenset()


def alter_type(c: Cursor, first: int) -> list[Operation]:
    """ALTER TYPE behind the word TYPE; of a composite type several attributes at once."""
    name = c.name()
    if c.peek() == "ATTRIBUTE" and c.at("ADD", "DROP", "ALTER"):
        return _attributes(c, first, name)
    return [_type_changed(c, first, name)]


def _attributes(c: Cursor, first: int, name: Name) -> list[Operation]:
    found: list[Operation] = []
    while True:
        begin = c.i if found else first
        kind = f"alter-type.{c.word().lower()}-attribute"
        c.need("ATTRIBUTE")
        c.if_exists()
        c.identifier()
        c.until(_NO_WORDS)
        found.append(c.op(Other, kind, begin, object=name))
        if not c.take(","):
            c.end()
            return found


def _type_changed(c: Cursor, first: int, name: Name) -> Operation:
    if c.seq("ADD", "VALUE"):
        c.if_not_exists()
        fields = {"value": _text(c)}
        if c.take("BEFORE", "AFTER"):
            place = c.upper[c.i - 1].lower()
            fields[place] = _text(c)
        c.end()
        return c.op(AlterEnum, "alter-type.add-value", first, type=name, **fields)
    if c.seq("RENAME", "VALUE"):
        value = _text(c)
        c.need("TO")
        new = _text(c)
        c.end()
        return c.op(AlterEnum, "alter-type.rename-value", first, type=name, value=value, new=new)
    if c.seq("SET", "SCHEMA"):
        schema = c.identifier()
        c.end()
        return c.op(RenameObject, "alter-type.set-schema", first, name=name, new=Name(schema, name.name))
    return action(c, first, "type", name)
