"""How a run ends early, and the exit code of each way."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.databases import DatabaseFailure
from ci_runner.deploy.place import place
from ci_runner.deploy.run import Run
from ci_runner.errors import PilotageError
from ci_runner.model.deploy import Failure, Step

REFUSED, USAGE, IN_DOUBT, TEMPORARY = 1, 2, 4, 5


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
    if failure.code == "25001":
        return "\nIt must run outside a transaction: write '-- pilotage:txmode none' at the top of the file"
    if failure.code in {"53100", "1021", "SQLITE_FULL", "1114"}:
        return "\nThe server has no space left: make room and run again"
    return ""


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
