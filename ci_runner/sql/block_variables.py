"""Follows what the variables of a block hold, so that EXECUTE of one whose every value is a literal, or made of known ones, can be read."""

from __future__ import annotations

from ci_runner.sql.filled import formatted, joined
from ci_runner.sql.lexer import Tokens
from ci_runner.text.pattern import later

_LITERAL = later(r"(?:\$(\w*)\$[\s\S]*\$\1\$|[eEnN]?'[\s\S]*')\Z")
_MOST = 50  # variables followed, and values of each: beyond, what is run is not known
_RUN = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "COPY", "CALL", "GRANT", "REVOKE", "UNDROP"}
)  # fmt: skip


class Variables:
    """The values each variable was given so far: literals with their offsets, or None where one was anything else."""

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[str, int]] | None] = {}
        self._taken: set[tuple[str, int]] = set()

    def note(self, tokens: Tokens, first: int, *, declaring: bool) -> None:
        """Takes in one statement of the block: a declaration, an assignment, or what SELECT … INTO or FOR … IN fills."""
        upper = tokens.upper
        for i in range(len(upper) - 1):
            if upper[i] == "INTO" or (upper[i] in ("FOR", "FOREACH") and upper[i + 2 : i + 3] == ["IN"]):
                self._put(upper[i + 1], None)
        if upper[first] in ("LET", "DECLARE"):
            first += 1
        at = assigned(upper, first, declaring=declaring)
        if at < 0:
            return
        if _LITERAL.match(tokens.text[at]) and upper[at + 1] in ("", ";"):
            self._put(upper[first], (tokens.text[at], tokens.start[at]))
            return
        made = formatted(tokens, at) or joined(tokens, at)
        self._put(upper[first], made[0] if made and upper[made[1]] in ("", ";") else None)

    def _put(self, name: str, value: tuple[str, int] | None) -> None:
        known = self._values.get(name, [])
        known = None if value is None or known is None or len(known) >= _MOST else [*known, value]
        if name in self._values or len(self._values) < _MOST:
            self._values[name] = known

    def take(self, name: str) -> list[tuple[str, int]] | None:
        """The literals a variable can hold that were not taken before; None where it can hold anything else."""
        held = self._values.get(name.upper())
        if not held:
            return held
        fresh = [value for value in held if value not in self._taken]
        self._taken.update(fresh)
        return fresh


def assigned(upper: list[str], first: int, *, declaring: bool = False) -> int:
    """Where the value begins that a statement gives to a variable; -1 where it gives none."""
    words = (":=", "DEFAULT", "=") if declaring else (":=",)
    for i in range(first + 1, len(upper) - 1):
        if upper[i] in words or (upper[i] == "=" and i == first + 1):
            return i + 1
        if upper[i] == "(" and i == first + 1:
            break
    return -1


def result_of(upper: list[str], first: int) -> tuple[int, int] | None:
    """The tokens of the statement in Snowflake's ``ASYNC (…)`` or ``x := [ASYNC] (INSERT …)``; None where there is none."""
    at = first if upper[first] == "ASYNC" else assigned(upper, first + (upper[first] == "LET"))
    if at >= 0 and upper[at] == "ASYNC":
        at += 1
    if at < 0 or upper[at] != "(" or (upper[first] != "ASYNC" and upper[at + 1] not in _RUN):
        return None
    depth = 0
    for i in range(at, len(upper)):
        depth += (upper[i] == "(") - (upper[i] == ")")
        if depth == 0:
            return at + 1, i
    return None
