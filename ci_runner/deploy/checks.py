"""Queries that must be true before a file runs."""

from __future__ import annotations

from ci_runner.databases import DatabaseFailure, Target
from ci_runner.deploy.intent import truth
from ci_runner.deploy.stopped import REFUSED, Stopped
from ci_runner.model.deploy import Failure, Step


def hold(target: Target, step: Step) -> None:
    """Stopped when one of the step's checks is not true, or cannot be asked."""
    for query in step.checks:
        try:
            held = truth(target, query)
        except DatabaseFailure as failure:
            raise Stopped(
                Failure(
                    REFUSED,
                    f"{step.name}: its check cannot be asked: {query}\n{failure.message}",
                    step.name,
                    None,
                    failure.code,
                )
            ) from None
        if not held:
            raise Stopped(
                Failure(
                    REFUSED, f"{step.name}: its check does not hold, so that nothing of it was run: {query}", step.name
                )
            )
