"""Reads table constraints, lists of index columns, and the options that trail them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import Constraint, Index
from ci_runner.sql.references import reference

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_KEY_WORDS = frozenset({"CLUSTERED", "NONCLUSTERED", "HASH", "UNIQUE", "KEY", "INDEX"})
_FLAGS = frozenset(
    {
        "DEFERRABLE", "ENFORCED", "RELY", "NORELY", "ENABLE", "DISABLE", "VALIDATE", "NOVALIDATE", "VISIBLE", "INVISIBLE",
        "CLUSTERED", "NONCLUSTERED", "IGNORED", "NOWAIT", "ASC", "DESC",
    }
)  # fmt: skip
_VALUED = frozenset(
    {
        "INITIALLY",
        "KEY_BLOCK_SIZE",
        "COMMENT",
        "ENGINE_ATTRIBUTE",
        "SECONDARY_ENGINE_ATTRIBUTE",
        "ALGORITHM",
        "LOCK",
        "WAIT",
        "M",
        "DISTANCE",
    }
)
_OLD_OPTIONS = (
    "FILLFACTOR",
    "PAD_INDEX",
    "SORT_IN_TEMPDB",
    "IGNORE_DUP_KEY",
    "STATISTICS_NORECOMPUTE",
    "DROP_EXISTING",
)
_INDEX_SORTS = ("FULLTEXT", "SPATIAL", "VECTOR", "INDEX", "KEY")


class Tail(list[str]):
    """Options that trail a constraint or an index, in lower case, and those that have a place of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.where = self.method = ""
        self.include: tuple[str, ...] = ()


def settings(c: Cursor) -> list[str]:
    """``(name = value, …)`` as lower-case texts; ``ONLINE = ON`` and the like as the bare name too."""
    found: list[str] = []
    c.need("(")
    while not c.at(")"):
        first = c.i
        while not c.at(",", ")", ""):
            if c.at("("):
                c.skip_parens()
            else:
                c.i += 1
        text = c.slice(first, c.i).lower()
        key, _, value = (part.strip() for part in text.partition("="))
        found.append(f"{key}={value}" if value else key)
        if value.split("(")[0].strip() == "on":
            found.append(key)
        if not c.take(","):
            break
    c.need(")")
    return found


def tail(c: Cursor) -> Tail:
    """Everything that may trail a key, a constraint or an index in any dialect."""
    found = Tail()
    while not c.done and _tail_step(c, found):
        pass
    return found


def _tail_step(c: Cursor, found: Tail) -> bool:
    token = c.upper[c.i]
    if token in _FLAGS:
        found.append(c.word().lower())
    elif token in _VALUED:
        c.i += 1
        c.take("=")
        found.append(f"{token.lower()}={c.word().lower()}")
    elif token in ("NOT", "NO", "NULLS"):
        _negated(c, found)
    elif token == "WITH" and c.dialect in ("mysql", "mariadb"):
        c.i += 1
        c.need("PARSER")
        c.word()
    elif token == "WITH":
        c.i += 1
        _with(c, found)
    elif token == "USING":
        _using(c, found)
    elif token == "INCLUDE":
        c.i += 1
        found.include = columns(c)
    elif token == "WHERE":
        c.i += 1
        found.where = _where(c)
    elif token == "ON":
        return _on(c, found)
    elif token == "TABLESPACE":
        c.i += 1
        c.identifier()
    elif token == "FILESTREAM_ON":
        c.i += 1
        c.word()
    else:
        return False
    return True


def _negated(c: Cursor, found: Tail) -> None:
    if c.seq("NOT", "FOR", "REPLICATION"):
        return
    first = c.i
    c.i += 1
    c.take("NOT")
    c.word()
    found.append(" ".join(c.upper[first : c.i]).lower())


def _with(c: Cursor, found: Tail) -> None:
    if c.at("("):
        found += settings(c)
    elif c.dialect == "sqlserver" and c.at(*_OLD_OPTIONS):
        while c.at(*_OLD_OPTIONS):  # the list without parentheses of old
            found.append(c.word().lower())
            if c.take("="):
                c.word()
            if c.peek() not in _OLD_OPTIONS or not c.take(","):
                break
    else:
        c.fail()


