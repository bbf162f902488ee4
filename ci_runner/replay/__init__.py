"""Run migrations on a throw-away database, the released ones first, and say what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from ci_runner.databases import Database, DatabaseFailure
from ci_runner.devdb import DevDatabase, WentAway
from ci_runner.errors import TemporaryError
from ci_runner.model.diagram import Diagram
from ci_runner.model.difference import difference
from ci_runner.model.drawing import changed
from ci_runner.model.report import Replay, SchemaChange
from ci_runner.replay.clock import Limit, Slow
from ci_runner.replay.files import History, ReplayFile, texts
from ci_runner.replay.observe import Observed, observe
from ci_runner.replay.runner import Runner, Stopped
from ci_runner.replay.sides import Touched, Whole, sides

__all__ = ["Limit", "ReplayFile", "Slow", "replay"]

BASE = "base"
TIME_LIMIT = 600.0
WATCHED = 25  # files; each takes a tenth of a second, and a refused one starts anew


def replay(
    base: Sequence[ReplayFile] | Callable[[], Sequence[ReplayFile]],
    change: Sequence[ReplayFile],
    dev: DevDatabase,
    *,
    time_limit: float = TIME_LIMIT,
    key: str = "",
    seeds: Sequence[ReplayFile] = (),
    keep: str = "",
    slow: Slow | None = None,
) -> Replay:
    """Replay ``base``, then ``change``, on an empty database of ``dev``, as a runner would; then watch the change on tables with rows.

    The first refused statement ends it: status "failed" with its place. ``time_limit`` is in seconds, for the one as for the other.
    ``slow`` is told of statements that run for long. ``key`` stands for the whole base: where ``dev`` kept its state under that, it is not run
    again, nor called when it is a function. ``keep`` stands for the base and the change: the state both leave is kept under that, too.
    ``seeds`` fill tables before the change is watched. WentAway when the server itself is gone.
    """
    try:
        wishes = Wishes(Limit(time_limit, slow), bool(key), seeds, keep)
        with ExitStack() as opened:
            return _replayed(History(base, key or BASE), change, dev, wishes, opened)
    except DatabaseFailure as failure:  # a refusal of a migration's statement is none: it is in the answer
        advice = dev.advice(failure) or "run it again"
        raise WentAway(" between two migrations", failure.message.splitlines()[0], advice) from None


class Wishes(NamedTuple):
    """How a replay is to be; ``again``: a state kept under the history's key may be taken up; ``keep``: a key for the state all leave."""

    limit: Limit
    again: bool
    seeds: Sequence[ReplayFile]
    keep: str


def _replayed(
    history: History, change: Sequence[ReplayFile], dev: DevDatabase, wishes: Wishes, opened: ExitStack
) -> Replay:
    kept = dev.restore(history.key, texts(change)) if wishes.again else None
    database = kept or dev.fresh(texts(history.files))
    with wishes.limit.clock(database, dev) as clock:
        runner = Runner(database, dev, clock)
        try:
            if kept is None:
                runner.released(history.files)
                runner.go_on(dev.snapshot(runner.database, history.key, texts(change)))
            look = _looking(runner.database, history, change, dev, wishes)
            if look.other is not None:
                opened.callback(look.other.close)
            changes, diagram = _first_pass(runner, change, look)
            if wishes.keep:
                runner.go_on(dev.snapshot(runner.database, wishes.keep))
        except Stopped as stopped:
            return Replay("failed", dev.engine, runner.statements, stopped.error)
        except DatabaseFailure as failure:
            if failure.lost or not clock.rang:
                raise
            raise TemporaryError(
                f"the replay was stopped between two migrations: it took longer than {clock.seconds:g} s, the time limit; run it again"
            ) from None
        finally:
            runner.database.close()
    seen = _watched(dev, history, change, wishes, look.other)
    return Replay(
        "ok",
        dev.engine,
        runner.statements,
        observations=seen.observations,
        changes=changes,
        unobserved=seen.unobserved,
        diagram=diagram,
        remarks=(*runner.all_remarks(), *seen.remarks),
    )


def _watched(
    dev: DevDatabase,
    history: History,
    change: Sequence[ReplayFile],
    wishes: Wishes,
    untouched: Database | None,
) -> Observed:
    """The second pass, for a change a reviewer could read; of a whole history nobody asks how it behaved on rows."""
    if len(change) > WATCHED:
        return Observed(
            (), (f"{len(change)} files are too many to be watched on tables with rows (at most {WATCHED})",)
        )
    return observe(dev, history, change, wishes.limit, wishes.seeds, untouched) if change else Observed((), ())


def _looking(
    database: Database, history: History, change: Sequence[ReplayFile], dev: DevDatabase, wishes: Wishes
) -> Whole | Touched:
    """At the schema, before the change is run. What it touched is asked for where the second pass needs another database anyway."""
    return (
        Whole(database) if wishes.keep or not 0 < len(change) <= WATCHED else sides(database, dev, history.key, change)
    )


def _first_pass(
    runner: Runner, change: Sequence[ReplayFile], look: Whole | Touched
) -> tuple[tuple[SchemaChange, ...], Diagram | None]:
    """The change on empty tables, and what it did to the schema."""
    runner.changed(change)
    before, after = look.schemas()
    return difference(before, after), changed(before, after)
