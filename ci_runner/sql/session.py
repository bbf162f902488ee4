"""Reads statements about the session: settings, transactions, and commands that touch no schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import Name, Operation, Other, Setting, Transaction
from ci_runner.sql.cursor import unquote_text
from ci_runner.sql.inner import part
from ci_runner.sql.objects import maybe_name
from ci_runner.sql.queries import find

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_runner.sql.cursor import Cursor

_SCOPES = ("SESSION", "LOCAL", "GLOBAL", "PERSIST", "PERSIST_ONLY")
_WORK = ("WORK", "TRANSACTION", "TRAN")


def set_(c: Cursor, first: int) -> list[Operation]:
    """SET of PostgreSQL and Redshift, behind that word."""
    scope = c.word().lower() if c.at("SESSION", "LOCAL") and c.peek() not in ("=", "TO") else ""
    if c.at("ROLE") or (scope == "session" and c.at("AUTHORIZATION")):
        c.rest()
        return [c.op(Other, "set-role", first)]
    if c.at("CONSTRAINTS"):
        c.rest()
        return [c.op(Other, "set-constraints", first)]
    if c.at("TRANSACTION", "CHARACTERISTICS"):
        if c.take("CHARACTERISTICS"):
            c.need("AS")
        c.need("TRANSACTION")
        return [_setting(c, first, "transaction", scope)]
    if c.seq("TIME", "ZONE"):
        return [_setting(c, first, "timezone", scope)]
    if c.take("NAMES"):
        return [_setting(c, first, "client_encoding", scope)]
    name = c.identifier("lower")
    while c.take("."):
        name += "." + c.identifier("lower")
    if c.done:
        c.fail()
    c.take("TO", "=")
    return [_setting(c, first, name, scope)]


def _setting(c: Cursor, first: int, name: str, scope: str, kind: str = "set-setting") -> Operation:
    begin = c.i
    c.rest()
    value = unquote_text(c.text[begin]) if c.i - begin == 1 else c.slice(begin, c.i)
    return c.op(Setting, kind, first, name=name, value=value, scope=scope)


def set_mysql(c: Cursor, first: int) -> list[Operation]:
    """SET of MySQL: settings and variables parted by commas, NAMES, PASSWORD, TRANSACTION."""
    if c.at("PASSWORD", "ROLE", "RESOURCE") or c.ahead("DEFAULT", "ROLE"):
        word = {"DEFAULT": "default-role", "RESOURCE": "resource-group"}.get(c.upper[c.i], c.upper[c.i].lower())
        c.rest()
        return [c.op(Other, f"set-{word}", first)]
    if c.take("NAMES") or c.take("CHARSET") or c.seq("CHARACTER", "SET"):
        name = "names" if c.upper[c.i - 1] == "NAMES" else "character set"
        return [_setting(c, first, name, "")]
    scope = c.word().lower() if c.at(*_SCOPES) and c.peek() not in ("=", ":=") else ""
    if c.take("TRANSACTION"):
        return [_setting(c, first, "transaction", scope)]
    if c.take("STATEMENT"):
        return _for_statement(c, first)
    found = [_assignment(c, first, scope)]
    while c.take(","):
        begin = c.i
        scope = c.word().lower() if c.at(*_SCOPES) else scope
        found.append(_assignment(c, begin, scope))
    c.end()
    return found


def _for_statement(c: Cursor, first: int) -> list[Operation]:
    """MariaDB's SET STATEMENT a = 1 FOR …: settings for one statement, and that statement."""
    c.i = find(c, frozenset({"FOR"}), c.i)
    c.need("FOR")
    found = [operation for operation in part(c, c.i, c.last) if operation.kind != "select"]
    return [c.op(Other, "set-statement", first), *found]


def _assignment(c: Cursor, first: int, scope: str) -> Operation:
    token = c.text[c.i]
    name = c.identifier("lower")
    if name in ("@@session", "@@global", "@@local", "@@persist", "@@session"):
        scope = name[2:]
        c.need(".")
        name = c.identifier("lower")
    while c.take("."):
        name += "." + c.identifier("lower")
    c.need("=", ":=")
    begin = c.i
    text = c.until(frozenset())
    value = unquote_text(text) if c.i - begin == 1 else text
    variable = token.startswith("@") and not token.startswith("@@")
    return c.op(
        Setting, "set-variable" if variable else "set-setting", first, name=name.lstrip("@"), value=value, scope=scope
    )


