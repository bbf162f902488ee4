"""Where in its file a refused statement stands, in words a person can follow."""

from __future__ import annotations

from ci_runner.databases import DatabaseFailure
from ci_runner.model.deploy import Step


def place(step: Step, index: int, failure: DatabaseFailure) -> str:
    """``file:line:column`` (from 1) of the character the server pointed at, else of the statement's beginning."""
    if not step.statements:
        return step.name
    statement = step.statements[min(index, len(step.statements) - 1)]
    inside = failure.position
    exact = inside is not None and step.text.startswith(statement.text[: inside + 1], statement.start)
    offset = statement.start + (inside if exact and inside is not None else 0)
    line = step.text.count("\n", 0, offset) + 1
    return f"{step.name}:{line}:{offset - step.text.rfind(chr(10), 0, offset)}"