def _using(c: Cursor, found: Tail) -> None:
    c.i += 1
    if c.seq("INDEX", "TABLESPACE"):
        c.identifier()
    elif c.take("INDEX"):
        found.append("using index " + c.identifier())
    else:
        found.method = c.word().lower()


def _where(c: Cursor) -> str:
    if c.at("(") and c.dialect == "sqlserver":
        return c.parens()
    return c.until(frozenset({"WITH", "ON", "DEFERRABLE", "INITIALLY", "TABLESPACE"}))


def _on(c: Cursor, found: Tail) -> bool:
    """SQL Server's file group or partition scheme, SQLite's ON CONFLICT; anything else is not a tail."""
    if c.dialect == "sqlite" and c.seq("ON", "CONFLICT"):
        c.word()
        return True
    if c.dialect != "sqlserver" or c.peek() in ("DELETE", "UPDATE"):
        return False
    c.i += 1
    found.append("on " + (c.word() if c.text[c.i][:1] == "'" else c.identifier()).lower())
    if c.at("("):
        c.skip_parens()
    return True


_EXPRESSION = ("CASE", "NOT", "-", "+", "~", "[")  # what begins one, and no name


def columns(c: Cursor) -> tuple[str, ...]:
    """``(a, b DESC, lower(c))``: folded names, and expressions as written."""
    c.need("(")
    found: list[str] = []
    while True:
        found.append(_element(c))
        if not c.take(","):
            break
    c.need(")")
    return tuple(found)


def _element(c: Cursor) -> str:
    if c.at("PERIOD") and c.peek() not in (",", ")") and c.dialect == "postgres":
        c.i += 1  # PERIOD p of a key over time
    token, after = c.upper[c.i], c.peek()
    prefix = after == "(" and c.peek(2).isdigit() and c.peek(3) == ")" and c.dialect in ("mysql", "mariadb")
    word = prefix or after in (",", ")") or after.replace("_", "a").isalnum()
    if word and token[:1] not in "'(" and not token.isdigit() and token not in _EXPRESSION:
        name = c.column()
        c.until(frozenset())
        return name
    return c.until(frozenset())


def constraint(c: Cursor) -> Constraint | Index | None:
    """A table constraint, or an index among a table's elements (MySQL, SQL Server, ClickHouse); None where a column stands."""
    name = ""
    if c.take("CONSTRAINT") and not c.at("CHECK", "PRIMARY", "UNIQUE", "FOREIGN"):
        c.if_not_exists()
        name = c.identifier()
    token = c.upper[c.i]
    if token == "PRIMARY" and c.peek() == "KEY":
        c.i += 2
        return _keyed(c, "primary-key", name)
    if token == "UNIQUE" and (
        name or c.peek() in ("(", "KEY", "INDEX", "USING", "NULLS", "CLUSTERED", "NONCLUSTERED") or _mysql(c)
    ):
        c.i += 1
        return _keyed(c, "unique", name)
    if token == "FOREIGN" and c.peek() == "KEY":
        c.i += 2
        return _foreign(c, name)
    if (token == "CHECK" and (name or c.peek() in ("(", "NOT"))) or (token == "ASSUME" and name):
        c.i += 1
        return _check(c, name)
    if token == "EXCLUDE" and c.peek() in ("(", "USING"):
        c.i += 1
        return _exclude(c, name)
    if token == "NOT" and c.peek() == "NULL" and c.dialect == "postgres":
        c.i += 2
        column = c.column()
        options = tail(c)
        return Constraint("not-null", name, (column,), not_valid="not valid" in options, options=tuple(options))
    if token == "CONNECTION" and c.peek() == "(" and c.dialect == "sqlserver":
        return _connection(c, name)
    if name:
        c.fail()
    return _index(c) if token in _INDEX_SORTS else None


def _mysql(c: Cursor) -> bool:
    return c.dialect in ("mysql", "mariadb")


