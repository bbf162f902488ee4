"""Where a run's reports go: the terminal, the CI log, files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ci_runner.cli.world import World, redacted
from ci_runner.config.options import REPORTS
from ci_runner.errors import SetupError, UsageError

if TYPE_CHECKING:
    from ci_runner.journeys.ground import Ground
    from ci_runner.model.report import Run


def check_format(form: str) -> None:
    """UsageError for a format nobody knows, before any work is done."""
    if form not in (*REPORTS, "html"):
        from difflib import get_close_matches

        close = get_close_matches(form, REPORTS, 1)
        hint = f" — did you mean '{close[0]}'?" if close else ""
        raise UsageError(f"unknown format '{form}'{hint} (one of {', '.join((*REPORTS, 'html'))})")


def show(world: World, ground: Ground, run: Run, form: str, output: str | None) -> str:
    """Print the run in ``form``, or write it to ``output``; the text, as it was printed."""
    text = rendered(world, ground, run, form, to_file=output is not None)
    if output:
        write(world.cwd / output, text)
        world.note(f"{form} report written to {output}")
        return text
    return world.say(text.rstrip("\n"))


def rendered(world: World, ground: Ground, run: Run, form: str, *, to_file: bool) -> str:
    """The run in one format; colours only where a terminal shows them."""
    from ci_runner import formats, render

    folder = world.cwd / ground.config.templates if ground.config.templates else None
    if form == "text":
        return render.text(run, colour=world.colour and not to_file, width=world.width, quiet=world.quiet)
    return formats.render(form, run, templates=folder)


def write_reports(world: World, ground: Ground, run: Run) -> None:
    """Every ``--report FORMAT=FILE``."""
    for form, path in ground.config.reports:
        write(world.cwd / path, redacted(rendered(world, ground, run, form, to_file=True)))
        world.detail(f"{form} report written to {path}")


def write(path: Path, text: str) -> None:
    """Write a report, making its folder; SetupError when that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"the report cannot be written to {path}: {error.strerror or error}") from None
