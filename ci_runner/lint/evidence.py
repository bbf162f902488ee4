"""Inferred or observed: what a dev database was seen to do confirms a finding, or takes it back."""

from __future__ import annotations

from ci_runner.lint.context import Context
from ci_runner.lint.rule import Hit, Rule
from ci_runner.model.operations import Name, Partition


def weighed(rule: Rule, context: Context, hit: Hit) -> bool | None:
    """True: observed. False: inferred. None: the database was watched and did nothing of the kind, so there is no finding."""
    if hit.observed:
        return True
    if not rule.seen:
        return False
    operation = hit.at or context.step.operation
    table = (
        None if isinstance(operation, Partition) else getattr(operation, "table", None)
    )  # there the child counts as well
    saw = [context.observed(kind, table if isinstance(table, Name) else None) for kind in rule.seen]
    if any(saw):
        return True
    return None if rule.refutable and False in saw else False
