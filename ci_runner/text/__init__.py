"""The one layer that makes foreign text safe for each medium, and the one that takes secrets out of it."""

from ci_runner.text.escape import (
    azure_safe,
    code,
    code_cell,
    fenced,
    foreign_lines,
    github_data,
    github_property,
    html,
    inline,
    line,
    markdown,
    prose,
    slack,
    visible,
    xml,
)
from ci_runner.text.redact import MASK, Redactor, redactor

__all__ = [
    "MASK",
    "Redactor",
    "azure_safe",
    "code",
    "code_cell",
    "fenced",
    "foreign_lines",
    "github_data",
    "github_property",
    "html",
    "inline",
    "line",
    "markdown",
    "prose",
    "redactor",
    "slack",
    "visible",
    "xml",
]
