"""Makes the text people read: the comment, the job summary, notes on lines, the terminal's lines, a page."""

from ci_runner.render.comment import brief, comment, summary
from ci_runner.render.notes import annotations, note, notes
from ci_runner.render.page import page
from ci_runner.render.terminal import text

__all__ = ["annotations", "brief", "comment", "note", "notes", "page", "summary", "text"]
