"""A whole deployment to one database: lock, decide, carry out, write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Literal

from msgspec.structs import replace

from ci_runner.databases import DatabaseFailure, Target
from ci_runner.deploy import (
    approval,
    atomic,
    backwards,
    checks,
    guard,
    hashes,
    locking,
    naming,
    planning,
    revisions,
    stepwise,
    stopped,
)
from ci_runner.deploy.effects import effect
from ci_runner.deploy.keys import DOWN, key
from ci_runner.deploy.options import Options
from ci_runner.deploy.planning import Source
from ci_runner.deploy.revisions import Memory
from ci_runner.deploy.run import Run
from ci_runner.deploy.stop import Tools
from ci_runner.deploy.stopped import Stopped
from ci_runner.errors import ConflictError, PilotageError
from ci_runner.model.deploy import DirState, Failure, Outcome, Plan, Step

InChain = Callable[[str], bool]


def nobody_asks(_head: str) -> bool:
    """The answer for sources without a log."""
    return True


def decide(
    target: Target, source: Source, options: Options, in_chain: InChain = nobody_asks, *, back: bool = False
) -> Plan:
    """The plan, without a lock and without writing anything; ``back``: of the way back."""
    source, options = naming.known(target, source, options)
    options = _taken_over(target, source, options)
    return _decided(target, source, options, revisions.read(target, options.dir), in_chain, back=back)


def sizes(target: Target, plan: Plan) -> dict[str, int]:
    """Table → rows by the database's own statistics, for the tables that the plan's statements name and the database has."""
    found: dict[str, int] = {}
    for step in plan.steps:
        for statement in step.statements:
            known = effect(statement, target.facts.dialect)
            for name in (*known.tables, *(each.name for each in known.expects if each.kind == "table")):
                rows = target.rows(name.schema, name.name) if str(name) not in found else None
                if rows is not None:
                    found[str(name)] = rows
    return found


def _decided(
    target: Target, source: Source, options: Options, memory: Memory, in_chain: InChain, *, back: bool
) -> Plan:
    guard.sound(memory, target.facts.name, options)
    guard.rollback(memory.state, source.origin, in_chain, options)
    if not memory.there and not back:
        guard.clean(target.tables(), target.facts.name, options)
    plan = backwards.plan if back else planning.plan
    return plan(source, memory, target.facts, options, target.fingerprint())


def _taken_over(target: Target, source: Source, options: Options) -> Options:
    """The options with the history of another tool that is to be taken over."""
    if options.adopt is None or options.adopted:
        return options
    from ci_runner.deploy.foreign import taking

    return taking.prepared(target, source, options)


def _beside(run: Run) -> None:
    """Keep another tool's table up to date, where it was adopted so."""
    memory, source = run.memory, run.source
    if memory.state is None or not memory.state.adopted_from:
        return
    from ci_runner.deploy.foreign import taking

    run.beside = taking.beside(run.target, memory.state, source)
    fault = taking.safely(run.target, taking.behind(run.target, memory.state, source, memory.revisions))
    if fault:
        run.tools.say(f"the table of {memory.state.adopted_from} could not be brought level: {fault}")


def deploy(
    target: Target,
    source: Source,
    options: Options,
    tools: Tools,
    in_chain: InChain = nobody_asks,
    *,
    back: bool = False,
) -> Outcome:
    """Bring the database to the state of ``source``, or with ``back`` to an earlier version of it.

    Everything that goes wrong is in the outcome; the session is closed at the end.
    """
    run = Run(target, options, source, tools)
    begun, started = tools.clock(), run.time()
    tools.stop.watch(target.interrupt)
    try:
        failure = _through(run, in_chain, back=back)
    finally:
        tools.stop.watch(None)
        run.close()
    outcome = Outcome(
        "noop",
        dir=options.dir,
        facts=target.facts,
        origin=source.origin,
        run_id=options.run_id,
        actor=options.actor,
        started_at=started,
        action="adopt" if options.adopt is not None and not options.adopt.auto else "deploy",
        earlier=run.memory.revisions,
        lock_wait_ms=run.waited,
        duration_ms=int((tools.clock() - begun) * 1000),
    )
    return _outcome(outcome, run, failure)


def _through(run: Run, in_chain: InChain, *, back: bool) -> Failure | None:
    """Everything that needs the lock; what stopped it."""
    try:
        run.target.direct()
        run.waited = locking.acquire(run.target, run.lock, run.options.lock_wait, run.tools)
        _named(run)
        run.options = _taken_over(run.target, run.source, run.options)
        run.memory = revisions.read(run.target, run.options.dir)
        run.plan = plan = _decided(run.target, run.source, run.options, run.memory, in_chain, back=back)
        _beside(run)
        if plan.steps or plan.baseline:  # nothing to do is nothing to approve: a job may well be run again
            approval.approved(plan, run.options.plan)
        _carry_out(run, plan)
    except Stopped as stop:
        return stop.failure
    except DatabaseFailure as error:
        return stopped.ours(error)
    except PilotageError as error:
        return stopped.of(error)
    return None


