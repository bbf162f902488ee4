"""Follows MySQL's way of guarding a statement: SET @s = IF(…, 'ALTER …', 'SELECT 1'); PREPARE p FROM @s; EXECUTE p.

Snowflake's SET s = 'ALTER …'; EXECUTE IMMEDIATE $s is read the same way. Where every value the variable can take is a literal, those are
read where they stand and marked conditional. Where one is put together at run time, EXECUTE says so.
"""

from __future__ import annotations

import re
from itertools import pairwise

from msgspec import Struct

from ci_runner.model.operations import Operation, Setting
from ci_runner.sql.blocks import inner_statements, inside_literal
from ci_runner.sql.dialects import Dialect
from ci_runner.sql.lexer import Tokens, tokenize
from ci_runner.sql.queries import outside
from ci_runner.sql.reading import Reading

_PREPARE = re.compile(r"prepare\s+(?P<name>\S+)\s+from\s+@(?P<variable>[\w$.]+)\s*;?\Z", re.IGNORECASE)
_IMMEDIATE = re.compile(r"execute\s+immediate\s+\$(?P<variable>[\w$]+)\s*;?\Z", re.IGNORECASE)
_RUN_TIME = "runs text that is put together at run time"


class Place(Struct, frozen=True):
    """A statement's text and reading."""

    text: str
    start: int
    reading: Reading


def follow(places: list[Place], source: str, traits: Dialect) -> list[Reading]:
    """The readings of ``places`` with what prepared statements run added where its text stands."""
    found = [place.reading for place in places]
    settled: dict[str, str] = {}  # prepared name → why it cannot be read, "" where it can
    variables: dict[str, int] = {}  # variable → place of its last assignment
    for index, place in enumerate(places):
        operations = place.reading.operations
        kind = operations[0].kind if operations else ""
        for operation in operations:
            if isinstance(operation, Setting) and operation.kind == "set-variable":
                variables[operation.name] = index
        name = str(getattr(operations[0], "object", "")) if operations else ""
        if kind == "prepare":
            match = _PREPARE.match(place.text)
            assigned = variables.get(match["variable"].lower(), -1) if match else -1
            settled[name] = _RUN_TIME
            if len(operations) > 1:
                settled[name] = ""
            elif match and assigned >= 0:
                reading = _values(found[assigned], match["variable"].lower(), source, traits)
                if reading is not None:
                    found[assigned], settled[name] = reading, ""
        elif kind == "execute-prepared" and settled.get(name, _RUN_TIME):
            found[index] = Reading(operations, _RUN_TIME, place.start)
    return found


def follow_session(places: list[Place], source: str, traits: Dialect) -> list[Reading]:
    """The readings of a Snowflake file with what EXECUTE IMMEDIATE $x runs added where its text was given to x."""
    found = [place.reading for place in places]
    variables: dict[str, int] = {}  # variable → place of its last assignment
    for index, place in enumerate(places):
        variables.update(
            (op.name, index) for op in place.reading.operations if isinstance(op, Setting) and op.kind == "set-variable"
        )
        match = _IMMEDIATE.match(place.text) if place.reading.reason else None
        name = match["variable"].lower() if match else ""
        if name in variables:
            reading = _values(found[variables[name]], name, source, traits)
            if reading is not None:
                found[variables[name]], found[index] = reading, Reading(place.reading.operations)
    return found


def _values(reading: Reading, variable: str, source: str, traits: Dialect) -> Reading | None:
    """The reading of the assignment with what its literals do; None where one value is no literal or cannot be read."""
    assignment = next(
        (op for op in reversed(reading.operations) if isinstance(op, Setting) and op.name == variable), None
    )
    if assignment is None:
        return None
    tokens = tokenize(source[assignment.start : assignment.end], assignment.start, traits)
    literals = _results(tokens)
    added: list[Operation] = []
    for index in literals or ():
        inner = inner_statements(inside_literal(tokens.text[index], tokens.start[index], 0), traits)
        if inner.reason:
            return None
        added += [operation for operation in inner.operations if operation not in reading.operations]
    return Reading((*reading.operations, *added)) if literals else None


def _selected(upper: list[str], first: int, stop: int) -> int:
    """Where the one value of ``(SELECT IF(…) FROM …)`` ends, the parentheses left out."""
    return next((i for i, token in outside(upper, first, stop) if token in ("FROM", "AS", "LIMIT", ",")), stop)


def _results(tokens: Tokens) -> list[int] | None:
    """The tokens of the literals the value can be, None where it can be anything else."""
    upper = tokens.upper
    first = next((i for i, token in enumerate(upper) if token in ("=", ":=")), len(upper) - 2) + 1
    last = len(upper) - 1
    if upper[first : first + 2] == ["(", "SELECT"] and upper[last - 1] == ")":
        first, last = first + 2, _selected(upper, first + 2, last - 1)
    if upper[first] == "IF" and upper[first + 1] == "(" and upper[last - 1] == ")":
        commas = [i for i, token in outside(upper, first + 2, last - 1) if token == ","]
        if len(commas) != 2:
            return None
        spans = [(commas[0] + 1, commas[1]), (commas[1] + 1, last - 1)]
    elif upper[first] == "CASE" and upper[last - 1] == "END":
        marks = [i for i, token in outside(upper, first + 1, last) if token in ("WHEN", "THEN", "ELSE", "END")]
        spans = [(a + 1, b) for a, b in pairwise(marks) if upper[a] in ("THEN", "ELSE")]
    else:
        spans = [(first, last)]
    if any(b - a != 1 or not tokens.text[a].endswith("'") for a, b in spans):
        return None
    return [a for a, _ in spans]
