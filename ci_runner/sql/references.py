"""Reads the far side of a foreign key: the table, its columns, and what happens when its rows change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import Reference

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor


def reference(c: Cursor) -> Reference:
    """The far side of a foreign key, behind the word REFERENCES."""
    table = c.name()
    columns: tuple[str, ...] = ()
    if c.take("("):
        found = [_column(c)]
        while c.take(","):
            found.append(_column(c))
        c.need(")")
        columns = tuple(found)
    actions = {"DELETE": "", "UPDATE": ""}
    while True:
        if c.take("MATCH"):
            c.word()
        elif c.at("ON") and c.peek() in actions:
            event = c.peek()
            c.i += 2
            actions[event] = _action(c)
        else:
            return Reference(table, columns, actions["DELETE"], actions["UPDATE"])


def _column(c: Cursor) -> str:
    if c.at("PERIOD") and c.peek() not in (",", ")"):
        c.i += 1
    return c.column()


def _action(c: Cursor) -> str:
    words = c.word().lower()
    if words in ("set", "no"):
        words += " " + c.word().lower()
        if c.text[c.i] == "(" and c.dialect == "postgres":
            c.skip_parens()
    return words
