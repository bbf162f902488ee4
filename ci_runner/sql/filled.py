"""Reads texts that are run as soon as they are made and known all the same: ``format('…', x)``, ``'…' || x``, rows that \\gexec runs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ci_runner.model.operations import Dml, Operation, Other
from ci_runner.sql.lexer import Tokens
from ci_runner.sql.queries import outside
from ci_runner.sql.reading import Reading
from ci_runner.text.pattern import later

# A value format() puts in (https://www.postgresql.org/docs/current/functions-string.html#FUNCTIONS-STRING-FORMAT).
_VALUE = later(r"%(?:\d{1,3}\$)?-?(?:\d{1,5}|\*(?:\d{1,3}\$)?)?([sIL])|%(%)")
_LITERAL = later(r"(?:\$(\w*)\$[\s\S]*\$\1\$|[eEnN]?'[\s\S]*')\Z")
MARK = "\ua66e"  # a letter that one manuscript of a psalter has, once: stands for each character of what is put in

_ENDS = ("", ";", "USING", "INTO")
_NAMELESS = frozenset(
    {
        "create-role", "create-user", "alter-role", "alter-user", "drop-role", "drop-user", "create-sequence", "drop-sequence", "create-trigger",
        "drop-trigger", "create-policy", "drop-policy", "alter-database", "set-comment",
    }
)  # fmt: skip

Literal = tuple[str, int]


def formatted(tokens: Tokens, at: int) -> tuple[Literal, int] | None:
    """The literal of the ``format(…)`` at token ``at`` with marks for values, its offset, and the token behind; None where it is none."""
    if (
        tokens.upper[at] != "FORMAT"
        or tokens.upper[at + 1 : at + 2] != ["("]
        or not _LITERAL.match(tokens.text[at + 2])
    ):
        return None
    if tokens.text[at + 3] not in (",", ")"):
        return None
    behind = next((i for i, _ in outside(tokens.upper, at + 1, len(tokens.upper))), len(tokens.upper) - 1)
    text = _VALUE.sub(lambda value: "% " if value[2] else MARK * len(value[0]), tokens.text[at + 2])
    return (text, tokens.start[at + 2]), behind


def joined(tokens: Tokens, at: int) -> tuple[Literal, int] | None:
    """As ``formatted``, of ``'…' || x || '…'``, which must begin with a literal: marks stand for all between two, quotes and bars included."""
    upper = tokens.upper
    stop = next((i for i, word in outside(upper, at, len(upper)) if word in _ENDS), len(upper) - 1)
    bars = [i for i, word in outside(upper, at, stop) if word == "||"]
    if not bars or bars[0] != at + 1 or tokens.text[at][:1] != "'" or bars[-1] + 1 == stop:
        return None
    start, end = tokens.start[at], tokens.start[stop - 1] + len(tokens.text[stop - 1])
    text = [MARK] * (end - start)
    behind = -1  # where the last literal ended
    for before, after in pairwise([at - 1, *bars, stop]):
        piece, offset = tokens.text[before + 1], tokens.start[before + 1] - start
        if after - before != 2 or piece[0] != "'":
            behind = -1
            continue
        text[offset + 1 : offset + len(piece) - 1] = piece[1:-1]
        if behind > 0 and (text[behind - 1].isspace() or piece[1:2].isspace()):
            text[behind : offset + 1] = " " * (offset + 1 - behind)
        behind = offset + len(piece) - 1
    text[0] = text[-1] = "'"
    return ("".join(text), start), stop


def nameless(reading: Reading) -> Reading:
    """The reading without the names that have marks in them, of what does the same whatever it is called."""
    if all(MARK not in repr(operation) for operation in reading.operations):
        return reading
    kept = (
        Other(kind=op.kind, start=op.start, end=op.end)
        if op.kind.partition(".")[0] in _NAMELESS and MARK in repr(op)
        else op
        for op in reading.operations
    )
    return Reading(tuple(kept), reading.reason, reading.at)


def certain(operations: Iterable[Operation], reason: str | None) -> bool:
    """Whether no mark stands in what an operation is about, or kept one from being read: the values are in bodies, rows and conditions."""
    about = (operation.tables if isinstance(operation, Dml) else operation for operation in operations)
    return MARK not in (reason or "") and not any(MARK in repr(each) for each in about)


def rows(tokens: Tokens) -> list[Literal] | None:
    """The texts a query can return, None where one of its columns is more than a literal or the format() of one."""
    if tokens.upper[0] != "SELECT":
        return None
    found: list[Literal] = []
    at, end = 1, _columns(tokens.upper)
    while at < end:
        made = formatted(tokens, at)
        if made is not None:
            literal, at = made
        elif _LITERAL.match(tokens.text[at]):
            literal, at = (tokens.text[at], tokens.start[at]), at + 1
        else:
            return None
        found.append(literal)
        at += 2 if tokens.upper[at] == "AS" else tokens.text[at][:1].isalpha() and at < end
        if at < end and tokens.text[at] != ",":
            return None
        at += 1
    return found


def _columns(upper: list[str]) -> int:
    """The token behind the columns of a SELECT."""
    ends = ("FROM", "WHERE", "UNION", "ORDER", "LIMIT", ";", "")
    return next((i for i, token in outside(upper, 1, len(upper)) if token in ends), len(upper) - 1)
