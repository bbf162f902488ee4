"""Clauses inside a statement's text: found outside of parentheses, strings and comments, and cut out or replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Concatenate, ParamSpec

from ci_runner.lint.context import Context
from ci_runner.lint.rule import Edit, Fix
from ci_runner.model.operations import Name
from ci_runner.text.pattern import later

_QUOTED = "|".join(f"{mark}[^{mark}]*(?:{mark}{mark}[^{mark}]*)*{mark}" for mark in "'\"`")
_TOKEN = later(rf"{_QUOTED}|--[^\n]*|/\*(?:.*?\*/|.*)|\[[^\]\n]*\]|[()]|[^\W\d][\w$]*|\d[\w.]*|\s+|.", re.DOTALL)
_IDENT = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[^\W\d][\w$]*)'
_TARGET = later(
    rf"ALTER\s+(?:FOREIGN\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?({_IDENT}(?:\s*\.(?:\s*\.)?\s*{_IDENT}){{0,3}})",
    re.IGNORECASE,
)
_PLAIN = later(r"[a-z_][a-z0-9_]*")
P = ParamSpec("P")
LONGEST = 63  # bytes of a name in PostgreSQL


def rewrite(make: Callable[Concatenate[Context, P], Fix | None]) -> Callable[Concatenate[Context, P], Fix | None]:
    """The maker of a rewrite, called only where rewrites are asked for: most findings are told without."""

    @wraps(make)
    def made(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> Fix | None:
        return make(context, *args, **kwargs) if context.file.suggests else None

    return made


def words(text: str, at: int = 0) -> Iterator[tuple[str, int, int]]:
    """(piece, start, end) of what stands at depth 0, blanks and comments left out; a parenthesis with its content is one piece."""
    depth, opened = 0, 0
    for found in _TOKEN.finditer(text, at):
        piece = found[0]
        if piece == "(":
            depth, opened = depth + 1, found.start() if not depth else opened
        elif piece == ")" and depth:
            depth -= 1
            if not depth:
                yield text[opened : found.end()], opened, found.end()
        elif not depth and not piece.isspace() and not piece.startswith(("--", "/*")):
            yield piece, found.start(), found.end()


def clause(text: str, *wanted: str) -> tuple[int, int] | None:
    """The span of these words one after the other, in any case; ``()`` stands for a parenthesis, ``*`` for any one token."""
    pieces = list(words(text))
    for number in range(len(pieces) - len(wanted) + 1):
        row = pieces[number : number + len(wanted)]
        if all(_is(found, word) for (found, _, _), word in zip(row, wanted, strict=True)):
            return row[0][1], row[-1][2]
    return None


def _is(found: str, word: str) -> bool:
    return word == "*" or (found.startswith("(") if word == "()" else found.upper() == word)


def uncommented(text: str) -> str:
    """The text with a blank for each comment."""
    return _TOKEN.sub(lambda found: " " if found[0].startswith(("--", "/*")) else found[0], text)


def cut(context: Context, span: tuple[int, int]) -> Edit:
    """The edit that takes a clause out of the operation under review, with the blanks before it."""
    text, start = context.text(), context.step.operation.start
    first = span[0]
    while first and text[first - 1] in " \t":
        first -= 1
    return Edit(start + first, start + span[1], "")


def target(context: Context) -> str | None:
    """The table of an ALTER TABLE as the statement writes it."""
    statement = context.statement
    found = _TARGET.search(context.file.text, statement.start, statement.end)
    return found[1] if found else None


def ident(name: str, source: str) -> str:
    """A name as SQL, quoted where it is not plain or where the source quotes it."""
    plain = _PLAIN.fullmatch(name) and f'"{name}"' not in source
    return name if plain else '"' + name.replace('"', '""') + '"'


def written(name: Name, source: str) -> str:
    """A qualified name as SQL."""
    return ".".join(ident(part, source) for part in (name.schema, name.name) if part)


def end(context: Context) -> int:
    """The offset behind the statement's last word, before its semicolon."""
    statement = context.statement
    text = context.file.text[statement.start : statement.end]
    return statement.start + max((stop for word, _, stop in words(text) if word != ";"), default=len(text))


def short(*parts: str) -> str | None:
    """A name of these parts, None when PostgreSQL would cut it."""
    name = "_".join(parts)
    return name if len(name.encode()) <= LONGEST else None


def removed(context: Context) -> Edit:
    """The edit that takes the whole statement out, with its lines where it shares them with nothing else."""
    return Edit(*lines_of(context.file.text, context.statement.start, context.statement.end), "")


def lines_of(text: str, start: int, stop: int) -> tuple[int, int]:
    """The span of a statement with its semicolon, and with its lines where nothing else stands on them."""
    closed = re.compile(r"[ \t]*;").match(text, stop) if text[stop - 1 : stop] != ";" else None
    stop = closed.end() if closed else stop
    rest = re.compile(r"[ \t]*\r?\n").match(text, stop)
    first = text.rfind("\n", 0, start) + 1
    if rest and not text[first:start].strip():
        return first, rest.end()
    return start, stop
