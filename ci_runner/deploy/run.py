"""One deployment as it goes on: the session it holds, what it has done, and how it writes that down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from ci_runner.databases import DatabaseFailure, Sql, Target
from ci_runner.deploy import hashes, locking, revisions
from ci_runner.deploy.options import Options
from ci_runner.deploy.planning import Source
from ci_runner.deploy.stop import Tools
from ci_runner.errors import PilotageError, TemporaryError
from ci_runner.model.deploy import Applied, Origin, Plan, Revision, RevisionState, Step
from ci_runner.model.operations import Statement
from ci_runner.text.durations import milliseconds

T = TypeVar("T")

_TRIES, _SHORTEST, _LONGEST = 10, 1.0, 60.0


class Run:
    """Holds the session and the lock; ``applied`` grows file by file. ``known`` are versions whose row is there.

    ``memory`` and ``plan`` are what was read and decided so far, ``waited`` the milliseconds until the lock was ours.
    ``beside`` gives the statements that tell another tool's table of a step, too.
    """

    def __init__(self, target: Target, options: Options, source: Source, tools: Tools) -> None:
        self.target = target
        self.options = options
        self.source = source
        self.tools = tools
        self.lock = hashes.lock(options.dir, target.facts.schema)
        self.waited = 0
        self.memory = revisions.Memory()
        self.plan: Plan | None = None
        self.applied: list[Applied] = []
        self.known: set[str] = set()
        self.beside: Callable[[Step, Revision], list[str]] = lambda _step, _row: []

    @property
    def origin(self) -> Origin:
        """Where the files came from."""
        return self.source.origin

    def close(self) -> None:
        """Give the lock back and end the session."""
        self.target.unlock(self.lock)
        self.target.close()

    def through(self, applied: Applied) -> None:
        """A file is carried out and recorded."""
        self.applied.append(applied)
        self.tools.done(applied)

    def row(self, step: Step, state: RevisionState, *, done: int) -> Revision:
        """The row of a step in this run."""
        origin, options = self.origin, self.options
        started = step.before.started_at if step.done and step.before else self.time()
        return Revision(
            dir=options.dir,
            version=step.version,
            position=step.position,
            name=step.name,
            description=step.description,
            kind=step.kind,
            state=state,
            statements_total=len(step.statements),
            statements_done=done,
            statement_hashes=() if step.mode != "none" and self.target.facts.ddl else of_statements(step),
            file_hash=step.file_hash,
            text_hash=step.text_hash,
            run_id=options.run_id,
            started_at=started,
            finished_at="" if state == "running" else self.time(),
            digest=origin.digest,
            registry_seq=origin.seq,
            registry_head=origin.head,
            inbox=origin.inbox,
            tool_version=options.tool_version,
            actor=options.actor,
        )

    def time(self) -> str:
        """Now, for the record only."""
        return self.tools.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"

    def put(self, row: Revision) -> str:
        """The statement that writes ``row`` over what is there."""
        return revisions.put(self.target, row, known=row.version in self.known)

    def last(self, step: Step, row: Revision) -> list[str]:
        """The statements that end a step: its own row, and the one that changes with it."""
        closing = [self.put(step.closing)] if step.closing is not None else []
        return [self.put(row), *closing, *self.beside(step, row)]

    def limits(self, step: Step, statement: Statement | None = None) -> None:
        """The time-outs in force: the statement's directives, else the file's, else the run's."""
        given = [(name, argument) for name, argument, _ in step.directives]
        given += directives(statement) if statement is not None else []
        lock = self.options.lock_timeout * 1000
        whole = self.options.statement_timeout * 1000
        for name, argument in given:
            value = milliseconds(argument) if name in {"timeout", "lock_timeout"} else None
            if value is not None and name == "timeout":
                whole = value
            elif value is not None:
                lock = value
        self.target.limits(int(lock), int(whole))

    def patiently(self, what: str, action: Callable[[], T]) -> T:
        """``action`` again while somebody else holds what it needs: ten times, 1 to 60 s apart with full jitter."""
        for repetition in range(_TRIES + 1):
            if self.tools.stop.asked:
                raise TemporaryError("stopped on request; what had been carried out is recorded, run again to go on")
            try:
                return action()
            except DatabaseFailure as failure:
                if failure.lost or repetition == _TRIES or not self.target.busy(failure.code) or self.tools.stop.asked:
                    raise
                pause = self.tools.random() * min(_LONGEST, _SHORTEST * 2**repetition)
                self.tools.say(
                    f"{what}: somebody else holds a lock it needs; trying again ({repetition + 1} of {_TRIES}) in {pause:.0f} s"
                )
                self.tools.wait(pause)
        raise AssertionError("the last repetition raises")

    def again(self, version: str) -> Revision | None:
        """After the session was lost: a new one, the lock on it (then the old session has ended), and the row as it is now."""
        try:
            self.target = self.target.reopen()
        except PilotageError as error:
            raise TemporaryError(
                f"the connection was lost at COMMIT and there is no new one ({error}); run again: the database has recorded what happened"
            ) from None
        self.tools.stop.watch(self.target.interrupt)
        locking.acquire(self.target, self.lock, self.options.lock_wait, self.tools)
        found = revisions.read(self.target, self.options.dir).revisions
        return next((row for row in found if row.version == version), None)


def of_statements(step: Step) -> tuple[str, ...]:
    """Hashes of the step's statements."""
    return tuple(hashes.statement_hash(each.text) for each in step.statements)


def sent(statements: Sequence[Statement]) -> list[Sql]:
    """The statements as the database gets them."""
    return [Sql(each.text, each.data) for each in statements]


def directives(statement: Statement) -> list[tuple[str, str]]:
    """(name, argument) of the directives in the comments that belong to a statement."""
    found = []
    for text, _ in statement.comments:
        for line in text.splitlines():
            words = line.strip().lstrip("-#/* \t")
            if words.startswith("pilotage:"):
                name, _, argument = words.removeprefix("pilotage:").partition(" ")
                found.append((name, argument.strip().removesuffix("*/").strip()))
    return found


def with_failure(row: Revision, state: RevisionState, message: str, statement: int | None) -> Revision:
    """The row of a file that stopped at ``statement`` (from 1)."""
    return replace(row, state=state, error=message, error_statement=statement)
