"""Files that cannot be one transaction, statement by statement: rows with their count, everything else behind an intent."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from ci_runner.databases import DatabaseFailure
from ci_runner.deploy import resuming, revisions
from ci_runner.deploy.effects import Effect, effect, settings_before
from ci_runner.deploy.intent import fingerprint
from ci_runner.deploy.run import Run, sent, with_failure
from ci_runner.deploy.stopped import Stopped, kept, refused
from ci_runner.errors import TemporaryError
from ci_runner.model.deploy import Applied, Revision, Step
from ci_runner.model.operations import Statement

_ENDS = frozenset({"begin", "commit", "rollback"})
# Refusals that come before a statement does anything: syntax, names, rights (error references of MySQL, ClickHouse and Snowflake).
_BEFORE = frozenset(
    {"1064", "1146", "1054", "1044", "1045", "1142", "1143", "1305", "1370", "1049", "1147"}
    | {
        "SYNTAX_ERROR",
        "UNKNOWN_TABLE",
        "UNKNOWN_DATABASE",
        "UNKNOWN_IDENTIFIER",
        "ACCESS_DENIED",
        "NO_SUCH_COLUMN_IN_TABLE",
    }
    | {"1003", "2003", "2043", "904", "3001"}
)


class _Going(NamedTuple):
    run: Run
    step: Step
    effects: tuple[Effect, ...]
    times: list[int]

    @property
    def statements(self) -> tuple[Statement, ...]:
        return self.step.statements


def carry_out(run: Run, step: Step) -> None:
    """Carry out one file, going on where an earlier run stopped. Stopped when a statement is refused or its effect is not known."""
    effects = tuple(effect(each, run.target.facts.dialect) for each in step.statements)
    going = _Going(run, step, effects, [])
    begun = run.tools.clock()
    row = resuming.row(run, step, effects)
    run.target.write([run.put(row)])
    run.known.add(step.version)
    try:
        row = _statements(going, row)
    except DatabaseFailure as failure:
        raise _written(going, failure.statement or 0, failure) from None
    _ended(going, row, int((run.tools.clock() - begun) * 1000))


def _ended(going: _Going, row: Revision, spent: int) -> None:
    """Write down that the file is through, after ``spent`` milliseconds."""
    run, step = going.run, going.step
    row = replace(
        row,
        state="applied",
        finished_at=run.time(),
        duration_ms=spent,
        error="",
        error_statement=None,
        intent_statement=None,
        intent_fingerprint="",
    )
    run.target.reset()  # before the row: what the file left behind may not reach it
    if step.closing is None or not run.target.facts.rows:
        run.target.write(run.last(step, row))
    else:
        run.target.begin()
        run.target.commit(run.last(step, row))
    count, times = len(step.statements), tuple(going.times)
    run.through(Applied(step.version, step.name, step.kind, count, spent, step.file_hash, times, step.done))


def _statements(going: _Going, row: Revision) -> Revision:
    run, total = going.run, len(going.statements)
    for index in settings_before(going.effects, row.statements_done):
        run.target.run(sent([going.statements[index]]))
    index = row.statements_done
    while index < total:
        run.target.check_lock(run.lock)
        if run.tools.stop.asked:
            raise TemporaryError(
                f"{going.step.name}: stopped on request after {index} of {total} statements; run again to go on"
            )
        index, row = _one(going, row, index)
    if run.target.in_transaction:  # the file began a transaction and left it open
        run.target.commit([revisions.progress(run.target, replace(row, statements_done=total))])
    return replace(row, statements_done=total)


def _one(going: _Going, row: Revision, index: int) -> tuple[int, Revision]:
    """Carry out what comes next; the index behind it and the row as it is then."""
    run, effects = going.run, going.effects
    found = effects[index]
    run.limits(going.step, going.statements[index])
    if found.kind in _ENDS:
        return _own_transaction(going, row, index)
    if found.kind == "setting":
        _send(going, index, index + 1)
        return index + 1, row
    if run.target.in_transaction:
        if found.kind == "rows" or (run.target.facts.ddl and not found.alone):
            _send(going, index, index + 1)
            return index + 1, row
        return index + 1, _with_intent(going, row, index)
    end = _unit(going, index)
    if end > index:
        return end, _together(going, row, index, end)
    return index + 1, _with_intent(going, row, index)


def _unit(going: _Going, index: int) -> int:
    """Where the transaction that begins at ``index`` ends; ``index`` itself for a statement that none can hold."""
    step, facts = going.step, going.run.target.facts
    end = index
    while end < len(going.statements) and _fits(going, end):
        end += 1
        same_part = bool(step.parts) and end < len(step.parts) and step.parts[end] == step.parts[index]
        wanted = going.statements[end].transaction if end < len(going.statements) else None
        if not (same_part and wanted != "none") and not (step.mode == "file" and not facts.ddl):
            break
    return end


def _fits(going: _Going, index: int) -> bool:
    found, target = going.effects[index], going.run.target
    if found.alone or found.kind in _ENDS:
        return False
    if target.facts.ddl:
        return True
    return (
        found.kind == "rows"
        and target.facts.rows
        and target.undoes([(name.schema, name.name) for name in found.tables])
    )


def _together(going: _Going, row: Revision, start: int, end: int) -> Revision:
    """Statements and their count in one transaction."""
    run = going.run
    after = replace(row, statements_done=end, state="running", intent_statement=None, intent_fingerprint="")

    def attempt() -> None:
        run.target.begin()
        try:
            _send(going, start, end)
        except DatabaseFailure:
            run.target.rollback()
            raise

    run.patiently(going.step.name, attempt)
    try:
        run.target.commit([revisions.progress(run.target, after)])
    except DatabaseFailure as failure:
        _look_up(going, end, failure)
    return after


def _look_up(going: _Going, done: int, failure: DatabaseFailure) -> None:
    """A COMMIT whose answer was lost: the row tells, on a new session that has the lock."""
    if not failure.lost:
        going.run.target.rollback()
        raise failure.at(done - 1)
    found = going.run.again(going.step.version)
    if found is None or found.statements_done < done:
        raise TemporaryError(
            f"{going.step.name}: the connection was lost at COMMIT and statement {done} was not committed (looked up on a new connection); run again"
        )
    for index in settings_before(going.effects, done):
        going.run.target.run(sent([going.statements[index]]))


def _own_transaction(going: _Going, row: Revision, index: int) -> tuple[int, Revision]:
    """The file's own BEGIN, COMMIT, ROLLBACK; the count goes into its transaction, right before the COMMIT."""
    run, kind = going.run, going.effects[index].kind
    after = row if kind == "begin" else replace(row, statements_done=index + 1)
    with_it = kind == "commit" and run.target.in_transaction
    if with_it:
        run.target.write([revisions.progress(run.target, after)])
    try:
        _send(going, index, index + 1)
    except DatabaseFailure as failure:
        if not with_it or not failure.lost:
            raise
        _look_up(going, index + 1, failure)
    if kind != "begin" and not with_it:
        run.target.write([revisions.progress(run.target, after)])
    return index + 1, after


