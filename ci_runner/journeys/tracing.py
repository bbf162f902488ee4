"""From what a run came to, to spans and points in OpenTelemetry's words for CI/CD, version control, databases and deployments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ci_runner import __version__, telemetry
from ci_runner.journeys.ground import Ground
from ci_runner.model.deploy import Applied, Outcome
from ci_runner.model.events import Event
from ci_runner.telemetry import Point, Span

SYSTEMS = {
    "postgres": "postgresql",
    "sqlserver": "microsoft.sql_server",
    "redshift": "aws.redshift",
}
_TASKS = {"lint": "test", "push": "build", "deploy": "deploy"}
_RESULTS = {0: "success", 1: "failure"}


def wanted(ground: Ground) -> bool:
    """Whether an endpoint is configured."""
    return telemetry.settings(ground.environ, __version__) is not None


def report(
    ground: Ground,
    what: str,
    begun: datetime,
    events: Sequence[Event],
    code: int,
    error: str = "",
    outcomes: Sequence[Outcome] = (),
) -> tuple[str, ...]:
    """Send the trace and the metrics of a run (``what``: lint, push, deploy …) that began then and ended with this exit code; warnings."""
    settings = telemetry.settings(ground.environ, __version__)
    if settings is None:
        return ()
    start, end = begun.timestamp(), ground.now().timestamp()
    children = [_deployed(each) for each in outcomes if each.facts] or [_happened(each, start, end) for each in events]
    root = Span(
        f"pilotage {what}",
        start,
        end,
        common(ground, what)
        | {"cicd.pipeline.task.run.result": _result(code), "pilotage.exit_code": code}
        | _error_type(code),
        ground.redact(error) if code else "",
        children=tuple(ground.redact.value(child) for child in children),
    )
    points = _points(what, end - start, code, events, outcomes)
    return telemetry.send(settings, __version__, root, points, telemetry.parent(ground.environ), ground.nonce)


def common(ground: Ground, what: str) -> dict[str, Any]:
    """What every trace of a run says of its job and commit."""
    trigger = ground.trigger
    return {
        "cicd.pipeline.name": ground.environ.get("GITHUB_WORKFLOW") or ground.environ.get("CI_PIPELINE_NAME") or "",
        "cicd.pipeline.run.id": _first(
            ground, "GITHUB_RUN_ID", "CI_PIPELINE_ID", "BITBUCKET_PIPELINE_UUID", "BUILD_BUILDID", "CIRCLE_WORKFLOW_ID"
        ),
        "cicd.pipeline.run.url.full": trigger.run_url or "",
        "cicd.pipeline.task.name": f"pilotage {what}",
        "cicd.pipeline.task.type": _TASKS.get(what, "test"),
        "vcs.provider.name": trigger.scm or "",
        "vcs.repository.name": trigger.repository or "",
        "vcs.ref.head.name": trigger.head_branch or "",
        "vcs.ref.head.revision": trigger.head_sha or "",
        "vcs.ref.base.name": trigger.base_branch or "",
        "vcs.change.id": str(trigger.pull_request or ""),
    }


def _first(ground: Ground, *names: str) -> str:
    return next((ground.environ[name] for name in names if ground.environ.get(name)), "")


def _result(code: int) -> str:
    return _RESULTS.get(code, "error")


def _error_type(code: int) -> dict[str, Any]:
    return {"error.type": f"exit_{code}"} if code else {}


def _happened(event: Event, start: float, end: float) -> Span:
    """One directory of a lint or push run."""
    found: dict[str, Any] = {
        "pilotage.directory": event.dir,
        "pilotage.outcome": event.outcome,
        "pilotage.event": event.type,
    }
    found |= {"pilotage.digest": event.digest, "pilotage.files": len(event.files)}
    found |= {f"pilotage.findings.{severity}": count for severity, count in event.findings.items()}
    return Span(f"{event.family} {event.dir}", start, end, found, event.error or ("failed" if event.exit_code else ""))


def _deployed(outcome: Outcome) -> Span:
    """One database: its files one after another, each with its statements; lengths are measured, the gaps between them are not."""
    facts = outcome.facts
    database: dict[str, Any] = {
        "db.system.name": SYSTEMS.get(facts.dialect, facts.dialect) if facts else "",
        "db.namespace": facts.name if facts else "",
    }
    start = _unix(outcome.started_at)
    at = start + outcome.lock_wait_ms / 1000
    files: list[Span] = []
    for each in outcome.applied:
        files.append(_file(each, at, database))
        at = files[-1].end
    error = outcome.error
    deployment = {
        "deployment.environment.name": outcome.environment,
        "deployment.id": outcome.run_id,
        "deployment.status": "failed" if error else "succeeded",
        "pilotage.directory": outcome.dir,
        "pilotage.from": outcome.before or "",
        "pilotage.to": outcome.after or "",
        "pilotage.lock_wait_ms": outcome.lock_wait_ms,
        "db.response.status_code": error.sql_code if error else "",
    }
    end = max(at, start + outcome.duration_ms / 1000)
    code = _error_type(outcome.exit_code)
    return Span(
        f"{outcome.action} {outcome.dir}",
        start,
        end,
        database | deployment | code,
        error.message if error else "",
        children=tuple(files),
    )


def _file(each: Applied, start: float, database: dict[str, Any]) -> Span:
    at, statements = start, []
    for number, milliseconds in enumerate(each.times, each.resumed + 1):
        until = at + milliseconds / 1000
        statements.append(
            Span(f"statement {number}", at, until, {**database, "pilotage.statement": number}, client=True)
        )
        at = until
    end = max(at, start + each.duration_ms / 1000)
    facts = {"pilotage.version": each.version, "pilotage.file": each.name, "pilotage.statements": each.statements}
    return Span(f"migration {each.name}", start, end, database | facts, children=tuple(statements))


def _points(what: str, seconds: float, code: int, events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Point]:
    state = {"cicd.pipeline.task.name": f"pilotage {what}", "cicd.pipeline.result": _result(code)}
    found = [
        Point(
            "cicd.pipeline.run.duration", "s", "observation", seconds, {**state, "cicd.pipeline.run.state": "executing"}
        )
    ]
    if code:
        found.append(Point("cicd.pipeline.run.errors", "{error}", "count", 1, {**state, **_error_type(code)}))
    for event in events:
        for severity, count in event.findings.items():
            found.append(
                Point(
                    "pilotage.findings",
                    "{finding}",
                    "count",
                    count,
                    {"pilotage.directory": event.dir, "pilotage.severity": severity},
                )
            )
    for outcome in outcomes:
        system = SYSTEMS.get(outcome.facts.dialect, outcome.facts.dialect) if outcome.facts else ""
        place = {
            "db.system.name": system,
            "pilotage.directory": outcome.dir,
            "deployment.environment.name": outcome.environment,
        }
        found.append(Point("pilotage.migrations.applied", "{file}", "count", len(outcome.applied), place))
        found.append(Point("pilotage.lock.wait", "s", "observation", outcome.lock_wait_ms / 1000, place))
        times = [time for each in outcome.applied for time in each.times]
        found += [
            Point("db.client.operation.duration", "s", "observation", time / 1000, {"db.system.name": system})
            for time in times
        ]
    return found


def _unix(iso: str) -> float:
    try:
        return datetime.fromisoformat(iso).timestamp()
    except ValueError:
        return 0.0
