"""The report as Markdown, the same as the comment, whole."""

from __future__ import annotations

from ci_runner import render as made
from ci_runner.model.report import Run

# Larger than any host takes, small enough to stay readable to tools.
LIMIT = 1_000_000


def render(run: Run) -> str:
    """The comment without its marker line."""
    return made.comment(run, limit=LIMIT) + "\n"
