"""Follows a variable of a T-SQL batch whose text is run: DECLARE @sql NVARCHAR(MAX) = N'ALTER …'; EXEC sp_executesql @sql.

Where every value the variable can have is a literal, those are read where they stand. One use that is not understood (an OUTPUT argument,
FETCH INTO, a value put together) leaves what it runs unknown.
"""

from __future__ import annotations

from msgspec import Struct

from ci_runner.sql.cursor import unquote_text
from ci_runner.sql.lexer import Tokens

_REACH = 2_000  # tokens looked back for what a variable holds: a bound for batches of 100,000 statements
_READS = frozenset({"PRINT", "IF", "AND", "OR", "NOT", "WHILE", "LEN", "WHEN", "IS", "=", "<>", "!="})
_ASSIGNS = frozenset({"SET", "SELECT", ","})
_SIZES = frozenset({"NVARCHAR", "VARCHAR", "SYSNAME", "NCHAR", "CHAR"})


class Followed(Struct, frozen=True):
    """``literals``: tokens that are run later in the batch; ``variables``: those whose every value is such a literal."""

    literals: frozenset[int] = frozenset()
    variables: frozenset[str] = frozenset()


def follow(upper: list[str]) -> Followed:
    """What the batch with those tokens runs by way of variables; nothing is looked for where it runs none."""
    run = {upper[at] for at in range(1, len(upper)) if upper[at][:1] == "@" and _runs(upper, at)}
    if not run:
        return Followed()
    values: dict[str, set[int]] = {name: set() for name in run}
    for at, token in enumerate(upper):
        if token in values and not _known(upper, at, values[token]):
            del values[token]
    settled = {name: found for name, found in values.items() if found}
    return Followed(frozenset(at for found in settled.values() for at in found), frozenset(settled))


def built(tokens: Tokens, first: int, stop: int, tops: frozenset[int]) -> str | None:
    """The text of ``'…' + @x + '…'`` between two tokens where each variable surely holds a literal there; None where one may not.

    ``tops`` are the tokens that begin a statement outside of every IF, WHILE and block, none where the batch has loops.
    """
    parts: list[str] = []
    for at in range(first, stop):
        if (at - first) % 2:
            found = "" if tokens.text[at] == "+" else None
        elif tokens.text[at].endswith("'"):
            found = unquote_text(tokens.text[at])
        else:
            found = _held(tokens, at, tops)
        if found is None:
            return None
        parts.append(found)
    return "".join(parts)


def _held(tokens: Tokens, at: int, tops: frozenset[int]) -> str | None:
    """The literal the variable at ``at`` was set to last, by a statement that is always run, and that nothing changed since."""
    upper, name = tokens.upper, tokens.upper[at]
    if name[:1] != "@":
        return None
    for i in range(at - 1, max(at - _REACH, 0), -1):
        if upper[i] != name:
            continue
        values: set[int] = set()
        if upper[i - 1] == "SET" and i - 1 in tops and upper[i + 1] == "=" and _literal(upper, i + 2, values):
            return unquote_text(tokens.text[i + 2])
        if upper[i - 1] == "DECLARE" and i - 1 in tops and _known(upper, i, values) and values:
            return unquote_text(tokens.text[values.pop()])
        if upper[i - 1] not in ("+", "(") and (not _known(upper, i, values) or values):
            return None
    return None


def _runs(upper: list[str], at: int) -> bool:
    """Whether the variable there is run: ``EXEC (@x)``, ``sp_executesql @x``, ``sp_executesql @stmt = @x``."""
    if upper[at - 1] == "(":
        return upper[at - 2] in ("EXEC", "EXECUTE") and upper[at + 1] == ")"
    before = at - 2 if upper[at - 1] == "=" and upper[at - 2] in ("@STMT", "@STATEMENT") else at
    return upper[before - 1].strip("[]") == "SP_EXECUTESQL" and (before != at or upper[at + 1] != "=")


def _known(upper: list[str], at: int, values: set[int]) -> bool:
    """Whether that use of a variable tells nothing, or a literal it can have, which is then added to ``values``."""
    before, after = upper[at - 1], upper[at + 1]
    if _runs(upper, at):
        return True
    typed = at + (2 if after == "AS" else 1)
    if upper[typed] in _SIZES:
        end = behind_type(upper, typed)
        return upper[end] != "=" or _literal(upper, end + 1, values)
    if after == "=" and before in _ASSIGNS:
        return _literal(upper, at + 2, values)
    return before in _READS or (before == "(" and upper[at - 2] in _READS)


def behind_type(upper: list[str], at: int) -> int:
    """The token behind the type at ``at`` and its length; where its parenthesis is not closed at once, that behind the type."""
    closed = upper[at + 1 : at + 4 : 2] == ["(", ")"]
    return at + 4 if closed else at + 1


def _literal(upper: list[str], at: int, values: set[int]) -> bool:
    if upper[at][-1:] != "'" or upper[at + 1] in ("+", "||", "COLLATE"):
        return False
    values.add(at)
    return True
