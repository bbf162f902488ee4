"""Reads the options behind a column's type: nullability, default, keys, generation and what each dialect adds.

One word leads each option, so a table of words is the grammar: common ones, and those of one dialect family.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ci_runner.model.operations import Column
from ci_runner.sql.cursor import Cursor, unquote_text
from ci_runner.sql.references import reference
from ci_runner.sql.types import read_type

Draft = dict[str, Any]
Option = Callable[[Cursor, Draft], None]

_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
_CONSTRAINT_HEADS = ("CHECK", "PRIMARY", "UNIQUE", "REFERENCES", "NOT", "NULL", "DEFAULT", "FOREIGN", "EXCLUDE")
_NEVER_IN_DEFAULT = frozenset({"USING", "FOR", "ALGORITHM"})


def _note(draft: Draft, text: str) -> None:
    draft["options"] = (*draft.get("options", ()), text)


def _not(c: Cursor, draft: Draft) -> None:
    if c.take("NULL"):
        draft["nullable"] = False
        if c.dialect == "snowflake":
            c.take("ENABLE", "DISABLE")
        _conflict(c)
    elif c.take("FOR"):
        c.need("REPLICATION")
    else:
        _note(draft, "not " + c.word().lower())


def _conflict(c: Cursor) -> None:
    if c.ahead("ON", "CONFLICT"):
        c.i += 3


def _null(_c: Cursor, draft: Draft) -> None:
    draft.setdefault("nullable", True)


def _default(c: Cursor, draft: Draft) -> None:
    if c.ahead("NEXT", "VALUE", "FOR"):  # of a sequence
        first = c.i
        c.i += 3
        c.name()
        if c.take("OVER"):
            c.skip_parens()
        draft["default"] = c.slice(first, c.i)
    else:
        draft["default"] = c.until(stops(c.dialect))
    if c.dialect == "sqlserver" and c.seq("WITH", "VALUES"):
        _note(draft, "with values")


def _primary(c: Cursor, draft: Draft) -> None:
    c.need("KEY")
    draft["primary_key"] = True
    _key_tail(c, draft)


def _key(c: Cursor, draft: Draft) -> None:
    if c.dialect not in ("mysql", "mariadb"):
        c.fail()
    draft["primary_key"] = True


def _unique(c: Cursor, draft: Draft) -> None:
    draft["unique"] = True
    c.take("KEY")
    if c.take("NULLS"):
        c.take("NOT")
        c.need("DISTINCT")
    _key_tail(c, draft)


def _key_tail(c: Cursor, draft: Draft) -> None:
    while True:
        if c.take("CLUSTERED", "NONCLUSTERED", "ASC", "DESC", "HASH"):
            _note(draft, c.upper[c.i - 1].lower())
            c.skip_parens() if c.upper[c.i - 1] == "HASH" and c.at("(") else None  # the column once more
        elif c.seq("USING", "INDEX", "TABLESPACE"):
            c.word()
        elif c.ahead("WITH", "(") or (c.at("WITH") and c.peek() == "FILLFACTOR"):
            c.i += 1
            _settings(c)
        elif c.dialect == "sqlserver" and c.at("ON") and c.peek() not in ("UPDATE", "DELETE"):
            c.i += 1
            c.identifier()
            c.skip_parens() if c.at("(") else None
        else:
            break
    _conflict(c)


def _settings(c: Cursor) -> None:
    if c.take("FILLFACTOR"):
        c.need("=")
        c.word()
    else:
        c.skip_parens()


def _references(c: Cursor, draft: Draft) -> None:
    draft["references"] = reference(c)


def _foreign(c: Cursor, draft: Draft) -> None:
    """FOREIGN KEY REFERENCES in a column, as SQL Server and Snowflake allow."""
    c.need("KEY")
    c.need("REFERENCES")
    draft["references"] = reference(c)


def _check(c: Cursor, draft: Draft) -> None:
    c.seq("NOT", "FOR", "REPLICATION")
    text = c.parens()
    draft["check"] = f"({draft['check']}) AND ({text})" if draft.get("check") else text
    if c.seq("NO", "INHERIT"):
        _note(draft, "no inherit")


def _constraint(c: Cursor, draft: Draft) -> None:
    if not c.at(*_CONSTRAINT_HEADS) or c.peek() in _CONSTRAINT_HEADS:
        name = c.identifier()
        draft.setdefault("constraint", name)


def _collate(c: Cursor, draft: Draft) -> None:
    c.take("=")
    draft["collation"] = unquote_text(c.text[c.i]) if c.text[c.i][:1] == "'" else ""
    if draft["collation"]:
        c.i += 1
    else:
        draft["collation"] = c.name().name


def _charset(c: Cursor, draft: Draft) -> None:
    if c.upper[c.i - 1] != "CHARSET":
        c.need("SET")
    c.take("=")
    draft["charset"] = c.word().lower().strip("'\"")


def _generated(c: Cursor, draft: Draft) -> None:
    if c.seq("BY", "DEFAULT"):
        c.seq("ON", "NULL")
    else:
        c.need("ALWAYS")
    c.need("AS")
    if c.take("IDENTITY"):
        _identity(c, draft)
    elif c.take("ROW", "TRANSACTION_ID", "SEQUENCE_NUMBER", "SUSER_SNAME", "SUSER_SID"):
        c.need("START", "END")
        c.take("HIDDEN")
        _note(draft, "period")
    else:
        _expression(c, draft)


def _identity(c: Cursor, draft: Draft) -> None:
    draft["identity"] = True
    if c.text[c.i] == "(":
        c.skip_parens()
    while c.at("START", "INCREMENT", "ORDER", "NOORDER"):
        if c.word() in ("START", "INCREMENT"):
            c.take("WITH", "BY")
            c.take("=")
            c.word()


def _expression(c: Cursor, draft: Draft) -> None:
    """A generated column; its expression is kept as the default."""
    draft["default"] = c.until(stops(c.dialect)) if c.dialect in ("sqlserver", "snowflake") else c.parens()
    if c.take("STORED", "PERSISTENT", "PERSISTED"):
        draft["generated"] = "stored"
    else:
        c.take("VIRTUAL")
        draft["generated"] = "virtual"


def _comment(c: Cursor, _draft: Draft) -> None:
    c.take("=")
    c.word()


def _on(c: Cursor, draft: Draft) -> None:
    if c.take("UPDATE"):
        c.until(stops(c.dialect))
        _note(draft, "on update")
    elif c.take("CONFLICT"):
        c.word()
    elif c.dialect == "sqlserver":
        c.identifier()
    else:
        c.fail()


def _first(_c: Cursor, draft: Draft) -> None:
    draft["position"] = "first"


def _after(c: Cursor, draft: Draft) -> None:
    draft["position"] = f"after {c.column()}"


def _flag(c: Cursor, draft: Draft) -> None:
    _note(draft, c.upper[c.i - 1].lower())


def _compressed(c: Cursor, draft: Draft) -> None:
    """MariaDB's COMPRESSED [= method]."""
    _note(draft, "compressed")
    if c.take("="):
        c.word()


