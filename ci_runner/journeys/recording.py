"""Keep a record of what was done to a database: an event in the registry, in the chain of its environment."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Sequence
from typing import Any

from ci_runner import __version__, registry, stores
from ci_runner.errors import PilotageError
from ci_runner.journeys.acting import actor
from ci_runner.journeys.ground import Ground
from ci_runner.model.deploy import Applied, Outcome, Revision
from ci_runner.registry import events

_LOOKED_AT = 200
_MOST_FILES = 5000


def record(ground: Ground, outcome: Outcome) -> tuple[str, ...]:
    """Write ``outcome`` into the registry; warnings when that could not be.

    The rows in the database are the record then, and the next run brings here what they say: runs that the database knows and the chain does
    not are written first, marked as brought in later. Nothing is written without a registry, or for a run that never saw its database.
    """
    address = ground.config.registry
    if not address or not outcome.dir or outcome.facts is None:
        return ()
    try:
        store = stores.open(address, ground.environ)
        if not registry.is_registry(store):
            return ()
        env = environment(outcome)
        for late in missing(store, outcome, env):
            _write(ground, store, outcome.dir, env, late, late["run_id"])
        if outcome.status != "noop":
            identity = outcome.run_id or ground.nonce()
            _write(ground, store, outcome.dir, env, data(outcome), identity, outcome.action)
    except PilotageError as error:
        return (f"the record could not be written to the registry, the next deploy brings it there: {error}",)
    return ()


def environment(outcome: Outcome) -> str:
    """The name of the chain: the environment's, with the database's where it has several; for a bare address one made of what it leads to."""
    if outcome.environment:
        return outcome.environment
    identity = outcome.facts.identity if outcome.facts else ""
    return f"to-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def data(outcome: Outcome) -> dict[str, Any]:
    """What is kept of a run, as JSON values."""
    found: dict[str, Any] = {
        "outcome": outcome.status,
        "exit_code": outcome.exit_code,
        "from": outcome.before or "",
        "to": outcome.after or "",
        "files": [_file(each) for each in outcome.applied[:_MOST_FILES]],
        "pending": len(outcome.pending),
        "started": outcome.started_at,
        "duration_ms": outcome.duration_ms,
        "lock_wait_ms": outcome.lock_wait_ms,
        "run_id": outcome.run_id,
        "plan": outcome.plan_digest,
        "tool": __version__,
    }
    if outcome.error:
        failure = outcome.error
        found["error"] = {"message": failure.message[:4000], "file": failure.file, "sql_code": failure.sql_code}
        found["error"] |= {"statement": failure.statement} if failure.statement is not None else {}
    if outcome.origin:
        origin = outcome.origin
        found["source"] = {"kind": origin.kind, "digest": origin.digest, "address": origin.address}
        found["source"] |= {"seq": origin.seq, "head": origin.head} if origin.seq else {}
    if outcome.facts:
        place = hashlib.sha256(outcome.facts.identity.encode()).hexdigest()[:16]
        version = ".".join(map(str, outcome.facts.version))
        found["database"] = {
            "engine": outcome.facts.engine,
            "version": version,
            "name": outcome.facts.name,
            "place": place,
        }
        found["database"] |= {"label": outcome.database} if outcome.database else {}
    return found | ({"drift": list(outcome.drift[:100])} if outcome.drift else {})


def missing(store: stores.Store, outcome: Outcome, env: str) -> list[dict[str, Any]]:
    """Runs that the database knows and the chain does not, oldest first; looked for until a run is found that is there."""
    runs: dict[str, list[Revision]] = {}
    for row in sorted(outcome.earlier, key=lambda row: (row.started_at, row.position)):
        if row.run_id and row.run_id != outcome.run_id and row.dir == outcome.dir:
            runs.setdefault(row.run_id, []).append(row)
    if not runs:
        return []
    there: set[str] = set()
    for count, entry in enumerate(events.backwards(store, outcome.dir, env)):
        there.add(str(entry.data.get("run_id", entry.id)))
        if there & runs.keys() or count >= _LOOKED_AT:
            break
    last = max((index for index, run in enumerate(runs) if run in there), default=-1)
    return [_late(run, rows) for index, (run, rows) in enumerate(runs.items()) if index > last and run not in there]


def _late(run: str, rows: Sequence[Revision]) -> dict[str, Any]:
    failed = next((row for row in rows if row.state in {"failed", "in_doubt"}), None)
    files = [
        {
            "version": row.version,
            "name": row.name,
            "hash": row.file_hash,
            "statements": row.statements_done,
            "ms": row.duration_ms,
        }
        for row in rows
    ]
    outcome = {"failed": "failed", "in_doubt": "in_doubt"}.get(failed.state if failed else "", "ok")
    return {
        "outcome": outcome,
        "exit_code": {"failed": 1, "in_doubt": 4}.get(outcome, 0),
        "from": "",
        "to": next((row.version for row in reversed(rows) if row.state == "applied"), ""),
        "files": files,
        "started": rows[0].started_at,
        "run_id": run,
        "tool": rows[-1].tool_version,
        "source": {"digest": rows[-1].digest, "seq": rows[-1].registry_seq},
        "by": rows[-1].actor,
        "back_filled": True,
    }


def _file(each: Applied) -> dict[str, Any]:
    found: dict[str, Any] = {
        "version": each.version,
        "name": each.name,
        "hash": each.file_hash,
        "statements": each.statements,
    }
    found |= {"ms": each.duration_ms, "times": list(each.times[:1000])}
    return found | ({"resumed": each.resumed} if each.resumed else {})


def _write(
    ground: Ground, store: stores.Store, name: str, env: str, value: dict[str, Any], identity: str, kind: str = "deploy"
) -> None:
    events.record(
        store,
        name,
        env,
        kind,
        data=ground.redact.value(value),
        actor=ground.redact.value(actor(ground)),
        time=ground.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        id=identity,
        pause=registry.jitter(time.sleep, random.random),
    )
