"""Where a file goes on that an earlier run began: behind what is recorded, or nowhere until a person has said what happened."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.databases import Sql
from ci_runner.deploy import history
from ci_runner.deploy.effects import Effect
from ci_runner.deploy.intent import verdict
from ci_runner.deploy.run import Run, of_statements
from ci_runner.deploy.stopped import Stopped, in_doubt
from ci_runner.errors import ConflictError
from ci_runner.model.deploy import Revision, Step


def row(run: Run, step: Step, effects: tuple[Effect, ...]) -> Revision:
    """The row the file starts from now; a statement that was begun and not seen to end is judged first."""
    fresh = run.row(step, "running", done=step.done)
    before = step.before
    if before is None or before.intent_statement is None:
        return fresh
    index = before.intent_statement - 1
    if index >= len(step.statements):
        raise stop_in_doubt(run, step, before)
    unfinished(run, effects[index])
    found = verdict(run.target, step.statements[index], effects[index], before.intent_fingerprint)
    if found == "unknown":
        raise stop_in_doubt(run, step, before)
    if found == "applied":
        run.tools.say(f"{step.name}: statement {index + 1} took effect in the run that was stopped; going on behind it")
        return replace(fresh, statements_done=index + 1, statement_hashes=of_statements(step))
    run.tools.say(
        f"{step.name}: statement {index + 1} had not taken effect in the run that was stopped; running it again"
    )
    return replace(fresh, statements_done=index, statement_hashes=of_statements(step))


def unfinished(run: Run, effect: Effect) -> None:
    """An index that a killed CREATE INDEX CONCURRENTLY left: dropped on request, else ConflictError with the statement to run."""
    names = {each.name.name for each in effect.expects if each.kind == "index" and each.how == "there"}
    for name, statement in run.target.invalid_indexes():
        if name.rpartition(".")[2].strip('"') not in names:
            continue
        if not run.options.repair_indexes:
            raise ConflictError(
                f"the index {name} was left unfinished by a run that was stopped and serves no query: run '{statement};' "
                "and deploy again, or deploy with --repair-indexes"
            )
        run.tools.say(f"removing the unfinished index {name}")
        run.target.run([Sql(statement)])


def stop_in_doubt(run: Run, step: Step, before: Revision) -> Stopped:
    """Record the doubt, and say how to settle it."""
    doubtful = replace(before, state="in_doubt", run_id=run.options.run_id)
    run.target.rollback()
    run.target.write([run.put(doubtful)])
    return in_doubt(step, history.doubt(doubtful, run.options.dir), before.intent_statement or 0)
