"""Reads which columns the text of an SQLite view or trigger names: ALTER TABLE reads those texts again, and is refused where one breaks.

A name is looked up as SQLite does: in the tables of its own SELECT (UPDATE, DELETE), then in those around it. Which of them has such a
column only the catalog knows, so that a reading is ``column@t,u/v``: the innermost tables first, ``?`` for what is no table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.model.operations import CreateTrigger, CreateView, Name
from ci_runner.sql.cursor import Unmatched, unquote
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
_NO_ALIAS = frozenset(
    {
        "", "WHERE", "JOIN", "LEFT", "RIGHT", "INNER", "OUTER", "FULL", "CROSS", "NATURAL", "ON", "USING", "GROUP", "ORDER", "LIMIT", "UNION",
        "EXCEPT", "INTERSECT", "HAVING", "WINDOW", "SET", "RETURNING", "VALUES", "SELECT", "DEFAULT", "INDEXED", "NOT", "WITH", "AS",
    }
)  # fmt: skip
_MOST_TABLES, _DEEPEST, _MOST_NAMES = 64, 16, 2_000  # more than views have; what is beyond is not looked up
_AFTER_FROM = frozenset({"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "WINDOW", "SET", "RETURNING", "ON"})


def of_view(c: Cursor, view: CreateView, first: int) -> CreateView:
    """The view with the columns its query names."""
    return replace(view, names=tuple(_Reading(c, {}).read(first, c.last)))


def create_trigger(c: Cursor, first: int) -> CreateTrigger:
    """CREATE TRIGGER behind that word: the table it stands on, the tables its body touches, the columns it names."""
    c.if_not_exists()
    name = c.name()
    while not c.done and not c.at("ON"):
        c.i += 1
    c.need("ON")
    table = c.name()
    at = c.i
    reading = _Reading(c, {"new": table.name.lower(), "old": table.name.lower()})
    names = tuple(reading.read(at, c.last))
    reads = dict.fromkeys((*tables_read(c, at, c.last), *reading.written))
    c.rest()
    return c.op(CreateTrigger, "create-trigger", first, object=name, on=table, reads=tuple(reads), names=names)


class _Scope:
    """One SELECT, UPDATE or DELETE: its tables, and whether the words at hand are its FROM."""

    __slots__ = ("depth", "outer", "reading", "tables")

    def __init__(self, depth: int, outer: _Scope | None) -> None:
        self.depth, self.outer = depth, outer
        self.tables: list[str] = []
        self.reading = False

    def shown(self) -> str:
        """``t,u/v``."""
        scope: _Scope | None = self
        levels: list[str] = []
        while scope is not None and len(levels) < _DEEPEST:
            levels.append(",".join(scope.tables))
            scope = scope.outer
        return "/".join(levels)

    def add(self, table: str) -> None:
        """One more table of its FROM."""
        if len(self.tables) < _MOST_TABLES and table not in self.tables:
            self.tables.append(table)


class _Reading:
    """The walk over a text's tokens."""

    def __init__(self, c: Cursor, aliases: dict[str, str]) -> None:
        self.c, self.aliases = c, aliases
        self.scopes: list[_Scope] = []
        self.depth = 0
        self.written: list[Name] = []
        self.found: list[tuple[str, _Scope | None]] = []

    def read(self, first: int, stop: int) -> Iterator[str]:
        """Each name as it stands there, once."""
        i = first
        while i < stop:
            i = self._step(i)
        shown = {scope: scope.shown() if scope else "" for _, scope in self.found}
        for name, scopes in dict.fromkeys((name, shown[scope]) for name, scope in self.found):
            table, dot, column = name.rpartition(".")
            yield f"{self.aliases.get(table, table)}.{column}" if dot else f"{column}@{scopes}"

    def _find(self, name: str, scope: _Scope | None = None) -> None:
        if len(self.found) < _MOST_NAMES:
            self.found.append((name, scope))

    def _step(self, i: int) -> int:
        """Reads what begins at token ``i`` and returns where the next begins."""
        word, before = self.c.upper[i], self.c.upper[i - 1]
        if word in ("(", ")", ";"):
            self._turn(word)
        elif word in ("SELECT", "VALUES") or (word in ("UPDATE", "DELETE") and before in ("BEGIN", ";", "")):
            self._open()
            return self._target(i + 1) if word == "UPDATE" else i + 1
        elif word == "INTO":
            self._open()
            return self._target(i + 1, listed=True)
        elif word in ("FROM", "JOIN") or (word == "," and self._in_from()):
            return self._table(i + 1)
        elif word in _AFTER_FROM and self.scopes:
            self.scopes[-1].reading = False
        elif word == "USING" and self.c.upper[i + 1] == "(":
            return self._using(i + 2)
        elif before in _BEFORE or self.c.upper[i + 1] == ".":
            return self._name(i)
        return i + 1

    def _turn(self, word: str) -> None:
        self.depth = 0 if word == ";" else self.depth + (1 if word == "(" else -1)
        while self.scopes and (word == ";" or self.scopes[-1].depth > self.depth):
            self.scopes.pop()

    def _open(self) -> None:
        """A new scope; the one of a SELECT before UNION ends."""
        while self.scopes and self.scopes[-1].depth >= self.depth:
            self.scopes.pop()
        self.scopes.append(_Scope(self.depth, self.scopes[-1] if self.scopes else None))

    def _in_from(self) -> bool:
        return bool(self.scopes) and self.scopes[-1].reading and self.scopes[-1].depth == self.depth

    def _target(self, i: int, *, listed: bool = False) -> int:
        """The table of UPDATE [OR x] and INSERT INTO; the columns listed behind it are not looked up again."""
        c = self.c
        i = i + 2 if c.upper[i] == "OR" else i
        at = self._table(i)
        if c.upper[i] != "(" and _is_name(c.text[i]):
            keep, c.i = c.i, i
            self.written.append(c.name())
            c.i = keep
        self.scopes[-1].reading = False
        if listed and c.upper[at] == "(":
            keep, c.i = c.i, at
            c.skip_parens()
            at, c.i = c.i, keep
        return at

    def _table(self, i: int) -> int:
        """A table of FROM with its alias; a subquery or a function is something of which nothing is known."""
        c = self.c
        scope = self.scopes[-1] if self.scopes else None
        if scope is None:
            return i
        scope.reading = True
        if not _is_name(c.text[i]):
            scope.add("?")
            return i
        keep, c.i = c.i, i
        try:
            name = c.name()
        except Unmatched:
            return i + 1
        finally:
            i, c.i = c.i, keep
        if c.upper[i] == "(":
            scope.add("?")
            return i
        scope.add(name.name.lower())
        alias = i + 1 if c.upper[i] == "AS" else i
        if _is_name(c.text[alias]) and c.upper[alias] not in _NO_ALIAS:
            self.aliases[self._folded(alias)] = name.name.lower()
            return alias + 1
        return i

    def _using(self, i: int) -> int:
        """USING (a, b): every table of the join has those."""
        while self.c.upper[i] not in (")", ""):
            if _is_name(self.c.text[i]) and self.scopes:
                for table in self.scopes[-1].tables:
                    self._find(f"{table}.{self._folded(i)}")
            i += 1
        return i + 1

    def _name(self, i: int) -> int:
        text, upper = self.c.text, self.c.upper
        if not _is_name(text[i]):
            return i + 1
        if upper[i + 1] == ".":
            i = i + 2 if upper[i + 3] == "." else i
            if _is_name(text[i + 2]):
                self._find(f"{self._folded(i)}.{self._folded(i + 2)}")
            return i + 3
        target = upper[i - 1] in ("SET", ",") and upper[i + 1] == "="
        # SQLite takes "a" for a string where there is no such column, and so no text breaks by it
        if not target and upper[i + 1] != "(" and text[i][0] != '"':
            self._find(self._folded(i), self.scopes[-1] if self.scopes else None)
        return i + 1

    def _folded(self, i: int) -> str:
        return unquote(self.c.text[i], self.c.traits, "").lower()


def _is_name(token: str) -> bool:
    return token[:1] in ('"', "`", "[") or token[:1].isalpha() or token[:1] == "_"
