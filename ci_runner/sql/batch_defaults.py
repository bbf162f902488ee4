"""Reads the T-SQL that drops a column's default by the name the server gave its constraint: text around a name that is looked up.

``EXEC(N'ALTER TABLE [t] DROP CONSTRAINT [' + @name + ']')`` says all that matters but that name, where it comes from
sys.default_constraints: Entity Framework writes it before each change of a column.
"""

from __future__ import annotations

import re

from ci_runner.sql.batch_variables import behind_type
from ci_runner.sql.lexer import Tokens
from ci_runner.text.pattern import later

_REACH = 600  # tokens looked back for where a name comes from
_BEGINS = later(r"N?'\s*(ALTER\s+TABLE\s+[^']+?\s+DROP\s+CONSTRAINT)\s*\[?'", re.IGNORECASE)
_CLOSES = later(r"N?'[\]\s;]*'", re.IGNORECASE)
_DEFAULTS = frozenset({"DEFAULT_CONSTRAINTS", "DEFAULT_OBJECT_ID", "CDEFAULT"})
_OTHERS = frozenset(
    {"FOREIGN_KEYS", "KEY_CONSTRAINTS", "CHECK_CONSTRAINTS", "TABLE_CONSTRAINTS", "OBJECTS", "SYSOBJECTS", "REFERENTIAL_CONSTRAINTS"}
)  # fmt: skip
_ALL = frozenset({"OBJECTS", "SYSOBJECTS"})  # joined, they only say of which table
_NAMES = frozenset({"+", "(", ")", ".", "QUOTENAME"})


def dropped_default(tokens: Tokens, first: int) -> str | None:
    """The ALTER TABLE that the EXEC at token ``first`` runs, with ``[@]`` where the looked-up name stands; None where it runs another."""
    upper = tokens.upper
    at = first + (upper[first] in ("EXEC", "EXECUTE"))
    if upper[at] == "(" or upper[at].strip("[]") == "SP_EXECUTESQL":
        at += 1
    elif upper[at : at + 3] == ["SYS", ".", "SP_EXECUTESQL"]:
        at += 3
    else:
        return None
    if upper[at][:1] == "@" and upper[at + 1] not in ("+", "="):
        at = _given(upper, at)
    found = _BEGINS.fullmatch(tokens.text[at]) if at >= 0 else None
    if found is None or not _only_names(tokens, at + 1) or not _looked_up(upper, first):
        return None
    return f"{found[1]} [@]"


def _given(upper: list[str], at: int) -> int:
    """Where the value begins that the variable at ``at`` was given last: ``SET @x =``, ``SELECT @x =``, ``DECLARE @x NVARCHAR(200) =``."""
    name = upper[at]
    for i in range(at - 1, max(at - _REACH, 0), -1):
        if upper[i] != name:
            continue
        end = i + 1
        if upper[i - 1] == "DECLARE":
            end = behind_type(upper, end)
        if upper[end] == "=" and upper[i - 1] in ("SET", "SELECT", "DECLARE"):
            return end + 1
        return -1
    return -1


def _only_names(tokens: Tokens, at: int) -> bool:
    """Whether nothing but a name and what closes it follows, up to where the text ends."""
    last = len(tokens.upper) - 1
    names = 0
    while at < last and tokens.upper[at] in _NAMES:
        at += 1
    while (
        at < last
        and names < 4
        and (tokens.upper[at][:1] == "@" or tokens.text[at][0].isalpha() or tokens.text[at][0] in '["')
    ):
        names += 1
        at += 1
        if tokens.upper[at] != ".":
            break
        at += 1
    while at < last and (tokens.upper[at] in ("+", ")") or _CLOSES.fullmatch(tokens.text[at])):
        at += 1
    return names > 0 and not tokens.text[at].endswith("'")


def _looked_up(upper: list[str], first: int) -> bool:
    """Whether the nearest view of the catalogue that the batch reads before the EXEC is that of the defaults."""
    for i in range(first, max(first - _REACH, -1), -1):
        word = upper[i].strip('[]"')
        if word in _ALL and "JOIN" in upper[max(i - 3, 0) : i]:
            continue
        if word in _DEFAULTS or word in _OTHERS:
            return word in _DEFAULTS
    return False
