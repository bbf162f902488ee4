"""Migration files for tests, cut into statements at semicolons that end a line."""

from __future__ import annotations

import re

from ci_runner.model.directory import Part, TxMode
from ci_runner.model.operations import Statement
from ci_runner.replay import ReplayFile

_STATEMENT = re.compile(r"\S.*?(?=;[ ]*(?:\n|\Z)|\s*\Z)", re.DOTALL)


def file(
    name: str, text: str, transaction: TxMode = "file", parts: tuple[Part, ...] = (), data: str | None = None
) -> ReplayFile:
    """A file of statements; ``data`` belongs to the one that starts with COPY."""
    found: list[Statement] = []
    position = 0
    while match := _STATEMENT.search(text, position):
        start, end = match.span()
        copied = data if match[0].startswith("COPY") else None
        found.append(
            Statement(start, end, match[0], text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1, data=copied)
        )
        position = end + 1
    return ReplayFile(name, text, tuple(found), transaction, parts)
