"""Makes the text people read: the comment, the job summary, notes on lines, the terminal's lines, a page."""

from ci_runner.render.comment import brief, comment
from ci_runner.render.terminal import text

__all__ = ["brief", "comment", "text"]
