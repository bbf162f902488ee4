"""Reads what the text of an SQLite view or trigger speaks of: ALTER TABLE reads those texts again and is refused where one breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ci_runner.model.operations import CreateTrigger, CreateView, Name
from ci_runner.sql.cursor import unquote
from ci_runner.sql.queries import tables_read

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

# Words an expression can follow; behind any other word a name is an alias or a table.
_BEFORE = frozenset(
    {
        "SELECT", "DISTINCT", "ALL", "WHERE", "AND", "OR", "NOT", "ON", "BY", "HAVING", "WHEN", "THEN", "ELSE", "CASE", "IN", "LIKE", "GLOB",
        "IS", "BETWEEN", "LIMIT", "OFFSET", "SET", "RETURNING", "REGEXP", "MATCH", "ESCAPE", "(", ",", "=", "==", "<", ">", "<=", ">=", "<>",
        "!=", "||", "+", "-", "*", "/", "%", "&", "|", "->", "->>", "<<", ">>",
    }
)  # fmt: skip
_TABLE = frozenset({"FROM", "JOIN", "INTO", "UPDATE"})
_NO_ALIAS = frozenset(
    {
        "", "WHERE", "JOIN", "LEFT", "RIGHT", "INNER", "OUTER", "FULL", "CROSS", "NATURAL", "ON", "USING", "GROUP", "ORDER", "LIMIT", "UNION",
        "EXCEPT", "INTERSECT", "HAVING", "WINDOW", "SET", "RETURNING", "VALUES", "SELECT", "DEFAULT", "INDEXED", "NOT", "WITH",
    }
)  # fmt: skip


def of_view(c: Cursor, view: CreateView, first: int) -> CreateView:
    """The view with the columns its query names."""
    from msgspec.structs import replace

    return replace(view, names=tuple(_named(c, first, c.last, {})))


def create_trigger(c: Cursor, first: int) -> CreateTrigger:
    """CREATE TRIGGER behind that word: the table it stands on, the tables its body touches, the columns it names."""
    c.if_not_exists()
    name = c.name()
    while not c.done and not c.at("ON"):
        c.i += 1
    c.need("ON")
    table = c.name()
    at = c.i
    own = {"new": str(table), "old": str(table)}
    reads = dict.fromkeys((*tables_read(c, at, c.last), *_written(c, at)))
    names = tuple(_named(c, at, c.last, own))
    c.rest()
    return c.op(CreateTrigger, "create-trigger", first, object=name, on=table, reads=tuple(reads), names=names)


def _written(c: Cursor, at: int) -> Iterator[Name]:
    keep = c.i
    for i in range(at, c.last):
        update = c.upper[i] == "UPDATE" and c.upper[i - 1] in ("BEGIN", ";")
        if update and c.upper[i + 1] == "OR":
            i += 2  # noqa: PLW2901 — UPDATE OR IGNORE t
        if update or c.upper[i] == "INTO":
            c.i = i + 1
            yield c.name()
    c.i = keep


def _named(c: Cursor, first: int, stop: int, aliases: dict[str, str]) -> Iterator[str]:
    """``column``, or ``table.column`` where the text says of which, each as often as it stands there."""
    aliases = {**_aliases(c, first, stop), **aliases}
    text, upper, i = c.text, c.upper, first
    while i < stop:
        before = upper[i - 1]
        if before == "INTO":
            i = _past_columns(c, i)
            continue
        if upper[i + 1] == "." and before not in _TABLE and _is_name(text[i]):
            i = i + 2 if upper[i + 3] == "." else i
            table = _folded(c, text[i])
            if _is_name(text[i + 2]):
                yield f"{aliases.get(table, table)}.{_folded(c, text[i + 2])}"
            i += 3
            continue
        target = before in ("SET", ",") and upper[i + 1] == "="
        # SQLite takes "a" for a string where there is no such column, and so no text breaks by it
        if before in _BEFORE and not target and upper[i + 1] != "(" and _is_name(text[i]) and text[i][0] != '"':
            yield _folded(c, text[i])
        i += 1


def _past_columns(c: Cursor, i: int) -> int:
    """Behind ``t (a, b)`` of INSERT INTO: those are not looked up again."""
    keep, c.i = c.i, i
    c.name()
    if c.at("("):
        c.skip_parens()
    i, c.i = c.i, keep
    return i


def _aliases(c: Cursor, first: int, stop: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for i in range(first, stop):
        if c.upper[i - 1] not in ("FROM", "JOIN", ",") or not _is_name(c.text[i]):
            continue
        at = i + 2 if c.upper[i + 1] == "." else i
        alias = at + 2 if c.upper[at + 1] == "AS" else at + 1
        if _is_name(c.text[alias]) and c.upper[alias] not in _NO_ALIAS:
            found[_folded(c, c.text[alias])] = _folded(c, c.text[at])
    return found


def _folded(c: Cursor, token: str) -> str:
    return unquote(token, c.traits, "").lower()


def _is_name(token: str) -> bool:
    return token[:1] in ('"', "`", "[") or token[:1].isalpha() or token[:1] == "_"