def set_tsql(c: Cursor, first: int) -> list[Operation]:
    """SET of SQL Server: a variable, or options that are ON, OFF or have a value."""
    if c.text[c.i].startswith("@"):
        return [_setting(c, first, c.word().lower(), "", "set-variable")]
    if c.take("TRANSACTION"):
        return [_setting(c, first, "transaction", "")]
    names = [c.identifier("lower")]
    while c.take(","):
        names.append(c.identifier("lower"))
    if names == ["statistics"] and not c.at("ON", "OFF"):
        names = [f"statistics {c.word().lower()}"]
    begin = c.i
    c.rest()
    value = c.slice(begin, c.i).lower()
    return [c.op(Setting, "set-setting", first, name=name, value=value) for name in names]


def set_plain(c: Cursor, first: int) -> list[Operation]:
    """SET name [= value] [, …] of ClickHouse; a name alone is switched on."""
    if c.at("ROLE") or c.ahead("DEFAULT", "ROLE"):
        kind = "set-role" if c.at("ROLE") else "set-default-role"
        c.rest()
        return [c.op(Other, kind, first)]
    if c.seq("TRANSACTION", "SNAPSHOT"):
        return [_setting(c, first, "transaction snapshot", "")]
    found = [_switched(c, first)]
    while c.take(","):
        found.append(_switched(c, c.i))
    c.end()
    return found


def _switched(c: Cursor, first: int) -> Operation:
    if c.peek() not in ("", ","):
        return _assignment(c, first, "")
    return c.op(Setting, "set-setting", first, name=c.identifier("lower"), value="1")


def set_snowflake(c: Cursor, first: int) -> list[Operation]:
    """SET x = 1, SET (a, b) = (1, 2) of Snowflake: session variables."""
    name = c.parens().lower() if c.at("(") else c.identifier("lower")
    c.need("=")
    return [_setting(c, first, name, "", "set-variable")]


def alter_session(c: Cursor, first: int) -> list[Operation]:
    """ALTER SESSION SET a = 1 [b = 2], UNSET a [, b] of Snowflake."""
    if c.take("UNSET"):
        name = c.identifier("lower")
        c.rest()
        return [c.op(Other, "reset-setting", first, object=Name("", name))]
    c.need("SET")
    found: list[Operation] = []
    while not c.done:
        begin = first if not found else c.i
        name = c.identifier("lower")
        c.need("=")
        value = unquote_text(c.text[c.i])
        c.word()
        found.append(c.op(Setting, "set-setting", begin, name=name, value=value))
        c.take(",")
    return found


# Pragmas whose argument says what to show.
_ASKING = frozenset(
    {
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list", "foreign_key_check",
        "integrity_check", "quick_check",
    }
)  # fmt: skip


def pragma(c: Cursor, first: int) -> list[Operation]:
    """PRAGMA [schema.]name [= value | (value)] of SQLite."""
    name = c.identifier("lower")
    if c.take("."):
        name = c.identifier("lower")
    value, asked = "", False
    if c.take("="):
        begin = c.i
        c.rest()
        value = c.slice(begin, c.i)
    elif c.at("("):
        value, asked = c.parens(), name in _ASKING
    c.end()
    kind = "set-setting" if value and not asked else "show"
    return [c.op(Setting, kind, first, name=name, value=value.strip("'\"").lower())]


def reset(c: Cursor, first: int) -> list[Operation]:
    """RESET x, RESET ALL, DISCARD x."""
    named = c.upper[first] == "RESET" and not c.at("ALL")
    name = None
    if named and not c.done:
        text = "_".join(c.text[c.i : c.last]).lower().replace("_._", ".")
        name = Name("", {"time_zone": "timezone"}.get(text, text))
    c.rest()
    return [c.op(Other, "reset-setting", first, object=name)]


# ── transactions ──


def _transaction(c: Cursor, first: int, what: str, name: str = "") -> list[Operation]:
    return [c.op(Transaction, f"transaction.{what}", first, options=(name,) if name else ())]


