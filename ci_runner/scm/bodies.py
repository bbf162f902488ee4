"""What bodies have in common on every SCM: comparing, shortening, and the fence of a suggestion."""

from __future__ import annotations

import re

from ci_runner.model.ci import Note

_TICKS = re.compile("`+")


def suggestion(note: Note, info: str) -> str:
    """The note's body with its suggestion in a fence longer than any run of backticks in it; ``info`` is the SCM's word for one."""
    if note.suggestion is None:
        return note.body
    text = note.suggestion.text
    rows = text.removesuffix("\n") + "\n" if text else ""
    fence = "`" * max([3, *(len(run) + 1 for run in _TICKS.findall(text))])
    return f"{note.body}\n\n{fence}{info}\n{rows}{fence}"


def same_text(one: str, other: str) -> bool:
    """Whether two bodies are the same to a reader: hosts change line ends and blanks at the end."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
