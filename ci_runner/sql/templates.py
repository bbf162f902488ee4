"""Reads the tags of Jinja, which schemachange renders before Snowflake gets a file: what each does to the text around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.text.pattern import later

if TYPE_CHECKING:
    from ci_runner.sql.segments import Segment

_TAG = later(r"\{%[-+]?\s*(\w*)")
_VALUES = later(r"((?:\{\{[^{}]*\}\}\s*)*\{\{[^{}]*\}\})\s*")
_ASSIGNS = later(r"[^%]*=")
# What a tag is in psql's words: a branch that may run, or one that does not where it stands.
_OPENS = {"if": ":", "for": ":", "macro": "false", "call": ":", "filter": ":", "block": ":"}
_CLOSES = frozenset({"endif", "endfor", "endmacro", "endset", "endcall", "endfilter", "endblock"})
_MIDDLE = frozenset({"elif", "else"})
ELSEWHERE = "a template's {{% {} %}} runs what stands elsewhere"
VALUE = "what a template's {{ … }} stands for is known when it is rendered"


def tag(text: str, at: int, end: int) -> tuple[str, int] | None:
    """The first word of the tag ``{% … %}`` at ``at`` ("" for a comment ``{# … #}``) and the offset behind it; None where it is not closed."""
    stop = text.find("#}" if text.startswith("{#", at) else "%}", at + 2, end)
    if stop < 0:
        return None
    found = _TAG.match(text, at, stop)
    return found[1] if found else "", stop + 2


def branch(word: str, text: str) -> tuple[str, str] | None:
    """What the tag with that first word is among psql's branches, with the condition; None where it is none."""
    if word in _CLOSES:
        return "endif", ""
    if word in _MIDDLE:
        return word, ":"
    if word == "set" and not _ASSIGNS.match(text.partition("set")[2]):
        return "if", "false"  # it keeps the text up to endset
    return ("if", _OPENS[word]) if word in _OPENS else None


def rendered(first: str, text: str) -> bool:
    """Whether a statement that begins with that token is nothing but a template's value."""
    return first.startswith("{{") and re.fullmatch(r"\s*(?:\{\{[^{}]*\}\}[\s;]*)+", text) is not None


def apart(text: str, segments: list[Segment]) -> list[Segment]:
    """The segments, with the values that stand on lines of their own before a statement as statements: a macro brings its own semicolon."""
    found: list[Segment] = []
    for segment in segments:
        values = _VALUES.match(text, segment.start, segment.end) if text.startswith("{{", segment.start) else None
        if values is None or values.end() == segment.end or "\n" not in text[values.end(1) : values.end()]:
            found.append(segment)
            continue
        at = values.end()
        for start, stop in segment.blanks:  # comments between the two belong to neither
            if start == at:
                at = stop + len(text[stop : segment.end]) - len(text[stop : segment.end].lstrip())
        found.append(replace(segment, end=values.end(1), blanks=(), opaque=(), data=None))
        found.append(replace(segment, start=at, blanks=tuple(span for span in segment.blanks if span[0] >= at)))
    return found
