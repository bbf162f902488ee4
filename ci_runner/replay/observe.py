"""The second pass: the change once more, on tables that hold rows, for what only then can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from ci_runner.databases import Database, Watcher
from ci_runner.devdb import DevDatabase
from ci_runner.errors import PilotageError
from ci_runner.model.report import Observation
from ci_runner.replay.clock import Clock, Limit
from ci_runner.replay.files import History, Piece, ReplayFile, called, pieces, texts
from ci_runner.replay.runner import Runner, Stopped


class Observed(NamedTuple):
    """What was seen, and what could not be looked at, in words; ``remarks`` are what somebody has to mend."""

    observations: tuple[Observation, ...]
    unobserved: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def observe(
    dev: DevDatabase,
    history: History,
    change: Sequence[ReplayFile],
    limit: Limit,
    seeds: Sequence[ReplayFile] = (),
    untouched: Database | None = None,
) -> Observed:
    """Run each changed file on the state before it, with the rows of ``seeds`` and a row in every other table it names.

    The first is run in ``untouched``, a database in the state of the base, where there is one already.

    A refusal is an observation; the next file then starts from the state the first pass had, without seeds, for they belong to the schema
    before the change. Nothing here changes the outcome of that pass: when the time is over or the server is gone, what was seen so far is all.
    """
    found: list[Observation] = []
    left_out: dict[str, None] = {}
    database, remarks = _sown(dev, history, change, limit, seeds, untouched)
    sown = bool(seeds) and database is not None
    for number, file in enumerate(change):
        try:
            database = database or state(dev, history, change, number, limit)
            with limit.clock(database, dev) as clock:
                watcher = database.watcher()
                left_out |= dict.fromkeys(f"no row could be made for table {name}" for name in watcher.fill(file.text))
                seen, fits = _file(clock, database, watcher, file)
        except (PilotageError, Stopped) as error:
            left_out[f"{file.name} was not watched: {error}"] = None
            break
        if clock.rang:
            left_out[f"{file.name} was not watched to its end: it took longer than {limit.seconds:g} s"] = None
            break
        found += seen
        if not fits:
            found += [replace(seen[-1], kind="seed-error")] if sown else []
            database.close()
            database, sown = None, False
    if database is not None:
        database.close()
    return Observed(tuple(found), tuple(left_out), remarks)


def _sown(
    dev: DevDatabase,
    history: History,
    change: Sequence[ReplayFile],
    limit: Limit,
    seeds: Sequence[ReplayFile],
    database: Database | None,
) -> tuple[Database | None, tuple[str, ...]]:
    """The state before the change with the rows of the seeds; None, and why, where they do not run. Without seeds what there is."""
    if not seeds:
        return database, ()
    try:
        database = database or state(dev, history, change, 0, limit)
        with limit.clock(database, dev) as clock:
            Runner(database, dev, clock).changed(seeds)
    except Stopped as stopped:
        error = stopped.error
        reason = f"{error.file}:{error.line}: {error.message.partition(chr(10))[0]}"
    except PilotageError as failure:
        reason = str(failure)
    else:
        return database, ()
    if database is not None:
        database.close()
    return None, (f"the seeds do not run, so the change was watched without them: {reason}",)


def state(dev: DevDatabase, history: History, change: Sequence[ReplayFile], done: int, limit: Limit) -> Database:
    """A database after the base and the first ``done`` files of the change, copied where the server can copy."""
    kept = dev.restore(history.key, texts(change))
    database = kept or dev.fresh(texts([*history.files, *change]))
    with limit.clock(database, dev) as clock:
        runner = Runner(database, dev, clock)
        runner.released(() if kept else history.files)
        runner.changed(change[:done])
    return database


def _called(file: ReplayFile, piece: Piece) -> str:
    return f"{called(file, piece.first, piece.first + len(piece.statements) - 1)}, on tables with rows,"


def _file(clock: Clock, database: Database, watcher: Watcher, file: ReplayFile) -> tuple[list[Observation], bool]:
    """Watch one file: what was seen, and whether the state is that of the first pass still, for no statement was refused."""
    found: list[Observation] = []
    for piece in pieces(file):
        clock.runs(partial(_called, file, piece))
        watched = watcher.watch(piece.statements, transaction=piece.transaction or file.transaction == "all")
        found += [
            Observation(file.name, piece.first + seen.statement, seen.kind, seen.object, seen.detail)
            for seen in watched.seen
        ]
        failure = watched.failure
        if failure is not None:
            if failure.lost:
                raise failure
            found.append(Observation(file.name, piece.first + (failure.statement or 0), "error", "", failure.message))
            return found, False
    database.commit()
    database.reset()
    return found, True
