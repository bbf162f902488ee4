"""Files in one transaction with their row: either both are there or neither."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ci_runner.databases import DatabaseFailure
from ci_runner.deploy.run import Run, sent, with_failure
from ci_runner.deploy.stopped import Stopped, at_the_end, kept, refused
from ci_runner.errors import TemporaryError
from ci_runner.model.deploy import Applied, Revision, Step


class _At(Exception):  # noqa: N818 - carries a failure to where it is written down
    """``own``: how many rows of ours stood before the COMMIT that was refused; None while the file's statements ran."""

    def __init__(self, step: Step, index: int, failure: DatabaseFailure, own: int | None = None) -> None:
        self.step, self.index, self.failure, self.own = step, index, failure, own


def together(run: Run, steps: Sequence[Step]) -> None:
    """Carry the steps out in one transaction: one of them in the mode file, all in the mode all."""
    try:
        rows = run.patiently(steps[0].name, lambda: _attempt(run, steps))
    except DatabaseFailure as failure:
        raise _recorded(run, _At(steps[0], 0, failure)) from None
    except _At as at:
        raise _recorded(run, at) from None
    for step, (row, times) in zip(steps, rows, strict=True):
        run.known.add(step.version)
        run.through(
            Applied(step.version, step.name, step.kind, len(step.statements), row.duration_ms, step.file_hash, times)
        )
    run.target.reset()


def _attempt(run: Run, steps: Sequence[Step]) -> list[tuple[Revision, tuple[int, ...]]]:
    target = run.target
    run.limits(steps[0])
    target.check_lock(run.lock)
    target.begin()
    rows: list[tuple[Revision, tuple[int, ...]]] = []
    pending: list[str] = []
    try:
        for step in steps:
            target.write(pending)
            begun = run.tools.clock()
            started = run.time()
            times = _statements(run, step)
            row = replace(
                run.row(step, "applied", done=len(step.statements)),
                started_at=started,
                duration_ms=int((run.tools.clock() - begun) * 1000),
            )
            rows.append((row, times))
            pending = run.last(step, row)
    except _At as at:
        target.rollback()
        if target.busy(at.failure.code) and not at.failure.lost:
            raise at.failure.at(at.index) from None
        raise
    _commit(run, steps, pending)
    return rows


def _statements(run: Run, step: Step) -> tuple[int, ...]:
    """All at once where no statement has limits of its own."""
    from ci_runner.deploy.run import directives

    own = any(
        name in {"timeout", "lock_timeout"} for each in step.statements if each.comments for name, _ in directives(each)
    )
    try:
        if not own:
            return run.target.run(sent(step.statements))
        times: list[int] = []
        for index, statement in enumerate(step.statements):
            run.limits(step, statement)
            try:
                times += run.target.run(sent([statement]))
            except DatabaseFailure as failure:
                raise failure.at(index) from None
        return tuple(times)
    except DatabaseFailure as failure:
        raise _At(step, failure.statement or 0, failure) from None


def _commit(run: Run, steps: Sequence[Step], pending: Sequence[str]) -> None:
    last = steps[-1]
    try:
        run.target.commit(pending)
    except DatabaseFailure as failure:
        if not failure.lost:
            run.target.rollback()
            raise _At(last, max(0, len(last.statements) - 1), failure, len(pending)) from None
        row = run.again(last.version)
        if row is None or row.run_id != run.options.run_id or row.state != "applied":
            raise TemporaryError(
                f"{last.name}: the connection was lost at COMMIT and the transaction was not committed (looked up on a new connection); run again"
            ) from None
        run.tools.say(f"{last.name}: the connection was lost at COMMIT; a new one shows that it was committed")


def _recorded(run: Run, at: _At) -> Stopped:
    """Write down what stopped the file; where that cannot be written the transaction that is undone says enough."""
    step, failure = at.step, at.failure
    within = at.own is None
    stopped = kept(refused(run, step, at.index, failure), step, 0) if within else at_the_end(run, step, failure, at.own)
    if not failure.lost:
        row = with_failure(
            run.row(step, "failed", done=0), "failed", stopped.failure.message, stopped.failure.statement
        )
        try:
            run.target.reset()
            run.target.write([run.put(row)])
        except DatabaseFailure as second:
            run.tools.say(f"what stopped {step.name} could not be written down: {second.message}")
    return stopped
