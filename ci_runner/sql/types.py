"""Reads the type of a column as it stands in a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import Type

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

# What may follow a first word and is still the type's name.
_MORE: dict[str, tuple[tuple[str, ...], ...]] = {
    "DOUBLE": (("PRECISION",),),
    "CHARACTER": (("VARYING",), ("LARGE", "OBJECT")),
    "CHAR": (("VARYING",), ("LARGE", "OBJECT"), ("BYTE",)),
    "BINARY": (("VARYING",), ("LARGE", "OBJECT")),
    "BIT": (("VARYING",),),
    "NCHAR": (("VARYING",), ("LARGE", "OBJECT")),
    "LONG": (("VARCHAR",), ("VARBINARY",), ("CHAR", "VARYING")),
    "NATIONAL": (
        ("CHARACTER", "VARYING"), ("CHAR", "VARYING"), ("CHARACTER",), ("VARCHAR",), ("CHAR",), ("VARCHARACTER",), ("TEXT",),
    ),
}  # fmt: skip
_TYPED = ("mysql", "mariadb")  # a column has a type there, whatever its word
_ALWAYS = ("AS", "CHECK", "REFERENCES", "DEFAULT", "CODEC", "STATISTICS", "SETTINGS", "IDENTITY")
_PLAIN_ENDS = frozenset({",", ")", "NOT", "NULL", "DEFAULT", ""})
_FIELDS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})
_SIGNS = frozenset({"UNSIGNED", "SIGNED", "ZEROFILL"})


def read_type(c: Cursor, stops: frozenset[str]) -> Type | None:
    """The type at the cursor; None where a column option (one of ``stops``), a comma or the end stands instead."""
    first = c.i
    token = c.upper[first]
    if not token or token in ",)=":
        return None
    if token in stops and c.dialect not in _TYPED and (c.peek() not in ("(", ".") or token in _ALWAYS):
        return None
    if token.isalnum() and token not in _MORE and c.text[first + 1] != "." and c.dialect != "sqlite":
        base = token.lower()
        c.i = first + 1
        if c.upper[c.i] in _PLAIN_ENDS:
            return Type(base, (), "", c.text[first])
    else:
        base = _base(c, stops)
    args = _arguments(c)
    suffix = _suffix(c, base)
    return Type(base, args, suffix, c.slice(first, c.i))


def _base(c: Cursor, stops: frozenset[str]) -> str:
    word = c.upper[c.i]
    parts = [_part(c)]
    if c.text[c.i] == ".":
        while c.take("."):
            parts.append(_part(c))
        return ".".join(parts)
    for more in _MORE.get(word, ()):
        if c.seq(*more):
            return " ".join((parts[0], *more)).lower()
    if c.dialect == "sqlite":
        while not c.done and c.upper[c.i] not in stops and c.text[c.i] not in ("(", ")", ","):
            parts.append(_part(c))
        return " ".join(parts)
    return parts[0]


def _part(c: Cursor) -> str:
    """One word of a type's name, in lower case unless quotes keep a name of the user's own."""
    quoted = c.text[c.i][:1] in ('"', "`", "[")
    name = c.identifier("lower")
    return name if quoted and c.dialect in ("postgres", "snowflake") else name.lower()


def _arguments(c: Cursor) -> tuple[str, ...]:
    if c.text[c.i] != "(" or c.done:
        return ()
    first = c.i + 1
    c.skip_parens()
    stop = c.i - 1
    if stop - first == 1:
        return (c.text[first],)
    found, start, depth = [], first, 0
    for i in range(first, stop):
        token = c.text[i]
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "," and depth == 0:
            found.append(c.slice(start, i))
            start = i + 1
    if stop > start:
        found.append(c.slice(start, stop))
    return tuple(found)


def _suffix(c: Cursor, base: str) -> str:
    found: list[str] = []
    while not c.done:
        token = c.upper[c.i]
        if token in _SIGNS:
            found.append(c.word().lower())
        elif token in ("WITH", "WITHOUT") and base.startswith("time") and c.peek() in ("TIME", "LOCAL"):
            first = c.i
            while not c.take("ZONE"):
                c.word()
            found.append(c.slice(first, c.i).lower())
        elif token == "[":
            first = c.i
            while not c.take("]"):
                c.word()
            found.append(c.slice(first, c.i))
        elif token == "ARRAY" and base != "array":
            c.i += 1
            found.append("[]" if c.text[c.i] != "[" else "")
        elif base == "interval" and token in _FIELDS:
            found.append(_interval(c))
        elif token == "BYTE" and c.dialect in _TYPED:  # CHAR(3) BYTE is BINARY(3)
            c.i += 1
            found.append("byte")
        elif token == "%" and c.peek() in ("TYPE", "ROWTYPE"):
            c.i += 2
            found.append("%type")
        else:
            break
    return " ".join(part for part in found if part)


def _interval(c: Cursor) -> str:
    first = c.i
    c.i += 1
    if c.take("TO"):
        c.word()
    if c.text[c.i] == "(":
        c.skip_parens()
    return c.slice(first, c.i).lower()
