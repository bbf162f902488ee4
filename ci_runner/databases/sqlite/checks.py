"""The CHECK constraints in the text of an SQLite table: no PRAGMA tells of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.text.pattern import later

_TOKEN = later(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)|\bcheck\b(?=\s*\()|[()]",
    re.IGNORECASE | re.DOTALL,
)


def checks(table: str) -> Iterator[str]:
    """The expressions between the brackets of each CHECK in a CREATE TABLE, blanks between words made one."""
    depth, awaited, opened, start = 0, False, 0, 0
    for token in _TOKEN.finditer(table):
        word = token[0]
        if word == "(":
            depth += 1
            if awaited:
                awaited, opened, start = False, depth, token.end()
        elif word == ")":
            if opened and depth == opened:
                opened = 0
                yield " ".join(table[start : token.start()].split())
            depth -= 1
        elif word.lower() == "check" and not opened:
            awaited = True
