"""Where a database stands, with everything that would keep a deployment from going on, and nothing raised for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ci_runner.deploy import guard, history, planning
from ci_runner.deploy.keys import key
from ci_runner.deploy.options import Options
from ci_runner.deploy.planning import Source
from ci_runner.deploy.revisions import Memory
from ci_runner.model.deploy import Facts, Standing


def look(
    source: Source, memory: Memory, facts: Facts, options: Options, objects: Mapping[str, str], tables: Sequence[str]
) -> Standing:
    """The standing of a database that remembers ``memory``."""
    mdir, origin = source
    rows = {row.version: row for row in memory.revisions if row.state != "applied"}
    applied = planning.applied(memory)
    order = planning.versioned(mdir, applied)
    versions = [key(each) for each in order]
    pending = [version for version in versions if version not in applied]
    last = max((index for index, version in enumerate(versions) if version in applied), default=-1) if pending else -1
    late = set(versions[: max(last, 0)]) & set(pending)
    edited, endings = history.edited(mdir, applied)
    foreign = next((each for each in tables if each.rpartition(".")[2].lower() in guard.FOREIGN), "")
    return Standing(
        dir=options.dir,
        facts=facts,
        origin=origin,
        current=planning.current(order, applied),
        applied=len(applied),
        pending=(*pending, *(key(each) for each in planning.repeatables(mdir, applied))),
        partial=tuple(
            (row.version, row.statements_done, row.statements_total, row.error)
            for row in rows.values()
            if row.state in {"running", "failed"}
        ),
        in_doubt=tuple(row.version for row in rows.values() if row.state == "in_doubt"),
        out_of_order=tuple(version for version in pending if version in late),
        edited=tuple(migration.name for migration, _ in edited),
        missing=tuple(row.name for row in history.missing(mdir, applied, options)),
        drift=history.drift(memory.state, objects),
        adopted_from=memory.state.adopted_from if memory.state else "",
        foreign=foreign,
        last_at=max((row.finished_at for row in applied.values()), default=""),
        warnings=(
            *origin.warnings,
            *(f"{name}: only line endings differ from what was applied" for name in endings),
        ),
    )
