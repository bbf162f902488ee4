"""The report as Markdown, the same as the comment, whole."""

from __future__ import annotations

from pathlib import Path

from ci_runner import render as made
from ci_runner.model.report import Run

# Larger than any host takes, small enough to stay readable to tools.
LIMIT = 1_000_000


def render(run: Run, templates: Path | None = None) -> str:
    """The comment without its marker line; ``templates`` is a folder of the user's that overrides Pilotage's own."""
    return made.comment(run, limit=LIMIT, templates=templates) + "\n"
