"""Makes operations of one statement: tokens, the grammar its first word asks for, and a reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

from msgspec import Struct

from ci_runner.model.operations import Operation, Other
from ci_runner.sql.cursor import Cursor, Unmatched
from ci_runner.sql.dialects import Dialect
from ci_runner.sql.lexer import Tokens, tokenize, tokenize_head
from ci_runner.sql.segments import Segment
from ci_runner.sql.templates import VALUE, rendered

Reader = Callable[[Cursor, int], list[Operation]]

_BULK = 4096  # an INSERT longer than this is read to the end of its first row
_MODULES = {"mariadb": "mysql"}
_BULKY = ("INSERT", "REPLACE")
_LABELLED = ("BEGIN", "LOOP", "WHILE", "REPEAT", "FOR")  # MariaDB's blocks outside routines, behind a label


class Reading(Struct, frozen=True):
    """Operations, and what could not be read: a reason in words with the offset it is about."""

    operations: tuple[Operation, ...] = ()
    reason: str | None = None
    at: int = 0


_RUNNING = frozenset({"do-block", "procedural-block", "execute-dynamic", "prepare"})


def runs_others(reading: Reading) -> bool:
    """Whether the statement is of a sort that runs others; see ``blocks``."""
    return bool(reading.operations) and reading.operations[0].kind in _RUNNING


@cache
def heads(name: str) -> Mapping[str, Reader]:
    """The readers of a dialect by a statement's first word; its grammar is imported when it is first needed."""
    found: Mapping[str, Reader] = import_module(f"ci_runner.sql.{_MODULES.get(name, name)}").HEADS
    return found


def blanked(text: str, segment: Segment) -> str:
    """The segment's text with comments and client commands turned into as many blanks."""
    start, end = segment.start, segment.end
    if not segment.blanks:
        return text[start:end]
    found, at = [], start
    for first, stop in segment.blanks:
        found += [text[at:first], " " * (stop - first)]
        at = stop
    found.append(text[at:end])
    return "".join(found)


def read_segment(text: str, segment: Segment, traits: Dialect, base: int = 0) -> Reading:
    """The reading of one statement; ``base`` is where ``text`` stands in its file."""
    source = blanked(text, segment)
    lead = len(source) - len(source.lstrip())
    source = source[lead:]
    start = base + segment.start + lead
    shift = segment.start + lead
    bulk = len(source) > _BULK and source[:7].upper().startswith(_BULKY)
    if bulk:
        tokens = tokenize_head(source, start, traits)
    else:
        tokens = tokenize(source, start, traits, [(a - shift, b - shift) for a, b in segment.opaque])
        wrong = unbalanced(tokens)
        if wrong:
            return wrong
    return read(Cursor(tokens, source, traits, zero=start, partial=bulk))


def unbalanced(tokens: Tokens) -> Reading | None:
    """The reading of a statement whose parentheses do not match, None when they do."""
    if tokens.text.count("(") == tokens.text.count(")"):
        return None
    opened: list[int] = []
    for index, token in enumerate(tokens.text):
        if token == "(":
            opened.append(index)
        elif token == ")":
            if not opened:
                return Reading(reason="a closing parenthesis that was never opened", at=tokens.start[index])
            opened.pop()
    return Reading(reason="unclosed parenthesis", at=tokens.start[opened[-1]])


def read(c: Cursor) -> Reading:
    """What the grammar makes of the tokens of one statement."""
    if c.done:
        return Reading()
    reader = heads(c.dialect).get("SP_*" if c.upper[0].startswith("SP_") else c.upper[0])
    if reader is None:
        return _unclaimed(c)
    c.i = 1
    try:
        found = reader(c, 0)
        if not c.partial:
            c.end()
    except Unmatched as signal:
        reason = str(signal)
        if reason.startswith("not understood"):
            reason = f"{' '.join(c.text[: min(2, c.last)])}: {reason}"
        return Reading(reason=reason, at=c.start[min(signal.at, c.last)])
    return Reading(tuple(found))


def _unclaimed(c: Cursor) -> Reading:
    """A first word no matcher knows: sqlglot says whether it is a query of some kind."""
    from ci_runner.sql.fallback import classify

    if c.dialect == "mariadb" and c.upper[1] == ":" and c.upper[2] in _LABELLED:
        c.rest()
        return Reading((c.op(Other, "procedural-block", 0),))
    found = classify(c)
    if found is not None:
        return Reading((found,))
    if rendered(c.text[0], c.slice(0, c.last)):
        return Reading(reason=VALUE, at=c.start[0])
    return Reading(reason=f"no grammar for {' '.join(c.text[:2]).strip()[:60]}", at=c.start[0])
