"""Files run one after the other on one session, and the place of the statement that was refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from ci_runner.databases import Database, DatabaseFailure, Seen
from ci_runner.devdb import DevDatabase, WentAway
from ci_runner.model.report import ReplayError
from ci_runner.replay.clock import Clock
from ci_runner.replay.files import Piece, ReplayFile, alone, called, pieces

STATEMENT_LIMIT = 1_000
CLOSELY = 25  # files of a change that run statement by statement, so that it is known which one runs; of more it is known which file
REMARKS = 20
ASIDE = {
    "left-out": "not analysed, because {engine} was not given it: {words}",
    "not-judged": "not judged by {engine}, which refuses it: {words}",
}
REMEDY = "run it again, and if it goes away at the same place give the server more memory or look at that statement"
RELEASED = "in a released file, before this change comes to run: "


class Stopped(Exception):  # noqa: N818 - the end of a replay, not a failure of the program
    """A statement was refused; carries what the report says of it."""

    def __init__(self, error: ReplayError) -> None:
        super().__init__(error.message)
        self.error = error


class Runner:
    """Runs files on ``database``; ``statements`` counts those that were accepted."""

    def __init__(self, database: Database, dev: DevDatabase, clock: Clock) -> None:
        self.statements = 0
        self.database = database
        self._dev = dev
        self._clock = clock
        self._closely = False
        self._passed_over = 0
        self.remarks: list[str] = []

    def go_on(self, database: Database) -> None:
        """The same state on another session."""
        self.database = database
        self._clock.watch(database)

    def released(self, files: Sequence[ReplayFile]) -> None:
        """Run the history, file by file or several in one go; Stopped when it does not run."""
        at = 0
        while at < len(files):
            done = self._several(files, at)
            if not done:
                self._file(files[at], RELEASED)
            at += done or 1

    def changed(self, files: Sequence[ReplayFile]) -> None:
        """Run the change; neighbours of mode "all" share one transaction."""
        self._closely = len(files) <= CLOSELY
        for together, group in groupby(files, key=lambda file: file.transaction == "all"):
            members = list(group)
            if together:
                self._together(members)
            else:
                for file in members:
                    self._file(file)

    def _several(self, files: Sequence[ReplayFile], at: int) -> int:
        """Run those files from ``at`` on that may go together; how many are done."""
        self._clock.runs(lambda: f"{files[at].name}, or one of the files behind it,")
        try:
            done = self.database.several(alone(files[number] for number in range(at, len(files))))
        except DatabaseFailure as failure:
            file = files[at + (failure.statement or 0)]
            raise self._stopped(file, len(file.statements) - 1, failure, RELEASED) from None
        self.statements += sum(len(file.statements) for file in files[at : at + done])
        self._rest()
        return done

    def _together(self, files: Sequence[ReplayFile]) -> None:
        self.database.begin()
        for file in files:
            self._statements(file, "")
        self._commit(files[-1], "")

    def _file(self, file: ReplayFile, prefix: str = "") -> None:
        self._statements(file, prefix)
        self._commit(file, prefix)
        self._rest()

    def _statements(self, file: ReplayFile, prefix: str) -> None:
        for piece in pieces(file):
            try:
                aside = self.database.execute(
                    piece.statements, transaction=piece.transaction, after=self._named(file, piece)
                )
            except DatabaseFailure as failure:
                index = len(piece.statements) - 1 if failure.statement is None else failure.statement
                self.statements += index
                raise self._stopped(file, piece.first + index, failure, prefix) from None
            self.statements += len(piece.statements)
            self._remark(file, piece.first, aside, released=bool(prefix))

    def _named(self, file: ReplayFile, piece: Piece) -> Callable[[int], None] | None:
        """Tell the clock what begins to run; what is to be called behind each statement, None where they are not looked at one by one."""
        last = piece.first + len(piece.statements) - 1
        if not self._closely:
            self._clock.runs(partial(called, file, piece.first, last))
            return None

        def behind(index: int) -> None:
            runs = min(piece.first + index + 1, last)
            self._clock.runs(partial(called, file, runs, runs))

        behind(-1)
        return behind

    def _rest(self) -> None:
        self._clock.rests()
        self.database.reset()

    def _remark(self, file: ReplayFile, first: int, aside: Sequence[Seen], *, released: bool) -> None:
        """What the dev database was not given; of released files only that there was something."""
        if released:
            self._passed_over += sum(seen.kind == "not-judged" for seen in aside)
            return
        for number, group in groupby(aside, key=lambda seen: (seen.statement, seen.kind)):
            words = ", ".join(seen.detail for seen in group)
            line = file.statements[first + number[0]].line
            self.remarks.append(f"{file.name}:{line}: {ASIDE[number[1]].format(words=words, engine=self._dev.engine)}")

    def all_remarks(self) -> tuple[str, ...]:
        """Those of the changed files, the first of them, and how many statements of released ones were passed over."""
        released = (
            f"statements of released files that {self._dev.engine} does not know, passed over: {self._passed_over}"
        )
        more = f"… and {len(self.remarks) - REMARKS} remarks of the kind"
        return (
            *([released] if self._passed_over else []),
            *self.remarks[:REMARKS],
            *([more] if len(self.remarks) > REMARKS else []),
        )

    def _commit(self, file: ReplayFile, prefix: str) -> None:
        """Commit what a file, or all of them, left open."""
        try:
            self.database.commit()
        except DatabaseFailure as failure:
            raise self._stopped(file, len(file.statements) - 1, failure, prefix) from None

    def _stopped(self, file: ReplayFile, index: int, failure: DatabaseFailure, prefix: str) -> Stopped | WentAway:
        statement = file.statements[index]
        line, column = _place(file, statement.start, statement.text, failure.position)
        words = failure.message
        if self._clock.rang:
            end = "it would not be interrupted, so its session was ended" if failure.lost else words
            words = f"stopped after {self._clock.seconds:g} s, the time limit of a replay; this statement did not end ({end})"
        elif failure.lost and not self._dev.advice(failure):
            return WentAway(f" at {file.name}:{line}", words.splitlines()[0], REMEDY)
        advice = self._dev.advice(failure)
        text = prefix + words + (f"\n{advice}" if advice else "")
        return Stopped(ReplayError(file.name, line, column, text, _cut(statement.text), failure.code))


def _place(file: ReplayFile, start: int, text: str, position: int | None) -> tuple[int, int]:
    """Line and column, both from 1, of the character the server pointed at; else of the statement's beginning."""
    exact = position is not None and file.text.startswith(text[: position + 1], start)
    offset = start + position if exact and position is not None else start
    return file.text.count("\n", 0, offset) + 1, offset - file.text.rfind("\n", 0, offset)


def _cut(text: str) -> str:
    return text if len(text) <= STATEMENT_LIMIT else text[:STATEMENT_LIMIT] + " …"