def _named(run: Run) -> None:
    """Go on under the name the database knows the files by, which has a lock of its own."""
    before = run.options.dir
    run.source, run.options = naming.known(run.target, run.source, run.options)
    if run.options.dir != before:
        run.target.unlock(run.lock)
        run.lock = hashes.lock(run.options.dir, run.target.facts.schema)
        run.waited += locking.acquire(run.target, run.lock, run.options.lock_wait, run.tools)


def _carry_out(run: Run, plan: Plan) -> None:
    for warning in plan.warnings:
        run.tools.say(warning)
    _drifted(run, plan)
    run.known.update(row.version for row in run.memory.revisions)
    if not plan.steps and not plan.baseline:
        _anchored(run)
        return
    revisions.ensure(run.target)
    if plan.baseline:
        _baseline(run, plan)
    try:
        for together, group in groupby(plan.steps, key=lambda step: step.mode == "all"):
            steps = list(group)
            if together:
                for step in steps:
                    checks.hold(run.target, step)
                atomic.together(run, steps)
            else:
                for step in steps:
                    _file(run, step)
    finally:
        if run.applied or plan.baseline:
            _remember(run)


def _file(run: Run, step: Step) -> None:
    checks.hold(run.target, step)
    begun = step.done or (step.before is not None and step.before.intent_statement is not None)
    if step.mode == "file" and run.target.facts.ddl and not begun:
        atomic.together(run, [step])
    else:
        stepwise.carry_out(run, step)


def _drifted(run: Run, plan: Plan) -> None:
    if not plan.drift or run.options.drift == "off":
        return
    shown = ", ".join(plan.drift[:10]) + (f" and {len(plan.drift) - 10} more" if len(plan.drift) > 10 else "")
    if run.options.drift == "error":
        raise ConflictError(
            f"the schema is not what the last deployment left: {shown}. Undo that, or deploy with --drift warn"
        )
    run.tools.say(f"the schema is not what the last deployment left: {shown}")


def _baseline(run: Run, plan: Plan) -> None:
    run.target.begin()
    rows = [run.put(replace(row, started_at=run.time(), finished_at=run.time())) for row in plan.baseline]
    run.target.commit(rows)
    run.known.update(row.version for row in plan.baseline)


def _anchored(run: Run) -> None:
    """Nothing to do: remember a newer head of the registry, where there is something to remember it in."""
    state, origin = run.memory.state, run.origin
    if state is not None and origin.kind == "registry" and guard.number(origin.head) > state.last_seq:
        _write_state(run, state.objects)


def _remember(run: Run) -> None:
    """The schema as it is now, and the registry's head; a run that stopped has the lock still, so that this is true then, too."""
    try:
        run.target.rollback()
        _write_state(run, run.target.fingerprint())
    except DatabaseFailure as failure:
        run.tools.say(f"the schema's fingerprint could not be written down: {failure.message}")


def _write_state(run: Run, objects: Mapping[str, str]) -> None:
    origin, before = run.origin, run.memory.state or DirState(run.options.dir)
    newer = origin.kind == "registry"
    state = replace(
        before,
        fingerprint=hashes.fingerprint(objects),
        objects=objects,
        last_seq=guard.number(origin.head) if newer else before.last_seq,
        last_head=origin.head if newer else before.last_head,
        adopted_from=run.options.adopted_from or before.adopted_from,
        updated_at=run.time(),
    )
    run.target.write([revisions.put_state(run.target, state, known=run.memory.state is not None)])


def _outcome(outcome: Outcome, run: Run, failure: Failure | None) -> Outcome:
    plan = run.plan
    if plan is None:
        applied = planning.applied(run.memory)
        order = planning.versioned(run.source.mdir, applied)
        now = planning.current(order, applied)
        pending = tuple(key(each) for each in order if key(each) not in applied) if run.memory.there else ()
        return replace(
            outcome, before=now, after=now, pending=pending, status=_status(failure, done=False), error=failure
        )
    done = {each.version for each in run.applied}
    waiting = [step.version for step in plan.steps if step.version not in done]
    return replace(
        outcome,
        status=_status(failure, done=bool(run.applied or plan.baseline)),
        before=None if plan.baseline else plan.current,
        after=plan.target if not waiting else _reached(plan, done, waiting[0]),
        applied=tuple(run.applied),
        pending=(*waiting, *plan.pending),
        error=failure,
        warnings=plan.warnings,
        plan_digest=plan.digest,
        drift=plan.drift,
    )


def _reached(plan: Plan, done: set[str], waiting: str) -> str | None:
    """The version a plan that was not finished came to; on the way back that is the one to be undone next."""
    if waiting.startswith(DOWN):
        return waiting.removeprefix(DOWN)
    reached = [step.version for step in plan.steps if step.version in done and step.kind != "repeatable"]
    return reached[-1] if reached and plan.order == "linear" else plan.current


def _status(failure: Failure | None, *, done: bool) -> Literal["ok", "noop", "failed", "in_doubt"]:
    if failure is None:
        return "ok" if done else "noop"
    return "in_doubt" if failure.code == stopped.IN_DOUBT else "failed"
