"""The report as plain lines, as on a terminal without colours."""

from __future__ import annotations

from ci_runner import render as made
from ci_runner.model.report import Run


def render(run: Run) -> str:
    """The lines, unwrapped."""
    return made.text(run)
