"""Finds where a statement ends that holds other statements: a routine, a trigger, a block."""

from __future__ import annotations

import re
from functools import cache

from msgspec import Struct

from ci_runner.sql.dialects import Dialect
from ci_runner.sql.lexer import opened
from ci_runner.text.pattern import later, many

_COMMENTED = many(r"[^*]|\*(?!/)")
_GAP = rf"\s|/\*{_COMMENTED}\*/|--[^\n]*+\n|\#[^\n]*+\n"
_GAPS, _GAP_OR_NONE = many(_GAP, 1), many(_GAP)
_CREATE = rf"create\b{_GAP_OR_NONE}(?!table\b|index\b|unique\b|view\b|database\b|schema\b|temporary\b)"
_ROUTINE = rf"{_CREATE}(?:[^;(]|\({_GAP_OR_NONE}\)){{0,400}}?\b"
_EVENT = rf"alter{_GAPS}(?:definer\b[^;]{{0,200}}?)?event\b"
_LABEL = r"(?:[\w$]+\s*:\s*)?"
_HEADS = {
    "postgres": rf"create{_GAPS}(?:or{_GAPS}replace{_GAPS})?(?:function|procedure|rule)\b",
    "mysql": rf"{_ROUTINE}(?:procedure|function|trigger|event)\b|{_EVENT}",
    "mariadb": rf"{_ROUTINE}(?:procedure|function|trigger|event|package)\b|{_EVENT}|"
    rf"{_LABEL}begin{_GAPS}not\b|{_LABEL}(?:if|while|loop|repeat|case|for)\b",
    "sqlite": rf"create{_GAPS}(?:temp(?:orary)?{_GAPS})?trigger\b",
    "snowflake": rf"{_ROUTINE}(?:procedure|function|task)\b|alter{_GAPS}task\b|declare\b|"
    rf"begin\b(?!{_GAP_OR_NONE}(?:;|transaction\b|work\b|name\b|$))",
}
_BLOCKS = r"(?:if|case|loop|while|repeat|for)"
_WORDS = rf"""(?<![\w$.@])(?:
    (?P<end>end(?:{_GAPS}{_BLOCKS}(?![\w$]))?) | (?P<begin>begin) | (?P<case>case) | (?P<loop>loop) | (?P<while>while) | (?P<do>do)
  | (?P<for>for{_GAPS}(?:"[^"]*+"|[\w`$]+){_GAPS}in) | (?P<repeat>repeat)(?!\s*\() | (?P<wait>when|elseif|elsif) | (?P<then>then)
  )(?![\w$])"""


_PACKAGE = later(r"create\b[^;]{0,200}?\bpackage\b", re.IGNORECASE)


_DECLARING = later(
    rf"(?:create|alter)\b[^;]{{0,400}}?\b(?:task|procedure)\b[^;]{{0,2000}}?\bas{_GAPS}declare\b", re.IGNORECASE
)


class Body(Struct, frozen=True):
    """Where the statement stops, the comments inside it, and the offset of a block that never ends."""

    stop: int
    comments: tuple[tuple[int, int], ...]
    opaque: tuple[tuple[int, int], ...]
    unclosed: int | None = None


@cache
def _head(name: str) -> re.Pattern[str] | None:
    found = _HEADS.get(name)
    return re.compile(found, re.IGNORECASE) if found else None


def may_hold_statements(text: str, start: int, stop: int, traits: Dialect) -> bool:
    """Whether the statement that begins at ``start`` is of a sort in which ``;`` (at ``stop``) need not be its end."""
    head = _head(traits.name)
    if head is None or head.match(text, start, stop) is None:
        return False
    return traits.name != "postgres" or _pg_body(text, start, stop)


_GAP = many(r"\s++|--[^\n]{0,500}+\n|/\*[^*]{0,500}+\*/", 1)
_ATOMIC = later(rf"\bbegin{_GAP}atomic\b", re.IGNORECASE)


def _pg_body(text: str, start: int, stop: int) -> bool:
    """PostgreSQL's bodies are quoted, but for BEGIN ATOMIC and the parentheses of a rule."""
    piece = text[start:stop]
    return bool(_ATOMIC.search(piece)) or piece.count("(") > piece.count(")")


@cache
def _items(traits: Dialect) -> re.Pattern[str]:
    quotes = "|".join(
        rf"{opened(quote, backslash=traits.backslash and quote in traits.text_quotes)}[\s\S]?"
        for quote in traits.text_quotes + traits.name_quotes
    )
    line = r"--(?=\s|\Z)[^\n]*+" if traits.dash_blank else r"--[^\n]*+"
    if traits.hash_comments:
        line += r"|\#[^\n]*+"
    if traits.slash_comments:
        line += r"|//[^\n]*+"
    comment = rf"(?P<comment>{line}|/\*{_COMMENTED}(?:\*/)?)"
    dollar = (
        r"(?P<dollar>(?<![\w$])\$(?P<tag>\w*)\$[\s\S]*?(?:\$(?P=tag)\$|\Z))" if traits.dollar else r"(?P<dollar>(?!))"
    )
    escaped = rf"|(?<![\w$])[eE]{opened(chr(39), backslash=True)}[\s\S]?" if traits.psql else ""
    pattern = rf"(?P<quoted>{quotes}{escaped})|{comment}|{dollar}|(?P<stop>;)|(?P<open>\()|(?P<close>\))|{_WORDS}"
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


def body(text: str, start: int, end: int, traits: Dialect) -> Body:
    """The extent of the statement at ``start``: to the first ``;`` outside its blocks and parentheses, at most to ``end``."""
    declared = text[start : start + 7].lower() == "declare"  # Snowflake: DECLARE …; BEGIN … END is one statement
    declared = declared or (traits.name == "snowflake" and _DECLARING.match(text, start, end) is not None)
    blocks: list[tuple[str, int]] = [("declare", start)] if declared else []
    if traits.name == "mariadb" and _PACKAGE.match(text, start, end):
        blocks.append(("package", start))
    comments: list[tuple[int, int]] = []
    opaque: list[tuple[int, int]] = []
    parens, waiting = 0, 0
    for match in _items(traits).finditer(text, start, end):
        group = match.lastgroup
        if group == "comment":
            comments.append(match.span())
        elif group in ("dollar", "tag"):
            opaque.append(match.span("dollar"))
        elif group == "stop":
            if not blocks and parens <= 0:
                return Body(match.end(), tuple(comments), tuple(opaque))
        elif group in ("open", "close"):
            parens += 1 if group == "open" else -1
        elif group == "wait":
            waiting += 1
        elif group != "quoted":
            waiting = _step(group or "", match.start(), blocks, waiting)
    return Body(end, tuple(comments), tuple(opaque), blocks[0][1] if blocks else None)


def _step(group: str, at: int, blocks: list[tuple[str, int]], waiting: int) -> int:
    """Opens or closes a block; returns how many WHEN and ELSEIF still wait for their THEN. A THEN none waited for opens an IF.

    DO or LOOP behind WHILE or FOR is part of that head, another LOOP is a block of its own.
    """
    if group == "then" and waiting:
        return waiting - 1
    if group == "end":
        if blocks:
            blocks.pop()
    elif group == "begin" and blocks and blocks[-1][0] == "declare":
        blocks[-1] = ("begin", at)
    elif group in ("do", "loop") and blocks and blocks[-1][0] in ("while", "for"):
        blocks[-1] = ("opened", blocks[-1][1])
    elif group != "do":
        blocks.append((group, at))
    return 0 if group == "begin" else waiting
