"""The report as a page of its own: the comment, as its host would show it."""

from __future__ import annotations

from pathlib import Path

from ci_runner import render as made
from ci_runner.formats import markdown
from ci_runner.model.report import Run


def render(run: Run, templates: Path | None = None) -> str:
    """An HTML document that asks for nothing from elsewhere."""
    return made.page(
        made.comment(run, limit=markdown.LIMIT, templates=templates, pictures="svg") + "\n", title="Pilotage report"
    )
