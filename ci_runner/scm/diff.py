"""Which lines of a file a reviewer can be pointed to: those a unified diff shows on its new side."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from ci_runner.model.ci import Note
from ci_runner.scm.failure import ScmError

Hunks = tuple[range, ...]
ANYWHERE: Hunks = (range(1, sys.maxsize),)
"""For hosts that take any line of a changed file."""

_HUNK = re.compile(r"^@@ -(\d{1,9})(?:,\d{1,9})? \+(\d{1,9})(?:,(\d{1,9}))? @@", re.MULTILINE)


def hunks(patch: str) -> Hunks:
    """The line numbers of the new file that each hunk of a patch shows."""
    found = ((int(head[2]), int(head[3]) if head[3] is not None else 1) for head in _HUNK.finditer(patch))
    return tuple(range(start, start + count) for start, count in found if count)


def old_lines(patch: str) -> Mapping[int, int | None]:
    """Each line the patch shows of the new file → its number in the old one, None where it was added."""
    found: dict[int, int | None] = {}
    old = new = 0
    for row in patch.split("\n"):
        head = _HUNK.match(row)
        if head:
            old, new = int(head[1]), int(head[2])
        elif row.startswith("+"):
            found[new] = None
            new += 1
        elif row.startswith("-"):
            old += 1
        elif row.startswith(" ") and new:
            found[new] = old
            old, new = old + 1, new + 1
    return found


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


def still_head(wanted: str, head: str, pull: str) -> None:
    """ScmError where ``head``, which a host may shorten, is not the commit that notes were made for."""
    if not head or not wanted.startswith(head):
        message = f"line notes are for commit {wanted[:12]}, but the head of {pull} is {head[:12]} by now"
        raise ScmError(message, "invalid")


def post_each(notes: Sequence[Note], post: Callable[[Note], object]) -> tuple[Note, ...]:
    """Post one after the other, for hosts that take no several at once; those that were taken. An error is raised where none was."""
    posted: list[Note] = []
    refused: list[ScmError] = []
    for note in notes:
        try:
            post(note)
            posted.append(note)
        except ScmError as error:
            if error.kind != "invalid":
                raise
            refused.append(error)
    if refused and not posted:
        raise refused[0]
    return tuple(posted)
