"""A rule's documentation, read from its module's docstring: title, why, remedy, and examples that tests execute."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from ci_runner.text.pattern import later

_HEADER = later(r"(Bad|Good), (\w+)((?:, [^,:]+)*):$")


class Example(Struct, frozen=True):
    """A file the rule objects to, or its remedy. ``before`` is SQL of earlier, released files; ``traits`` as documented below.

    Traits: ``tx none`` (the runner does not wrap the file), ``format goose``, ``version 8.0``, ``edition enterprise``,
    ``naming KIND=PATTERN``, ``seen KIND`` (on the dev database, of the whole file), ``edited``, ``removed``, ``out of order``.
    """

    good: bool
    dialect: str
    before: str
    sql: str
    traits: dict[str, str]


class Document(Struct, frozen=True):
    """What a docstring says: a title without full stop, why it matters, what to do instead, examples."""

    title: str
    why: str
    remedy: str
    examples: tuple[Example, ...]


@lru_cache(maxsize=256)
def document(docstring: str) -> Document:
    """The parts of a rule's docstring.

    First line: the title. Then why, in paragraphs; a paragraph that begins with ``Instead:`` is the remedy. Examples are indented
    blocks under ``Bad, DIALECT[, TRAIT …]:`` or ``Good, …:``; a line ``---`` parts what earlier files hold from the file under review.
    """
    lines = docstring.strip().splitlines()
    prose: list[str] = []
    examples: list[Example] = []
    at = 1
    while at < len(lines):
        header = _HEADER.match(lines[at])
        if header is None:
            prose.append(lines[at])
            at += 1
            continue
        end = at + 1
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end]):
            end += 1
        examples.append(_example(header, "\n".join(line[4:] for line in lines[at + 1 : end])))
        at = end
    why, _, remedy = "\n".join(prose).partition("Instead:")
    return Document(lines[0].rstrip(".") if lines else "", _joined(why), _capital(_joined(remedy)), tuple(examples))


def _joined(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _example(header: re.Match[str], block: str) -> Example:
    before, parted, sql = block.strip("\n").partition("\n---\n")
    if not parted:
        before, sql = "", block.strip("\n")
    if block.strip("\n").endswith("\n---"):
        before, sql = block.strip("\n").removesuffix("\n---"), ""
    traits = {}
    for trait in header[3].split(", ")[1:]:
        name, _, value = trait.partition(" ")
        traits[name] = value
    return Example(header[1] == "Good", header[2], before, f"{sql}\n" if sql else "", traits)