def _with_intent(going: _Going, row: Revision, index: int) -> Revision:
    """Intent, statement, done: what is open when the process dies is judged by :func:`resuming.row`."""
    run, found = going.run, going.effects[index]
    resuming.unfinished(run, found)
    before = fingerprint(run.target, found)
    intent = replace(row, statements_done=index, state="running", intent_statement=index + 1, intent_fingerprint=before)
    run.target.write([revisions.progress(run.target, intent)])
    try:
        run.patiently(going.step.name, lambda: _send(going, index, index + 1))
    except DatabaseFailure as failure:
        if not failure.lost and not run.target.in_transaction:
            _after_refusal(going, intent, index, failure, before)
        raise
    after = replace(intent, statements_done=index + 1, intent_statement=None, intent_fingerprint="")
    run.target.write([revisions.progress(run.target, after)])
    return after


def _after_refusal(going: _Going, intent: Revision, index: int, failure: DatabaseFailure, before: str) -> None:
    """A refused statement did nothing, as a rule; where a part of it can have happened that is looked for, and told."""
    run, found, statement = going.run, going.effects[index], going.statements[index]
    partial = found.kind == "opaque" and _runs_code(statement) and failure.code not in _BEFORE
    partial |= found.kind == "rows" and failure.code not in _BEFORE
    changed = found.kind == "schema" and fingerprint(run.target, found) != before
    if not partial and not changed:
        return
    if changed and _only_invalid(run, found):
        return
    words = f"it was refused ({failure.message.splitlines()[0]}), but a part of it may have taken effect"
    raise resuming.stop_in_doubt(run, going.step, replace(intent, error=words))


def _only_invalid(run: Run, found: Effect) -> bool:
    """Whether all that is left is an index that was not finished, which has a message of its own."""
    return all(each.kind == "index" for each in found.expects) and bool(run.target.invalid_indexes())


def _runs_code(statement: Statement) -> bool:
    return not statement.operations or any(
        each.kind in {"call", "do-block", "procedural-block", "execute-prepared", "execute-dynamic"}
        for each in statement.operations
    )


def _send(going: _Going, start: int, end: int) -> None:
    try:
        times = going.run.target.run(sent(going.statements[start:end]))
    except DatabaseFailure as failure:
        raise failure.at(start + (failure.statement or 0)) from None
    going.times.extend(times)


def _written(going: _Going, index: int, failure: DatabaseFailure) -> Stopped:
    """Write down where the file stopped; a connection that is gone leaves the row of the last statement, which is true."""
    run, step = going.run, going.step
    stopped = refused(run, step, index, failure)
    if failure.lost:
        return stopped
    run.target.reset()  # the file may have left another role, or settings that keep us from reading and writing
    rows = revisions.read(run.target, run.options.dir).revisions
    now = next((row for row in rows if row.version == step.version), None)
    if now is None:
        return stopped
    stopped = kept(stopped, step, now.statements_done)
    row = with_failure(now, "failed", stopped.failure.message, stopped.failure.statement)
    invalid = _invalid(going, index)
    if invalid:
        stopped.failure = replace(stopped.failure, message=f"{stopped.failure.message}\n{invalid}")
    run.target.write([run.put(replace(row, intent_statement=None, intent_fingerprint=""))])
    return stopped


def _invalid(going: _Going, index: int) -> str:
    """The unfinished index a refused CREATE INDEX CONCURRENTLY leaves, and how to be rid of it."""
    names = {each.name.name for each in going.effects[index].expects if each.kind == "index"}
    left = [
        (name, sql) for name, sql in going.run.target.invalid_indexes() if name.rpartition(".")[2].strip('"') in names
    ]
    return "\n".join(
        f"The index {name} is left unfinished: {sql}; (or run again with --repair-indexes)" for name, sql in left
    )
