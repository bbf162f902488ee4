"""The round trip: each changed file up, down and up again, on a database that must then be what it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ci_runner.databases import Database
from ci_runner.devdb import DevDatabase
from ci_runner.errors import PilotageError
from ci_runner.model.difference import difference
from ci_runner.model.report import FILE, Observation, SchemaChange
from ci_runner.replay.clock import Limit
from ci_runner.replay.files import History, ReplayFile
from ci_runner.replay.observe import Observed, state
from ci_runner.replay.runner import Runner, Stopped

MOST = 25  # files; a whole history is nobody's change
TOLD = 5  # differences that a finding names


def undone(
    dev: DevDatabase,
    base: Callable[[], Sequence[ReplayFile]],
    change: Sequence[ReplayFile],
    downs: Mapping[str, Sequence[ReplayFile]],
    *,
    key: str,
    limit: Limit,
) -> Observed:
    """What the way back of each changed file leaves; ``downs`` are its statements by the file's name, in order.

    ``key`` is what the state of ``base`` may be kept under. Observations are of the kinds ``down-fails`` and ``down-differs``; ``object`` is
    where the way back stands. Every file was seen to run before.
    """
    wanted = [number for number, file in enumerate(change) if downs.get(file.name)]
    if len(wanted) > MOST:
        return Observed((), (f"{len(wanted)} files are too many to be taken back (at most {MOST})",))
    history = History(base, key)
    found: list[Observation] = []
    database: Database | None = None
    for number, file in enumerate(change[: wanted[-1] + 1] if wanted else ()):
        try:
            database = database or state(dev, history, change, number, limit)
            with limit.clock(database, dev) as clock:
                runner = Runner(database, dev, clock)
                seen = _there_and_back(runner, file, downs.get(file.name, ()))
        except (PilotageError, Stopped) as error:
            return Observed(tuple(found), (f"{file.name} was not taken back: {error}",))
        if seen is not None:
            found.append(seen)
            database.close()
            database = None
    if database is not None:
        database.close()
    return Observed(tuple(found), ())


def _there_and_back(runner: Runner, file: ReplayFile, down: Sequence[ReplayFile]) -> Observation | None:
    """Run the file and take it back; what is wrong, or None and the state after the file."""
    if not down:
        runner.changed([file])
        return None
    before = runner.database.inspect()
    runner.changed([file])
    try:
        runner.changed(down)
    except Stopped as stopped:
        error = stopped.error
        return Observation(
            file.name, FILE, "down-fails", f"{error.file}:{error.line}", error.message.partition("\n")[0]
        )
    rows = difference(before, runner.database.inspect())
    if rows:
        return Observation(file.name, FILE, "down-differs", down[0].name, _told(rows))
    try:
        runner.changed([file])
    except Stopped as stopped:
        words = f"the file does not run a second time: {stopped.error.message.partition(chr(10))[0]}"
        return Observation(file.name, FILE, "down-differs", down[0].name, words)
    return None


def _told(rows: Sequence[SchemaChange]) -> str:
    said = [_difference(row) for row in rows[:TOLD]]
    return "; ".join([*said, f"and {len(rows) - TOLD} more"] if len(rows) > TOLD else said)


def _difference(row: SchemaChange) -> str:
    what = f'{row.what} "{row.name}"'
    if row.action == "added":
        return f"{what} is left"
    if row.action == "removed":
        return f"{what} is missing"
    return f"{what} was {row.before or 'plain'} and is {row.after or 'plain'}"
