"""Going back: which migrations are undone, newest first, and the rows that say so. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ci_runner.deploy import approval, history, planning
from ci_runner.deploy.downs import down
from ci_runner.deploy.hashes import fingerprint
from ci_runner.deploy.keys import DOWN, key
from ci_runner.deploy.options import Options
from ci_runner.deploy.planning import Source
from ci_runner.deploy.revisions import Memory
from ci_runner.deploy.steps import step
from ci_runner.errors import ConflictError, UsageError
from ci_runner.model.deploy import Facts, Plan, Revision, Step
from ci_runner.model.directory import Migration, MigrationDir


def plan(source: Source, memory: Memory, facts: Facts, options: Options, objects: Mapping[str, str]) -> Plan:
    """The plan that takes the database back to ``options.to_version``, which stays applied ("0" = before the first).

    UsageError for a version that is not applied, ConflictError where a migration has no way back.
    """
    mdir, origin = source
    history.refuse_doubt(memory.revisions, options)
    rows = {row.version: row for row in memory.revisions}
    applied = planning.applied(memory)
    order = planning.versioned(mdir, applied)
    warnings = [*origin.warnings, *history.verify(mdir, applied, options)]
    done = [each for each in order if key(each) in applied]
    chosen = _above(done, options)
    position = max((row.position for row in memory.revisions), default=0)
    steps = tuple(_step(mdir, each, facts, position + index, rows) for index, each in enumerate(reversed(chosen), 1))
    left = [key(each) for each in done[: len(done) - len(chosen)]]
    found = Plan(
        dir=options.dir,
        origin=origin,
        facts=facts,
        order=options.order,
        steps=steps,
        current=planning.current(order, applied),
        target=left[-1] if left else None,
        warnings=tuple(warnings),
        fingerprint=fingerprint(objects),
        drift=history.drift(memory.state, objects),
    )
    return replace(found, digest=approval.digest(found))


def _above(done: list[Migration], options: Options) -> list[Migration]:
    versions = [key(each) for each in done]
    wanted = options.to_version or ""
    if wanted == "0" and wanted not in versions:
        return done
    if wanted not in versions:
        newest = versions[-1] if versions else "none"
        raise UsageError(
            f"--to-version {wanted}: that version is not applied; the newest applied is {newest}, 0 means before the first"
        )
    return done[versions.index(wanted) + 1 :]


def _step(mdir: MigrationDir, migration: Migration, facts: Facts, position: int, rows: Mapping[str, Revision]) -> Step:
    row = rows[key(migration)]
    back = down(mdir, migration)
    if back is None:
        raise ConflictError(
            f"{migration.name} has no way back: {mdir.format} directories keep one in a down file or section, and there is none. "
            "Write a new migration that undoes it"
        )
    before = rows.get(DOWN + row.version)
    going_on = before if before is not None and before.state not in {"applied", "reverted"} else None
    found = step(mdir, replace(back, kind="versioned"), facts, position, going_on)
    return replace(
        found,
        version=DOWN + row.version,
        kind="manual",
        position=before.position if before is not None else position,
        before=going_on,
        closing=replace(row, state="reverted"),
    )
