"""The documents, cut into what they show: links, code blocks, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")],
    key=lambda path: path.relative_to(ROOT).as_posix(),
)
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


class Block(NamedTuple):
    """A fenced block: where it begins (``page:line``), its language ("" when none is said) and its text."""

    where: str
    language: str
    text: str


def blocks(name: str) -> list[Block]:
    """Every fenced block of a page."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [Block(f"{name}:{text[: m.start()].count(chr(10)) + 1}", m[2], m[3]) for m in _FENCE.finditer(text)]


def prose(name: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", (ROOT / name).read_text(encoding="utf-8"))


def links(name: str) -> list[str]:
    """Targets of links and pictures on a page, but for those on the web."""
    text = _CODE.sub("", prose(name))
    return [target for target in _LINK.findall(text) if not re.match(r"[a-z]+:", target)]


def anchors(name: str) -> set[str]:
    """What a link can name on a page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#{1,6} +(.+?) *$", prose(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(name: str) -> Iterator[tuple[str, str]]:
    """(where, line) of every ``pilotage`` command line that a page shows, in blocks and in the text."""
    for block in blocks(name):
        if block.language in {"", "sh"}:
            yield from ((block.where, line) for line in block.text.splitlines() if line.startswith("pilotage "))
        yield from ((block.where, line) for line in re.findall(r"\bsh '(pilotage [^']+)'", block.text))
    yield from ((name, code) for code in _CODE.findall(prose(name)) if code.startswith("pilotage "))