def _valued(c: Cursor, draft: Draft) -> None:
    """A word with one value: STORAGE x, ENGINE_ATTRIBUTE = 'x', INITIALLY DEFERRED."""
    word = c.upper[c.i - 1].lower()
    c.take("=")
    _note(draft, f"{word} {c.word().lower()}")


def _grouped(c: Cursor, draft: Draft) -> None:
    _note(draft, c.upper[c.i - 1].lower())
    c.skip_parens()


def _no(c: Cursor, draft: Draft) -> None:
    c.need("INHERIT")
    _note(draft, "no inherit")


def _auto(c: Cursor, draft: Draft) -> None:
    _identity(c, draft)


def _serial_default(c: Cursor, draft: Draft) -> None:
    c.need("DEFAULT")
    c.need("VALUE")
    draft["identity"] = True


def _with(c: Cursor, draft: Draft) -> None:
    if c.take("VALUES"):
        _note(draft, "with values")
    elif c.take("SYSTEM"):
        c.need("VERSIONING")
    elif c.text[c.i] == "(":
        c.skip_parens()
    elif not c.at("MASKING", "TAG", "PROJECTION", "CONTACT"):
        c.fail()


def _without(c: Cursor, draft: Draft) -> None:
    c.need("SYSTEM")
    c.need("VERSIONING")
    _note(draft, "without system versioning")


def _policy(c: Cursor, draft: Draft) -> None:
    _note(draft, f"{c.upper[c.i - 1].lower()} policy")
    c.need("POLICY")
    c.name()
    if c.take("USING"):
        c.skip_parens()


def _masked(c: Cursor, draft: Draft) -> None:
    _note(draft, c.upper[c.i - 1].lower())
    if c.take("WITH"):
        c.skip_parens()


def _inline_index(c: Cursor, draft: Draft) -> None:
    c.identifier()
    if c.take("UNIQUE"):
        draft["unique"] = True
    _key_tail(c, draft)
    if c.at("("):
        c.skip_parens()
    if c.take("INCLUDE"):
        c.skip_parens()
    if c.take("WHERE"):
        c.until(stops(c.dialect))
    _key_tail(c, draft)
    if c.take("FILESTREAM_ON"):
        c.word()


def _column_set(c: Cursor, draft: Draft) -> None:
    for word in ("FOR", "ALL_SPARSE_COLUMNS"):
        c.need(word)
    _note(draft, "column set")


def _expressed(sort: str) -> Option:
    """MATERIALIZED and ALIAS of ClickHouse: a generated column; EPHEMERAL and TTL: an expression and no more."""

    def read(c: Cursor, draft: Draft) -> None:
        word = c.upper[c.i - 1].lower()
        if sort == "":
            _note(draft, word)
        if c.at(",", ")", "") or c.at(*stops(c.dialect)):
            return
        text = c.until(stops(c.dialect))
        if sort:
            draft["generated"], draft["default"] = sort, text

    return read


