"""What a deployment prints: files as they go through, and how it ended; or one JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from ci_runner.text import visible
from ci_runner.text.counting import counted

if TYPE_CHECKING:
    from ci_runner.cli.world import World
    from ci_runner.errors import PilotageError
    from ci_runner.journeys.deploying import Voice
    from ci_runner.model.deploy import Applied, Outcome, Plan, Step

_MOST = 20
_DOWN = "down:"
_EFFECTS = {"none": "", "metadata": "metadata only", "scan": "reads every row", "rewrite": "writes every row anew"}
_NOTED = {"adopt": "taken over", "baseline": "noted as being"}  # what runs no migration


def document(outcome: Outcome) -> dict[str, Any]:
    """The JSON of a deployment: exactly these keys (docs/deploy.md)."""
    error = outcome.error
    return {
        "status": outcome.status,
        "from": outcome.before,
        "to": outcome.after,
        "applied": [each.version.removeprefix(_DOWN) for each in outcome.applied],
        "pending": [version.removeprefix(_DOWN) for version in outcome.pending],
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def duration(milliseconds: int) -> str:
    """A time people read: 12 ms, 3.4 s, 2 min 5 s."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds // 60_000} min {milliseconds % 60_000 // 1000} s"


def listed(versions: Sequence[str]) -> str:
    """The first versions, and how many more."""
    more = f" and {len(versions) - _MOST} more" if len(versions) > _MOST else ""
    return ", ".join(visible(each) for each in versions[:_MOST]) + more


class Teller:
    """Tells one deployment to the terminal or as JSON."""

    def __init__(self, world: World, *, as_json: bool, digest: bool = False) -> None:
        self._world = world
        self._json = as_json
        self._digest = digest

    def voice(self, database: str = "") -> Voice:
        """Remarks go to stderr; files are told as they go through, unless JSON is wanted."""
        from ci_runner.journeys.deploying import Voice

        before = f"{visible(database)}: " if database else ""
        return Voice(lambda text: self._world.note(before + text), lambda applied: self._through(applied, before))

    def _through(self, applied: Applied, before: str) -> None:
        if self._json or self._world.quiet:
            return
        mark = click.style("✓", fg="green")
        some = f", the first {applied.resumed} before" if applied.resumed else ""
        count = counted(applied.statements, "statement") + some
        self._world.say(f"  {mark} {before}{visible(applied.name)}  {count}, {duration(applied.duration_ms)}")

    def ended(self, outcome: Outcome) -> int:
        """Say how it ended; its exit code."""
        if self._json:
            self._world.say(json.dumps(document(outcome), indent=2, ensure_ascii=False))
            return outcome.exit_code
        where = visible(outcome.database or (outcome.facts.name if outcome.facts else "the database"))
        if outcome.error:
            self._stopped(outcome, where)
            return outcome.exit_code
        if outcome.status == "noop":
            at = f" at version {visible(outcome.after)}" if outcome.after else ""
            left = f"; pending: {listed(outcome.pending)}" if outcome.pending else ""
            self._world.say(f"{click.style('✓', fg='green')} {where}: nothing to do{at}{left}")
            return 0
        if outcome.action in _NOTED:
            how, mark = _NOTED[outcome.action], click.style("✓", fg="green")
            self._world.say(f"{mark} {where}: {how} at version {visible(outcome.after or 'none')}; nothing was run")
            self._world.note("  pilotage status says what is pending")
            return 0
        self._world.say(
            f"{click.style('✓', fg='green')} {where}: {visible(outcome.before or 'empty')} → {visible(outcome.after or 'empty')}, "
            f"{counted(len(outcome.applied), 'file')} in {duration(outcome.duration_ms)}"
        )
        if outcome.pending:
            self._world.say(f"  pending: {listed(outcome.pending)}")
        self._world.note(self._source(outcome))
        return 0

    def all_ended(self, outcomes: Sequence[Outcome]) -> int:
        """Say how each of several databases ended; the exit code of all."""
        from ci_runner.journeys.deploying_many import code

        found = code(outcomes)
        if self._json:
            worst = next((each.status for each in outcomes if each.exit_code == found), "ok")
            changed = "ok" if any(each.status == "ok" for each in outcomes) else "noop"
            shown = [{"database": each.database} | document(each) for each in outcomes]
            self._world.say(
                json.dumps({"status": worst if found else changed, "databases": shown}, indent=2, ensure_ascii=False)
            )
            return found
        for each in outcomes:
            self.ended(each)
        done = sum(not each.exit_code for each in outcomes)
        self._world.say(f"{done} of {counted(len(outcomes), 'database')} where they should be")
        return found

    def _stopped(self, outcome: Outcome, where: str) -> None:
        """What failed goes to stderr, what stands now to stdout."""
        message = outcome.error.message if outcome.error else ""
        of = f"{outcome.database}: " if outcome.database else ""
        word = "in doubt" if outcome.status == "in_doubt" else "failed"
        click.echo(
            click.style(f"{word}: ", fg="red", bold=True) + visible(self._redacted(of + message)),
            err=True,
            color=self._world.colour,
        )
        if outcome.facts is not None and (outcome.applied or outcome.after):
            self._world.say(
                f"  {where} is at {visible(outcome.after or 'no version')}; pending: {listed(outcome.pending) or 'nothing'}"
            )

    def _redacted(self, text: str) -> str:
        from ci_runner.cli.world import redacted

        return redacted(text)

    def _source(self, outcome: Outcome) -> str:
        origin = outcome.origin
        if origin is None:
            return ""
        seq = f" version {origin.seq}" if origin.seq else ""
        return f"  from {origin.kind}{seq} {origin.address}  {origin.digest[:19]}…  run {outcome.run_id[:12]}"

    def failed(self, error: PilotageError) -> int:
        """A deployment that could not begin; without JSON the error is printed where all errors are."""
        if not self._json:
            raise error
        from ci_runner.model.deploy import Failure, Outcome

        return self.ended(Outcome("failed", error=Failure(error.exit_code, str(error))))

    def all_planned(self, found: Sequence[tuple[str, Plan, Mapping[str, int]]]) -> int:
        """The plan of each database; of several also the digest that stands for all."""
        from ci_runner.journeys.deploying_many import together

        if self._json and len(found) > 1:
            self._world.say(json.dumps(plans_document(found), indent=2, ensure_ascii=False))
            return 0
        for _, plan, sizes in found:
            self.planned(plan, sizes)
        if self._digest and len(found) > 1:
            self._world.say(f"all plans {together([plan for _, plan, _ in found])}")
        return 0

    def planned(self, plan: Plan, sizes: Mapping[str, int] = MappingProxyType({})) -> int:
        """A dry run, or a plan."""
        from ci_runner.model.deploy import Outcome

        versions = tuple(step.version for step in plan.steps)
        if self._json:
            status: Any = "ok" if versions or plan.baseline else "noop"
            shown = document(Outcome(status, plan.current, plan.target, pending=(*versions, *plan.pending)))
            self._world.say(
                json.dumps(shown | ({"plan": plan.digest} if self._digest else {}), indent=2, ensure_ascii=False)
            )
            return 0
        for warning in (*plan.warnings, *([plan.facts.weak] if plan.facts.weak else [])):
            self._world.note(warning)
        self._noted(plan)
        if versions:
            self._world.say(
                f"{visible(plan.facts.name)}: would go {visible(plan.current or 'empty')} → {visible(plan.target or 'empty')}"
            )
        elif not plan.baseline:
            self._world.say(f"{visible(plan.facts.name)}: nothing to do at version {visible(plan.current or 'none')}")
        for step in plan.steps:
            self._step(plan, step, sizes)
        if plan.drift:
            self._world.say(f"  drift: {listed(plan.drift)}")
        if plan.pending:
            self._world.say(f"  left pending: {listed(plan.pending)}")
        if self._digest:
            self._world.say(f"  plan {plan.digest}")
        return 0

    def _noted(self, plan: Plan) -> None:
        """What would be noted as applied without being run: a baseline, or another tool's history."""
        if not plan.baseline:
            return
        noted = [row.version for row in plan.baseline if row.state == "applied"]
        self._world.say(f"{visible(plan.facts.name)}: would note as applied, without running them: {listed(noted)}")
        for row in plan.baseline:
            if row.state != "applied":
                part = f"{row.statements_done} of {row.statements_total} statements"
                self._world.say(
                    f"  {visible(row.name)} was carried out in part ({part}); the next deploy goes on there"
                )

    def _step(self, plan: Plan, step: Step, sizes: Mapping[str, int]) -> None:
        resumed = f" (from statement {step.done + 1} on)" if step.done else ""
        count = counted(len(step.statements), "statement")
        self._world.say(f"  {visible(step.name)}  {count}{resumed}, transaction: {step.mode}")
        if not self._digest:
            return
        for row in _statements(plan, step, sizes):
            rows = ", ".join(f"{visible(table)} has about {number} rows" for table, number in row["rows"].items())
            facts = "; ".join(
                part for part in (f"lock {row['lock']}" if row["lock"] else "", _EFFECTS[row["effect"]], rows) if part
            )
            text = " ".join(row["text"].split())
            self._world.say(
                f"    {row['line']}: {visible(text[:100])}{' …' * (len(text) > 100)}{f'  [{facts}]' * bool(facts)}"
            )


