"""Which lines of a file a reviewer can be pointed to: those a unified diff shows on its new side."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ci_runner.model.ci import Note

Hunks = tuple[range, ...]

_HUNK = re.compile(r"^@@ -\d{1,9}(?:,\d{1,9})? \+(\d{1,9})(?:,(\d{1,9}))? @@", re.MULTILINE)


def hunks(patch: str) -> Hunks:
    """The line numbers of the new file that each hunk of a patch shows."""
    found = ((int(head[1]), int(head[2]) if head[2] is not None else 1) for head in _HUNK.finditer(patch))
    return tuple(range(start, start + count) for start, count in found if count)


def place(note: Note, shown: Iterable[range]) -> Note | None:
    """The note with lines that lie in one hunk: the suggestion's where it has one, else its own; None where neither does."""
    shown = tuple(shown)
    wanted = note.suggestion
    if wanted and any(wanted.line in hunk and wanted.end_line in hunk for hunk in shown):
        return replace(note, line=wanted.line, end_line=wanted.end_line)
    if any(note.line in hunk and note.end_line in hunk for hunk in shown):
        return replace(note, suggestion=None)
    if any(note.line in hunk for hunk in shown):
        return replace(note, suggestion=None, end_line=note.line)
    return None