_COMMON: dict[str, Option] = {
    "NOT": _not, "NULL": _null, "DEFAULT": _default, "PRIMARY": _primary, "UNIQUE": _unique, "REFERENCES": _references,
    "CHECK": _check, "CONSTRAINT": _constraint, "COLLATE": _collate, "GENERATED": _generated,
}  # fmt: skip
_POSTGRES: dict[str, Option] = {
    "DEFERRABLE": _flag, "INITIALLY": _valued, "NO": _no, "COMPRESSION": _valued, "STORAGE": _valued, "OPTIONS": _grouped,
    "ENFORCED": _flag,
}  # fmt: skip
_MYSQL: dict[str, Option] = {
    "KEY": _key, "AUTO_INCREMENT": _auto, "COMMENT": _comment, "ON": _on, "FIRST": _first, "AFTER": _after,
    "CHARACTER": _charset, "CHARSET": _charset, "AS": _expression, "VISIBLE": _flag, "INVISIBLE": _flag, "ENFORCED": _flag,
    "COLUMN_FORMAT": _valued, "STORAGE": _valued, "ENGINE_ATTRIBUTE": _valued, "SECONDARY_ENGINE_ATTRIBUTE": _valued,
    "SRID": _valued, "REF_SYSTEM_ID": _valued, "COMPRESSED": _compressed, "SERIAL": _serial_default, "BINARY": _flag, "WITH": _with,
    "WITHOUT": _without, "ASCII": _flag, "UNICODE": _flag,
}  # fmt: skip
_EXTRA: dict[str, dict[str, Option]] = {
    "postgres": _POSTGRES,
    "redshift": {**_POSTGRES, "IDENTITY": _auto, "ENCODE": _valued, "DISTKEY": _flag, "SORTKEY": _flag},
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": {"AS": _expression, "ON": _on, "AUTOINCREMENT": _auto, "DEFERRABLE": _flag, "INITIALLY": _valued},
    "sqlserver": {
        "IDENTITY": _auto, "AS": _expression, "ON": _on, "WITH": _with, "SPARSE": _flag, "ROWGUIDCOL": _flag, "HIDDEN": _flag,
        "FILESTREAM": _flag, "FOREIGN": _foreign, "MASKED": _masked, "ENCRYPTED": _masked, "PERSISTED": _flag, "INDEX": _inline_index,
        "COLUMN_SET": _column_set,
    },
    "clickhouse": {
        "COMMENT": _comment, "CODEC": _grouped, "STATISTICS": _grouped, "SETTINGS": _grouped, "TTL": _expressed(""),
        "MATERIALIZED": _expressed("stored"), "ALIAS": _expressed("virtual"), "EPHEMERAL": _expressed(""), "FIRST": _first,
        "AFTER": _after,
    },
    "snowflake": {
        "IDENTITY": _auto, "AUTOINCREMENT": _auto, "COMMENT": _comment, "WITH": _with, "MASKING": _policy, "PROJECTION": _policy,
        "TAG": _grouped, "AS": _expression, "DEFERRABLE": _flag, "INITIALLY": _valued, "ENFORCED": _flag, "ENABLE": _flag,
        "FOREIGN": _foreign,
        "DISABLE": _flag, "VALIDATE": _flag, "NOVALIDATE": _flag, "RELY": _flag, "NORELY": _flag,
    },
}  # fmt: skip


@cache
def table(dialect: str) -> dict[str, Option]:
    """The options of a column by their first word."""
    return {**_COMMON, **_EXTRA[dialect]}


@cache
def stops(dialect: str) -> frozenset[str]:
    """The words that end an expression inside a column definition."""
    return frozenset(table(dialect)) | _NEVER_IN_DEFAULT


def definition(c: Cursor, name: str | None = None) -> Column:
    """A column definition: name (unless given), type and options, to the first token that is none of them."""
    if name is None:
        name = c.column()
    kind = read_type(c, stops(c.dialect))
    draft: Draft = {}
    if kind is not None:
        if kind.base in _SERIAL and c.dialect in ("postgres", "mysql", "mariadb"):
            draft["identity"] = True
        if c.dialect == "sqlserver" and kind.base in ("rowversion", "timestamp"):
            draft["options"] = ("rowversion",)
    options = table(c.dialect)
    upper = c.upper
    while True:
        read = options.get(upper[c.i])
        if read is None or (c.dialect == "sqlserver" and _of_table(c)):
            return Column(name, kind, **draft)
        c.i += 1
        read(c, draft)


def _of_table(c: Cursor) -> bool:
    """T-SQL lets the comma before a table constraint go missing: [CONSTRAINT x] PRIMARY KEY [CLUSTERED] (…)."""
    first = at = c.i + 2 * c.at("CONSTRAINT")
    while c.upper[at] in ("PRIMARY", "KEY", "UNIQUE", "FOREIGN", "CLUSTERED", "NONCLUSTERED"):
        at += 1
    return at > first and c.upper[at] == "("