def plans_document(found: Sequence[tuple[str, Plan, Mapping[str, int]]]) -> dict[str, Any]:
    """The JSON of the plan of one database, or of several with one digest for all."""
    from ci_runner.journeys.deploying_many import together

    if len(found) == 1:
        return plan_document(found[0][1], found[0][2])
    shown = [{"name": name} | plan_document(plan, sizes) for name, plan, sizes in found]
    return {"digest": together([plan for _, plan, _ in found]), "databases": shown}


def plan_document(plan: Plan, sizes: Mapping[str, int]) -> dict[str, Any]:
    """The JSON of a plan."""
    origin = plan.origin
    return {
        "digest": plan.digest,
        "dir": plan.dir,
        "source": {"kind": origin.kind, "address": origin.address, "digest": origin.digest, "seq": origin.seq or None},
        "database": plan.facts.identity,
        "engine": plan.facts.engine,
        "best_effort": plan.facts.weak or None,
        "order": plan.order,
        "from": plan.current,
        "to": plan.target,
        "steps": [
            {
                "version": step.version,
                "name": step.name,
                "kind": step.kind,
                "transaction": step.mode,
                "resumes_at": step.done + 1 if step.done else None,
                "sha256": step.file_hash.removeprefix("s1:"),
                "checks": list(step.checks),
                "statements": _statements(plan, step, sizes),
            }
            for step in plan.steps
        ],
        "baseline": [row.version for row in plan.baseline],
        "pending": list(plan.pending),
        "skipped": list(plan.skipped),
        "drift": list(plan.drift),
        "warnings": list(plan.warnings),
    }


def _statements(plan: Plan, step: Step, sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    from ci_runner import sql

    found = sql.effects(step.statements, plan.facts.dialect)
    return [
        {
            "line": effect.line,
            "text": effect.text,
            "lock": effect.lock,
            "effect": effect.effect,
            "not_analysed": effect.not_analysed,
            "rows": {name: sizes[name] for name in sorted({name for _, name, _ in effect.operations if name in sizes})},
        }
        for effect in found
    ]
