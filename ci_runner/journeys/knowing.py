"""Know: put all that the linter finds today into a baseline, so that only what is new counts."""

from __future__ import annotations

from ci_runner import lint
from ci_runner.journeys import lint as linting
from ci_runner.journeys.ground import Ground


def text(ground: Ground) -> tuple[str, int]:
    """The baseline file for the findings of every configured directory, and how many there are."""
    found = [
        (wanted.dir, finding)
        for wanted in ground.config.directories
        for finding in linting.examined(ground, wanted).linted.findings
    ]
    return ground.redact(lint.baseline.written(found)), len(found)
