"""From what a run came to, to the events others may want to hear of. Pure but for the clock and chance of the ground."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC
from typing import Any

from ci_runner.errors import ApprovalError, IntegrityError, PilotageError
from ci_runner.journeys.acting import actor
from ci_runner.journeys.facts import facts
from ci_runner.journeys.ground import Ground
from ci_runner.model.deploy import Outcome
from ci_runner.model.events import Event
from ci_runner.model.registry import Pushed
from ci_runner.model.report import Report, Run


def linted(ground: Ground, run: Run) -> list[Event]:
    """One event for each directory of a lint run that has changed files or problems."""
    return [_linted(ground, each) for each in run.reports if each.files or each.problems]


def pushed(ground: Ground, name: str, result: Pushed | PilotageError) -> list[Event]:
    """The events of a push: a new version, one that only a backup took, a rejected one; nothing for one that changed nothing."""
    if isinstance(result, PilotageError):
        return rejected(ground, name, result)
    if result.outcome == "diverged":
        files = tuple(line[:200] for line in result.differences)
        return [
            _event(
                ground, "push.rejected", name, outcome="diverged", exit_code=3, error=result.reason, files=files,
                digest=result.digest,
            )
        ]  # fmt: skip
    found = []
    if result.outcome == "ok":
        identity = hashlib.sha256(f"{name}\0{result.head or result.digest}".encode()).hexdigest()[:32]
        kind = "push.degraded" if result.degraded else "push.succeeded"
        after = f"version {result.seq}" if result.seq else ""
        outcome = "degraded" if result.degraded else "ok"
        found.append(
            _event(
                ground, kind, name, id=identity, outcome=outcome, after=after, digest=result.digest, source="registry"
            )
        )
    behind = [f"{store}: {state}" for store, state in result.stores.items() if state.startswith("failed")]
    if behind and not result.degraded:
        found.append(_event(ground, "registry.backup_behind", name, outcome="behind", error="\n".join(behind)))
    return found


def rejected(ground: Ground, name: str, error: PilotageError) -> list[Event]:
    """The events of a push that ended in an error."""
    told = {"outcome": "failed", "exit_code": error.exit_code, "error": str(error)}
    found = [_event(ground, "push.rejected", name, **told)]
    return [*found, *damaged(ground, name, error)]


def damaged(ground: Ground, name: str, error: PilotageError) -> list[Event]:
    """An alarm when the error says that stored bytes are not what they were."""
    if not isinstance(error, IntegrityError):
        return []
    return [_event(ground, "registry.integrity_failed", name, outcome="damaged", exit_code=6, error=str(error))]


def deployed(ground: Ground, outcome: Outcome) -> list[Event]:
    """The events of what was done to a database; nothing for a run that had nothing to do."""
    own = (
        f"{outcome.run_id}\0{outcome.database}" if outcome.run_id else ground.nonce()
    )  # a run that never began has no id
    identity = hashlib.sha256(own.encode()).hexdigest()[:32]
    told: dict[str, Any] = {
        "env": outcome.environment,
        "outcome": outcome.status,
        "exit_code": outcome.exit_code,
        "before": outcome.before or "",
        "after": outcome.after or "",
        "files": tuple(each.name for each in outcome.applied),
        "error": outcome.error.message if outcome.error else "",
        "source": outcome.origin.kind if outcome.origin else "",
        "digest": outcome.origin.digest if outcome.origin else "",
    }
    kind = {"ok": "deploy.succeeded", "failed": "deploy.failed", "in_doubt": "deploy.in_doubt"}.get(outcome.status)
    found = [_event(ground, kind, outcome.dir, id=identity, **told)] if kind else []
    if outcome.drift:
        objects = {"files": (), "error": "\n".join(outcome.drift[:50]), "outcome": "drifted"}
        found.append(_event(ground, "drift.detected", outcome.dir, **{**told, **objects}))
    return found


def started(ground: Ground, name: str, env: str) -> list[Event]:
    """The event before databases of an environment are touched."""
    return [_event(ground, "deploy.started", name, env=env, outcome="started")]


def stopped(ground: Ground, name: str, env: str, error: PilotageError) -> list[Event]:
    """The events of a deployment that never reached a database: it waits for an approval, or failed."""
    told = {"env": env, "exit_code": error.exit_code, "error": str(error)}
    if isinstance(error, ApprovalError):
        return [_event(ground, "deploy.waiting_approval", name, outcome="waiting", **told)]
    return [_event(ground, "deploy.failed", name, outcome="failed", **told), *damaged(ground, name, error)]


def _linted(ground: Ground, report: Report) -> Event:
    failed = report.verdict == "fail"
    counts = Counter(finding.severity for file in report.files for finding in file.findings)
    return _event(
        ground,
        "lint.failed" if failed else "lint.passed",
        report.name,
        outcome=report.verdict,
        exit_code=int(failed),
        files=tuple(file.name for file in report.files),
        findings=dict(counts),
        digest=report.sum,
        source="local",
    )


def _event(ground: Ground, kind: str, name: str, **more: Any) -> Event:
    stamp = ground.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {"git": facts(ground), "actor": actor(ground), "run_url": ground.trigger.run_url or ""}
    return Event(**{"type": kind, "time": stamp, "id": ground.nonce(), "dir": name, **known, **more})
