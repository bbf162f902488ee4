"""Reads the commands psql keeps for itself: where one ends, and what it does to the statement before it."""

from __future__ import annotations

import re

from ci_runner.text.pattern import later, many

# Some take the rest of the line whatever stands there; the arguments of all others end at the next backslash.
_COMMAND = later(
    r"\\(?:(copy|!|h|help|ef|ev|sf|sv)(?![a-z_])[^\n]*|([a-z_]*)"
    + many(r"'(?:[^'\\\n]|\\.)*'|\"[^\"\n]*\"|`[^`\n]*`|[^'\"`\\\n]")
    + r"(?:['\"`][^\n]*)?)"
)
_FROM_STDIN = later(r"\\copy\b(?:'[^'\n]*'|\"[^\"\n]*\"|[^'\"\n])*?\sfrom\s+stdin\b", re.IGNORECASE)
SENDS = frozenset({"g", "gx", "gset", "gexec", "gdesc", "crosstabview", "watch"})
OPENS, CLOSES = "if", "endif"
_REASONS = {
    "gexec": "psql's \\gexec runs what the query before it returns",
    "copy": "psql's \\copy is no SQL: it moves rows between a table and a file of the client's",
    **dict.fromkeys(("i", "ir", "include", "include_relative"), "psql's \\{} is no SQL and runs what stands elsewhere"),
}


def command(text: str, at: int, end: int) -> tuple[str, int]:
    """The name of the command whose backslash stands at ``at``, and the offset behind its arguments, at most ``end``."""
    if text.startswith(("\\\\", "\\;"), at, end):  # the mark between a command and SQL; a semicolon that does not send
        return text[at + 1], at + 2
    match = _COMMAND.match(text, at, end)
    return (match[1] or match[2] or "", match.end()) if match else ("", at + 1)


def reason(name: str) -> str | None:
    """Why what that command does is not known from here; None when it changes nothing in the database."""
    found = _REASONS.get(name)
    return found.format(name) if found else None


def reads_on(text: str, at: int, stop: int) -> bool:
    """Whether the ``\\copy`` in ``text[at:stop]`` takes the lines that follow it as data."""
    return _FROM_STDIN.match(text, at, stop) is not None
