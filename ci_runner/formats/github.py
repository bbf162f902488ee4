"""The report as GitHub workflow commands: one annotation a finding."""

from ci_runner import render as made
from ci_runner.model.ci import Annotation
from ci_runner.model.report import Run
from ci_runner.text import github_data, github_property


def render(run: Run) -> str:
    """One command a line, the gravest first; nothing at all for a clean run."""
    return "".join(_command(annotation) for annotation in made.annotations(run))


def _command(annotation: Annotation) -> str:
    """``::error file=a.sql,line=3::message``; columns only where the range stays on one line, as GitHub demands."""
    short = annotation.end_line in {None, annotation.line}
    properties = {
        "file": annotation.file,
        "line": annotation.line,
        "endLine": annotation.end_line,
        "col": annotation.column if short else None,
        "endColumn": annotation.end_column if short else None,
        "title": annotation.title or None,
    }
    given = ",".join(f"{name}={github_property(str(value))}" for name, value in properties.items() if value is not None)
    return f"::{annotation.level}{' ' + given if given else ''}::{github_data(annotation.message)}\n"
