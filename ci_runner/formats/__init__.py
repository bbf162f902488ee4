"""The report in the formats that people and machines read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from ci_runner.errors import UsageError
from ci_runner.model.report import Run
from ci_runner.text import printable_json, printable_markdown, printable_markup

# format → module with ``render(run) -> str``; the order is that of help texts.
FORMATS = {
    "text": "ci_runner.formats.text",
    "json": "ci_runner.formats.json",
    "markdown": "ci_runner.formats.markdown",
    "sarif": "ci_runner.formats.sarif",
    "junit": "ci_runner.formats.junit",
    "codequality": "ci_runner.formats.codequality",
    "github": "ci_runner.formats.github",
    "html": "ci_runner.formats.html",
}
# Those made from templates, which a folder of the user's may override.
TEMPLATED = {"markdown", "html"}
# Any of them may be printed into a CI system's log, where no line of it may be taken for a command. "text" sees to its own rows.
PRINTABLE: Mapping[str, Callable[[str], str]] = {
    "json": printable_json,
    "sarif": printable_json,
    "codequality": printable_json,
    "junit": printable_markup,
    "html": printable_markup,
    "markdown": printable_markdown,
}


def render(name: str, run: Run, *, templates: Path | None = None) -> str:
    """The run in the format of that name, with a newline at its end; an unknown name is a :class:`UsageError`."""
    module = FORMATS.get(name)
    if module is None:
        raise UsageError(f"unknown report format '{name}' — choose one of {', '.join(FORMATS)}")
    make = import_module(module).render
    text: str = make(run, templates) if name in TEMPLATED else make(run)
    return PRINTABLE[name](text) if name in PRINTABLE else text