def _keyed(c: Cursor, kind: str, name: str) -> Constraint:
    options: list[str] = []
    if c.seq("NULLS", "NOT", "DISTINCT"):
        options.append("nulls not distinct")
    else:
        c.seq("NULLS", "DISTINCT")
    while c.at(*_KEY_WORDS):
        options.append(c.word().lower())
    c.if_not_exists()
    if c.seq("USING", "INDEX"):
        index = c.identifier()
        more = tail(c)
        return Constraint(kind, name, using_index=index, options=(*options, *more))
    if c.take("USING"):
        c.word()
    elif not c.at("("):
        name = c.identifier() if _mysql(c) else name
        if c.take("USING"):
            c.word()
    keys = columns(c) if not _bare_clickhouse(c) else (c.until(frozenset()),)
    more = tail(c)
    options = [option for option in options if option not in ("key", "index")]
    extra = [f"include {column}" for column in more.include]
    enforced = "not enforced" not in more
    return Constraint(kind, name, keys, enforced=enforced, options=(*options, *more, *extra))


def _bare_clickhouse(c: Cursor) -> bool:
    return c.dialect == "clickhouse" and not c.at("(")


def _foreign(c: Cursor, name: str) -> Constraint:
    c.if_not_exists()
    if not c.at("(", "REFERENCES"):
        given = c.identifier()
        name = name or given
    keys = columns(c) if not c.at("REFERENCES") or c.dialect != "sqlserver" else ()
    c.need("REFERENCES")
    target = reference(c)
    options = tail(c)
    return Constraint(
        "foreign-key", name, keys, target, not_valid="not valid" in options, enforced="not enforced" not in options,
        options=tuple(options),
    )  # fmt: skip


def _check(c: Cursor, name: str) -> Constraint:
    c.seq("NOT", "FOR", "REPLICATION")
    expression = c.parens() if c.at("(") else c.until(frozenset())
    options = tail(c)
    return Constraint(
        "check", name, expression=expression, not_valid="not valid" in options, enforced="not enforced" not in options,
        options=tuple(options),
    )  # fmt: skip


def _exclude(c: Cursor, name: str) -> Constraint:
    if c.take("USING"):
        c.word()
    first = c.i
    keys = columns(c)
    text = c.slice(first, c.i)
    options = tail(c)
    return Constraint(
        "exclusion", name, keys, expression=text, not_valid="not valid" in options, options=tuple(options)
    )


def _connection(c: Cursor, name: str) -> Constraint:
    """CONNECTION (a TO b) of a graph's edge table: which nodes it may join."""
    c.i += 1
    text = c.parens()
    if c.seq("ON", "DELETE"):
        c.need("CASCADE", "NO")
        c.take("ACTION")
    return Constraint("connection", name, expression=text, options=tuple(tail(c)))


def _index(c: Cursor) -> Index | None:
    """INDEX / KEY among the elements of a table; a column called ``key`` or ``index`` is told apart by what follows."""
    sort = c.upper[c.i]
    if c.dialect in ("postgres", "redshift", "sqlite"):
        return None
    if c.dialect == "snowflake" and c.peek(2) != "(":
        return None
    if c.dialect == "clickhouse":
        return _clickhouse_index(c) if c.peek(2) not in (",", ")", "") else None
    c.i += 1
    method = ""
    if sort in ("FULLTEXT", "SPATIAL", "VECTOR"):
        c.take("INDEX", "KEY")
        method = sort.lower()
    c.if_not_exists()
    name = "" if c.at("(", "USING") else c.identifier()
    unique = c.take("UNIQUE")
    options: list[str] = []
    while c.at("CLUSTERED", "NONCLUSTERED", "COLUMNSTORE", "HASH"):
        options.append(c.word().lower())
    if c.take("USING"):
        method = c.word().lower()
    keys = columns(c) if c.at("(") else ()
    more = tail(c)
    return Index(name, keys, unique, method or more.method, more.where, more.include, (*options, *more))


def _clickhouse_index(c: Cursor) -> Index:
    c.i += 1
    name = c.identifier()
    keys = columns(c) if c.at("(") and _closes_before_type(c) else (c.until(frozenset({"TYPE"})),)
    c.need("TYPE")
    method = c.word().lower()
    if c.at("("):
        c.skip_parens()
    if c.take("GRANULARITY"):
        c.word()
    return Index(name, keys, method=method)


def _closes_before_type(c: Cursor) -> bool:
    first = c.i
    c.skip_parens()
    found = c.at("TYPE")
    c.i = first
    return found
