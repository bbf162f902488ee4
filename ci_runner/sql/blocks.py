"""Looks into statements that run others at once: DO blocks, anonymous blocks, EXECUTE IMMEDIATE and PREPARE with a literal.

What stands inside is cut and read again with its true offsets and marked conditional. Text that is put together at run time cannot be read:
the statement then keeps a reason beside its operations. Bodies of routines run nothing when they are defined and are left alone.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.model.operations import Operation
from ci_runner.sql.block_variables import Variables, result_of
from ci_runner.sql.comments import attach
from ci_runner.sql.cursor import Cursor
from ci_runner.sql.dialects import Dialect
from ci_runner.sql.filled import Literal, certain, formatted, joined, nameless, rows
from ci_runner.sql.lexer import Tokens, tokenize
from ci_runner.sql.queries import outside
from ci_runner.sql.reading import Reading, blanked, heads, read, read_segment, runs_others
from ci_runner.sql.segments import Segment, cut
from ci_runner.text.pattern import later

_SILENT = frozenset({"select", "show", "explain", "declare"})  # of no effect when they stand inside a block
_LITERAL = later(r"(?:\$(\w*)\$(?P<dollar>[\s\S]*)\$\1\$|[eEnN]?'(?P<quoted>[\s\S]*)')\Z")
_DEEPEST = 5
_TO_THEN = frozenset({"IF", "ELSIF", "ELSEIF", "WHEN", "CASE"})
_TO_LOOP = frozenset({"FOR", "WHILE", "FOREACH"})
_PLAIN = frozenset({"ELSE", "THEN", "LOOP", "DO", "EXCEPTION", "BEGIN", "REPEAT", "NOT", "ATOMIC"})
_BLOCK_ONLY = frozenset(
    {
        "PERFORM", "RAISE", "RETURN", "NULL", "GET", "OPEN", "FETCH", "CLOSE", "EXIT", "CONTINUE", "ASSERT", "LET", "SIGNAL",
        "RESIGNAL", "LEAVE", "ITERATE", "DECLARE", "SET", "UNTIL", "MOVE", "BREAK", "CANCEL", "AWAIT",
    }
)  # fmt: skip


class _Inside(Struct, frozen=True):
    """Text to look into: where it stands in the file, and how deep blocks are nested already."""

    text: str
    base: int
    depth: int


def expand(text: str, segment: Segment, traits: Dialect, reading: Reading, base: int = 0, depth: int = 0) -> Reading:
    """``reading`` with the operations of the statements inside it, when it is of a sort that runs some."""
    if not runs_others(reading) or depth > _DEEPEST:
        return reading
    kind = reading.operations[0].kind
    if kind == "prepare" and not traits.delimiter_command:
        return reading  # PREPARE p AS statement: read already
    if kind == "procedural-block":
        inside = _Inside(blanked(text, segment), base + segment.start, depth + 1)
    else:
        found = _literal(text, segment, traits, base, depth)
        if found is None:
            return _built(reading, kind)
        inside = found
    inner = inner_statements(inside, traits)
    return Reading(reading.operations + inner.operations, inner.reason, inner.at)


def _built(reading: Reading, kind: str) -> Reading:
    """A statement that runs text made at run time; PREPARE only keeps it."""
    if kind == "prepare":
        return reading
    first = reading.operations[0]
    return Reading(reading.operations, "runs text that is put together at run time", first.start)


def _literal(text: str, segment: Segment, traits: Dialect, base: int, depth: int) -> _Inside | None:
    """The one string a statement runs, None when it is an expression, or kept in a variable."""
    source = blanked(text, segment)
    shift = segment.start
    tokens = tokenize(source, base + shift, traits, [(a - shift, b - shift) for a, b in segment.opaque])
    strings = [i for i, token in enumerate(tokens.text) if _LITERAL.match(token) and tokens.upper[i - 1] != "LANGUAGE"]
    if not strings or "||" in tokens.text or "+" in tokens.text or "CONCAT" in tokens.upper or "FORMAT" in tokens.upper:
        return None
    index = strings[0]
    return inside_literal(tokens.text[index], tokens.start[index], depth)


def inside_literal(token: str, start: int, depth: int) -> _Inside:
    """The text inside a string token, as long as it is in the file: doubled quotes become a quote and a blank."""
    match = _LITERAL.match(token)
    if match is None:
        return _Inside("", start, depth + 1)
    if match.group("dollar") is not None:
        return _Inside(match.group("dollar"), start + match.start("dollar"), depth + 1)
    return _Inside(_undoubled(match.group("quoted")), start + match.start("quoted"), depth + 1)


def _undoubled(text: str) -> str:
    """``''x''`` as `` 'x' ``: every other pair closes; an escaped quote loses its backslash."""
    pieces = text.replace("\\'", " '").split("''")
    found = [pieces[0]]
    for index, piece in enumerate(pieces[1:]):
        found += [" '" if index % 2 == 0 else "' ", piece]
    return "".join(found)


def inner_statements(inside: _Inside, traits: Dialect) -> Reading:
    """What the statements of a block do, all marked conditional; the first that could not be read gives the reason."""
    text, base, depth = inside.text, inside.base, inside.depth
    pieces = cut(text, traits, flat=True)
    comments = attach(text, [(s.start, s.end) for s in pieces.segments], pieces.comments)
    found: list[Operation] = []
    failed: Reading | None = None
    declaring, variables = False, Variables()
    for segment, mine in zip(pieces.segments, comments, strict=True):
        if segment.problem:
            failed = failed or Reading(reason=segment.problem.partition(" at ")[0], at=base + segment.start)
            continue
        tokens = _tokens(text, segment, traits, base)
        place = _Place(blanked(text, segment), base + segment.start, depth, variables)
        reading, declaring = _inner(tokens, traits, place, declaring)
        declaring = declaring and not traits.delimiter_command  # MySQL declares one thing a statement
        failed = failed or (reading if reading.reason else None)
        above = tuple((comment, base + at) for comment, at in mine)
        found += [
            replace(operation, conditional=True, comments=operation.comments or above)
            for operation in reading.operations
            if operation.kind not in _SILENT
        ]
    return Reading(tuple(found), failed.reason, failed.at) if failed else Reading(tuple(found))


def _tokens(text: str, segment: Segment, traits: Dialect, base: int) -> Tokens:
    source, shift = blanked(text, segment), segment.start
    return tokenize(source, base + shift, traits, [(a - shift, b - shift) for a, b in segment.opaque])


class _Place(Struct, frozen=True):
    """A statement's place inside a block, and what the block's variables hold there."""

    source: str
    zero: int
    depth: int
    variables: Variables


def _inner(tokens: Tokens, traits: Dialect, place: _Place, declaring: bool) -> tuple[Reading, bool]:
    first, declaring = _behind_control(tokens.upper, declaring)
    place.variables.note(tokens, first, declaring=declaring)
    span = result_of(tokens.upper, first) if traits.name == "snowflake" and place.depth <= _DEEPEST else None
    if span:
        at, stop = span
        inside = Tokens([*tokens.text[at:stop], ""], [*tokens.upper[at:stop], ""], tokens.start[at : stop + 1])
        return _inner(inside, traits, replace(place, depth=place.depth + 1), declaring=False)[0], declaring
    head = tokens.upper[first]
    if declaring or not head or head in ("END", ";") or head in _BLOCK_ONLY:
        return Reading(), declaring
    rest = Tokens(tokens.text[first:], tokens.upper[first:], tokens.start[first:])
    if head == "EXECUTE":
        return _execute(rest, traits, place), declaring
    if _assigns(rest.upper):
        return Reading(), declaring
    if head == "SELECT" and "INTO" in rest.upper and traits.psql:
        return Reading(), declaring  # which fills a variable there, and makes no table
    if head not in heads(traits.name):
        return Reading(reason=f"no grammar for {head[:40]} inside a block", at=rest.start[0]), declaring
    return read(Cursor(rest, place.source, traits, zero=place.zero)), declaring


def _assigns(upper: list[str]) -> bool:
    """Whether it is ``x := …``, ``x = …``, ``r.field = …`` or ``a[1] := …``."""
    at = 1
    while upper[at] == "." and at + 2 < len(upper):
        at += 2
    return upper[at] in (":=", "=", "[") or (at > 1 and ":=" in upper)


def _execute(tokens: Tokens, traits: Dialect, place: _Place) -> Reading:
    at = 2 if tokens.upper[1] == "IMMEDIATE" else 1
    at += tokens.upper[at] == ":"
    found, behind = [(tokens.text[at], tokens.start[at])], at + 1
    if traits.psql and (made := formatted(tokens, at) or joined(tokens, at)):
        found, behind = [made[0]], made[1]
    elif not _LITERAL.match(tokens.text[at]):
        held = place.variables.take(tokens.text[at])
        if held == []:
            return Reading()  # read where it was run first
        found = held or []
    if found and tokens.upper[behind] in ("", ";", "USING", "INTO"):
        if place.depth > _DEEPEST:
            return Reading(reason="EXECUTE nested too deep", at=tokens.start[0])
        inner = nameless(_each(found, traits, place.depth))
        if certain(inner.operations, inner.reason):
            return inner
    return Reading(reason="EXECUTE of text that is put together at run time", at=tokens.start[0])


def _each(literals: list[Literal], traits: Dialect, depth: int) -> Reading:
    """What the statements in some string tokens do; the first that could not be read gives the reason."""
    readings = [inner_statements(inside_literal(*literal, depth), traits) for literal in literals]
    failed = next((each for each in readings if each.reason), Reading())
    return Reading(tuple(op for each in readings for op in each.operations), failed.reason, failed.at)


def returned(text: str, segment: Segment, traits: Dialect) -> Reading | None:
    """The reading of a query whose rows psql's \\gexec runs, with what they do; None where that is not known from here."""
    query = read_segment(text, segment, traits)
    literals = None if query.reason or not query.operations else rows(_tokens(text, segment, traits, 0))
    if not literals:
        return None
    inner = _each(literals, traits, 0)
    return (
        Reading(query.operations + inner.operations, inner.reason, inner.at)
        if certain(inner.operations, inner.reason)
        else None
    )


def _behind_control(upper: list[str], declaring: bool) -> tuple[int, bool]:
    """The index of the statement behind IF … THEN, LOOP, BEGIN and the like; whether declarations are being read."""
    i = 0
    while True:
        word = upper[i]
        if word == "BEGIN":
            declaring = False
        if word == "DECLARE":
            return i, True
        if declaring:
            return i, True
        if word in _TO_THEN or word in _TO_LOOP:
            ends = ("THEN",) if word in _TO_THEN else ("LOOP", "DO")
            stop = _find(upper, ends, i + 1)
            if stop < 0:
                return len(upper) - 1, declaring
            i = stop + 1
        elif word in _PLAIN:
            i += 1
        elif upper[i + 1 : i + 2] == [":"] and upper[i + 2] in _PLAIN | _TO_LOOP:
            i += 2  # a label
        elif word == "<" and upper[i + 1] == "<":
            stop = _find(upper, (">",), i + 1)
            i = stop + 2 if stop > 0 else len(upper) - 1
        else:
            return min(i, len(upper) - 1), declaring


def _find(upper: list[str], words: tuple[str, ...], first: int) -> int:
    return next((at for at, token in outside(upper, first, len(upper)) if token in words), -1)
