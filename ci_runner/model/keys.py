"""What the text of a constraint says of keys, however a database renders it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from ci_runner.model.inspected import Table
from ci_runner.text.pattern import later

MOST = 10_000  # characters of a definition that are looked at
_CLOSING = {'"': '"', "`": "`", "[": "]", "'": "'"}
_FOREIGN = later(r"foreign key \(", re.IGNORECASE)
_REFERENCES = later(r"\s*references\s+", re.IGNORECASE)
_KEY = later(r"(primary key|unique)(?: nulls not distinct)?(?: (?:non)?clustered| btree)? \(", re.IGNORECASE)


class Foreign(Struct, frozen=True):
    """A foreign key's columns, and the table and columns it leads to (no columns: that table's primary key)."""

    columns: tuple[str, ...]
    table: str
    parents: tuple[str, ...] = ()


def foreign(table: Table) -> Iterator[Foreign]:
    """The foreign keys among a table's constraints."""
    for name, definition in table.constraints.items():
        found = _foreign(f"{name} {definition}"[:MOST] if _FOREIGN.match(name) else definition[:MOST])
        if found:
            yield found


def keys(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(``PK`` or ``UK``, columns) of each primary key and unique constraint or index on plain columns."""
    for name, definition in (*table.constraints.items(), *table.indexes.items()):
        for text in (definition[:MOST], name[:MOST]):
            found = _KEY.match(text)
            if found:
                columns, _ = _listed(text, found.end())
                yield ("PK" if found[1].lower().startswith("primary") else "UK"), columns
                break


def _foreign(text: str) -> Foreign | None:
    start = _FOREIGN.match(text)
    if start is None:
        return None
    columns, end = _listed(text, start.end())
    reference = _REFERENCES.match(text, end)
    if reference is None:
        return None
    opening = _outside(text, reference.end(), "(")
    named = text[reference.end() : opening if opening >= 0 else len(text)].strip()
    parents, _ = _listed(text, opening + 1) if opening >= 0 else ((), 0)
    table = ".".join(_plain(part) for part in _parted(named, "."))
    return Foreign(columns, table, tuple(parent for parent in parents if parent))


def _listed(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """The names between ``start`` and the closing parenthesis, and where it ends."""
    end = _outside(text, start, ")")
    inside = text[start : end if end >= 0 else len(text)]
    return tuple(_plain(part) for part in _parted(inside, ",")), (end + 1 if end >= 0 else len(text))


def _parted(text: str, separator: str) -> list[str]:
    parts, start = [], 0
    while (end := _outside(text, start, separator)) >= 0:
        parts.append(text[start:end])
        start = end + 1
    return [*parts, text[start:]]


def _outside(text: str, start: int, wanted: str) -> int:
    """Where ``wanted`` stands next outside of quotes and inner parentheses; -1 when it does not."""
    depth, position = 0, start
    while position < len(text):
        character = text[position]
        if not depth and character == wanted:
            return position
        if character in _CLOSING:
            closing = text.find(_CLOSING[character], position + 1)
            position = closing if closing >= 0 else position
        depth += (character == "(") - (character == ")")
        position += 1
    return -1


def _plain(name: str) -> str:
    """A name without its quotes."""
    name = name.strip()
    closing = _CLOSING.get(name[:1])
    if closing and len(name) > 1 and name.endswith(closing):
        return name[1:-1].replace(closing * 2, closing)
    return name
