"""Reads what a query or a data change touches: tables written, tables read, columns, and the text of its select list.

Only names are sought, no query is understood: FROM, JOIN and USING lead to tables, names of CTEs are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ci_runner.model.operations import Name
from ci_runner.sql.cursor import Unmatched

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_NOT_FROM = frozenset({"EXTRACT", "SUBSTRING", "TRIM", "OVERLAY", "POSITION", "SUBSTR"})
_NOT_TABLES = frozenset(
    {
        "SELECT", "LATERAL", "VALUES", "UNNEST", "GENERATE_SERIES", "JSON_TABLE", "OPENJSON", "TABLE", "FLATTEN", "WITH", "WHERE",
        "(", "",
    }
)  # fmt: skip
_AFTER_TABLE = frozenset(
    {
        "WHERE", "JOIN", "LEFT", "RIGHT", "INNER", "OUTER", "FULL", "CROSS", "NATURAL", "ON", "USING", "GROUP", "ORDER", "LIMIT",
        "UNION", "EXCEPT", "INTERSECT", "HAVING", "WINDOW", "FETCH", "OFFSET", "FOR", "SET", "WHEN", "RETURNING", "STRAIGHT_JOIN",
        "ARRAY", "GLOBAL", "ANY", "ALL", "ASOF", "SEMI", "ANTI", "PREWHERE", "SETTINGS", "FINAL", "SAMPLE", "WITH", "OPTION",
        "OUTPUT", "QUALIFY", "LATERAL", "TABLESAMPLE", "START", "CONNECT", "PIVOT", "UNPIVOT", "APPLY", "FORMAT",
    }
)  # fmt: skip


def tables_read(c: Cursor, first: int, stop: int) -> tuple[Name, ...]:
    """The tables that FROM, JOIN and USING name between two tokens, CTEs left out, each once."""
    upper, keep = c.upper, c.i
    found: dict[Name, None] = {}
    defined: set[Name] = set()
    openers: list[str] = []
    reached = first  # what stands before was read as part of a list of tables
    for i in range(first, stop):
        token = upper[i]
        if token == "(":
            openers.append(upper[i - 1] if i > first else "")
        elif token == ")":
            if openers:
                openers.pop()
        elif token == "AS" and upper[i + 1] in ("(", "MATERIALIZED", "NOT"):
            _define(c, i, defined)
        elif token in ("FROM", "JOIN", "USING", "APPLY", "STRAIGHT_JOIN"):
            if (openers and openers[-1] in _NOT_FROM) or upper[i - 1] == "DISTINCT" or i < reached:
                continue
            _from_list(c, i + 1, stop, found)
            reached = c.i
    c.i = keep
    return tuple(name for name in found if name not in defined)


def _define(c: Cursor, at: int, defined: set[Name]) -> None:
    """A CTE's name stands before AS, perhaps with its columns between."""
    i = at - 1
    if i > 0 and c.text[i] == ")":
        while i > 0 and c.text[i] != "(":
            i -= 1
        i -= 1
    if i >= 0 and c.upper[i - 1] in ("WITH", "RECURSIVE", ","):
        c.i = i
        try:
            defined.add(c.name())
        except Unmatched:
            return


def _from_list(c: Cursor, at: int, stop: int, found: dict[Name, None]) -> None:
    c.i = at
    while c.i < stop:
        c.take("ONLY")
        if c.upper[c.i] in _NOT_TABLES:
            return
        try:
            name = c.name()
        except Unmatched:
            return
        if c.at("("):
            return  # a function
        found[name] = None
        c.take("AS")
        if c.upper[c.i] not in _AFTER_TABLE and c.text[c.i] not in (",", ")", ";", "(", ""):
            c.i += 1
        if not c.take(","):
            return


def parts(c: Cursor, first: int, stop: int) -> tuple[str, ...]:
    """The texts between commas, parentheses and CASE … END kept whole."""
    found: list[str] = []
    start, depth = first, 0
    for i in range(first, stop):
        token = c.upper[i]
        if token in ("(", "[", "CASE"):
            depth += 1
        elif token in (")", "]") or (token == "END" and depth):
            depth -= 1
        elif token == "," and depth == 0:
            found.append(c.slice(start, i))
            start = i + 1
    if stop > start:
        found.append(c.slice(start, stop))
    return tuple(found)


def find(c: Cursor, words: frozenset[str], first: int) -> int:
    """The index of the first of ``words`` outside parentheses, the end where there is none."""
    depth, upper = 0, c.upper
    for i in range(first, c.last):
        token = upper[i]
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif depth == 0 and token in words:
            return i
    return c.last


def outside(upper: list[str], first: int, stop: int) -> Iterator[tuple[int, str]]:
    """The tokens outside parentheses and inner CASE … END, with their places; the END that closes none is one of them."""
    depth = cases = 0
    for i in range(first, stop):
        token = upper[i]
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "CASE":
            cases += 1
        elif token == "END" and cases:
            cases -= 1
        elif depth == 0 and cases == 0:
            yield i, token


_LIST_ENDS = frozenset({"FROM", "WHERE", "INTO", "UNION", "EXCEPT", "INTERSECT", "ORDER", "LIMIT", "GROUP"})


def select_list(c: Cursor, at: int) -> tuple[str, ...]:
    """The expressions of the SELECT at token ``at``."""
    first = at + 1
    while c.upper[first] in ("DISTINCT", "ALL"):
        first += 1
    return parts(c, first, find(c, _LIST_ENDS, first))
