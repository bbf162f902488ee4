"""How a run ends early, and the exit code of each way."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.databases import DatabaseFailure
from ci_runner.deploy.place import place
from ci_runner.deploy.run import Run
from ci_runner.errors import PilotageError, TemporaryError
from ci_runner.model.deploy import Failure, Step

REFUSED, USAGE, IN_DOUBT, TEMPORARY = 1, 2, 4, 5
# Rights that are missing: PostgreSQL, MySQL and MariaDB, SQL Server, ClickHouse.
_RIGHTS = frozenset({"42501", "1044", "1045", "1142", "1143", "1227", "1370", "229", "262", "ACCESS_DENIED"})
# Statements that no transaction can hold.
_ALONE = ("cannot run inside a transaction", "from within a transaction", "invalid transaction termination")


class Stopped(Exception):  # noqa: N818 - the end of a run that was written down, not a failure of the program
    """Carries the failure that output and record show."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def refused(run: Run, step: Step, index: int, failure: DatabaseFailure) -> Stopped:
    """The database refused statement ``index`` (from 0), or went away, or we were asked to stop."""
    where = place(step, index, failure)
    if run.tools.stop.asked:
        return _stopped(TEMPORARY, f"{where}: stopped on request; run again to go on", step, index, failure)
    if failure.lost:
        words = f"{where}: the connection to the database was lost ({_line(failure)}); run again: what is recorded is what happened"
        return _stopped(TEMPORARY, words, step, index, failure)
    if run.target.busy(failure.code):
        words = f"{where}: {_line(failure)}: somebody else held what it needs in every try; run again at a quieter time"
        return _stopped(TEMPORARY, words, step, index, failure)
    return _stopped(REFUSED, f"{where}: {failure.message}{_hint(failure)}", step, index, failure)


def _stopped(code: int, message: str, step: Step, index: int, failure: DatabaseFailure) -> Stopped:
    number = index + 1 if step.statements else None
    return Stopped(Failure(code, message, step.name, number, failure.code))


def _line(failure: DatabaseFailure) -> str:
    return failure.message.splitlines()[0] if failure.message else "no reason given"


def _hint(failure: DatabaseFailure) -> str:
    if any(words in failure.message for words in _ALONE):
        return "\nIt must run outside a transaction: write '-- pilotage:txmode none' at the top of the file"
    if failure.code in {"53100", "1021", "SQLITE_FULL", "1114"}:
        return "\nThe server has no space left: make room and run again"
    return ""


def ours(failure: DatabaseFailure) -> Failure:
    """A statement of our own was refused: the connection, no room, a right that is missing, a server that takes no writes."""
    if failure.lost:
        return of(TemporaryError(f"the connection to the database was lost: {failure.message}; run again"))
    if failure.full:
        words = f"the database has no room for Pilotage's own rows: {failure.message}; make room, then run again"
        return replace(of(TemporaryError(words)), sql_code=failure.code)
    words = f"the database refused a statement of Pilotage's own: {failure.message}"
    if failure.read_only:
        words += "; nothing can be written here: give the address of the primary, not of a replica, and a user and settings that may write"
        return Failure(USAGE, words, sql_code=failure.code)
    if failure.code in _RIGHTS:
        return Failure(USAGE, f"{words}; check the rights of its user", sql_code=failure.code)
    return Failure(REFUSED, words, sql_code=failure.code)


def at_the_end(run: Run, step: Step, failure: DatabaseFailure, own: int | None) -> Stopped:
    """The end of a step's transaction was refused: one of our ``own`` rows, or the COMMIT, where deferred constraints are checked."""
    if run.tools.stop.asked or run.target.busy(failure.code):
        return refused(run, step, max(0, len(step.statements) - 1), failure)
    if failure.full or (failure.statement is not None and failure.statement < (own or 0)):
        found = ours(failure)
        return Stopped(replace(found, message=f"{step.name}: {found.message}", file=step.name))
    words = f"{step.name}: at its COMMIT: {failure.message}; nothing of it took effect"
    return Stopped(Failure(REFUSED, words, step.name, None, failure.code))


def kept(stop: Stopped, step: Step, done: int) -> Stopped:
    """Say what is left of a file of several statements that was refused."""
    failure, total = stop.failure, len(step.statements)
    if failure.code == REFUSED and total > 1 and failure.statement is not None:
        rest = (
            f"the first {done} of its {total} statements took effect and are recorded"
            if done
            else "nothing of it took effect"
        )
        stop.failure = replace(
            failure, message=f"{failure.message}\n{step.name} stopped at statement {failure.statement}: {rest}"
        )
    return stop


def in_doubt(step: Step, message: str, number: int) -> Stopped:
    """Nobody can tell whether statement ``number`` (from 1) took effect."""
    return Stopped(Failure(IN_DOUBT, message, step.name, number))


def of(error: PilotageError) -> Failure:
    """The failure of an error that ended the run before or between files."""
    return Failure(error.exit_code, str(error))
