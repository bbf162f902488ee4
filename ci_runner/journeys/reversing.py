"""Reverse: the way back of each changed file, tried on the dev database; and which files have none."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.journeys.oracle import Oracle, Statements
from ci_runner.model.report import FILE, ChangeSet, Observation, Replay

BOTH = ("golang-migrate", "goose", "flyway", "liquibase", "dbmate", "diesel", "sqlx")  # formats with ways back


def back(oracle: Oracle, changes: ChangeSet, statements: Statements, replayed: Replay) -> Replay:
    """What was replayed, with which added or edited files have no way back, and where they ran, what each way back leaves."""
    files = [each.migration for each in changes.files if each.migration is not None and each.change != "renamed"]
    if changes.head.format not in BOTH or not files:
        return replayed
    from ci_runner.migrations.down import downs

    found = downs(changes.head, files)
    missing = [
        Observation(name, FILE, "down-missing", each.where) for name, each in found.items() if not each.migrations
    ]
    ways = {name: each.migrations for name, each in found.items() if each.migrations}
    known = replace(replayed, observations=(*replayed.observations, *missing))
    if not ways or replayed.status != "ok":
        return known
    seen = oracle.undone(changes, statements, ways)
    return replace(
        known,
        observations=(*known.observations, *seen.observations),
        unobserved=(*known.unobserved, *seen.unobserved),
    )