_MODES = frozenset(
    {
        "ISOLATION", "LEVEL", "READ", "WRITE", "ONLY", "SERIALIZABLE", "REPEATABLE", "COMMITTED", "UNCOMMITTED", "DEFERRABLE", "NOT",
        "WITH", "CONSISTENT", "SNAPSHOT", ",", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "CONCURRENT", "NAME", "MARK",
    }
)  # fmt: skip


def begin(c: Cursor, first: int) -> list[Operation]:
    """BEGIN or START TRANSACTION with its modes."""
    if c.upper[first] == "START":
        c.need("TRANSACTION")
    c.take(*_WORK)
    while not c.done and c.upper[c.i] in _MODES:
        c.i += 1
        if c.upper[c.i - 1] in ("NAME", "MARK") and not c.done:
            c.i += 1
    c.take(*_WORK)
    if not c.done and c.dialect in ("sqlserver", "snowflake"):
        c.identifier()
        if c.seq("WITH", "MARK") and not c.done:
            c.word()
    c.end()
    return _transaction(c, first, "begin")


def commit(c: Cursor, first: int) -> list[Operation]:
    """COMMIT and END."""
    if c.take("PREPARED"):
        c.rest()
        return _transaction(c, first, "commit")
    c.take(*_WORK)
    _chain(c)
    return _transaction(c, first, "commit")


def _chain(c: Cursor) -> str:
    """AND CHAIN, RELEASE; the name SQL Server may have there, of a transaction or a savepoint."""
    name = ""
    if c.take("AND"):
        c.take("NO")
        c.need("CHAIN")
    if c.take("NO"):
        c.need("RELEASE")
    c.take("RELEASE")
    if not c.done and c.dialect == "sqlserver":
        if not c.at("WITH"):
            name = c.identifier("lower")
        c.take(":")  # what was a name is the label of a GOTO
        if c.take("WITH"):
            c.skip_parens()
    c.end()
    return name


def rollback(c: Cursor, first: int) -> list[Operation]:
    """ROLLBACK, ABORT, ROLLBACK TO."""
    if c.take("PREPARED"):
        c.rest()
        return _transaction(c, first, "rollback")
    c.take(*_WORK)
    if c.take("TO"):
        c.take("SAVEPOINT")
        c.identifier()
        c.end()
        return _transaction(c, first, "rollback-to")
    name = _chain(c)
    return _transaction(c, first, "rollback", name)


def savepoint(c: Cursor, first: int) -> list[Operation]:
    """SAVEPOINT x, SAVE TRANSACTION x."""
    c.take(*_WORK)
    name = c.identifier("lower")
    c.end()
    return _transaction(c, first, "savepoint", name)


def release(c: Cursor, first: int) -> list[Operation]:
    """RELEASE [SAVEPOINT] x."""
    c.take("SAVEPOINT")
    c.identifier()
    c.end()
    return _transaction(c, first, "release")


# ── plain commands ──


def command(kind: str, *skip: str, named: bool = True) -> Callable[[Cursor, int], list[Operation]]:
    """A reader of a command known by its first words: ``skip`` are words that may stand before the object's name."""

    def read(c: Cursor, first: int) -> list[Operation]:
        words: list[str] = []
        while skip and c.take(*skip):
            words.append(c.upper[c.i - 1].lower())
        name: Name | None = maybe_name(c) if named and not c.done and not c.at("(") else None
        c.rest()
        return [c.op(Other, kind, first, object=name, options=tuple(words))]

    return read


def comment(c: Cursor, first: int) -> list[Operation]:
    """COMMENT [IF EXISTS] ON <sort> name IS 'text'."""
    c.if_exists()
    c.need("ON")
    at = c.i
    while c.i + 1 < c.last and c.upper[c.i + 1] not in ("IS", ".", "ON", "(", "USING"):
        c.i += 1
    name = maybe_name(c) if c.i < c.last else None
    sort = c.upper[at].lower()
    while not c.done and not c.at("IS"):
        c.skip_parens() if c.at("(") else c.word()
    c.need("IS")
    c.rest()
    return [c.op(Other, "set-comment", first, object=name, options=(sort,))]
