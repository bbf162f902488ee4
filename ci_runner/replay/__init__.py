"""Run migrations on a throw-away database, the released ones first, and say what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ci_runner.devdb import DevDatabase
from ci_runner.model.diagram import Diagram
from ci_runner.model.difference import difference
from ci_runner.model.drawing import changed
from ci_runner.model.report import Replay, SchemaChange
from ci_runner.replay.clock import Clock
from ci_runner.replay.files import History, ReplayFile, texts
from ci_runner.replay.observe import Observed, observe
from ci_runner.replay.runner import Runner, Stopped

__all__ = ["ReplayFile", "replay"]

BASE = "base"
TIME_LIMIT = 600.0
WATCHED = 25  # files; each takes a tenth of a second, and a refused one starts anew


def replay(
    base: Sequence[ReplayFile] | Callable[[], Sequence[ReplayFile]],
    change: Sequence[ReplayFile],
    dev: DevDatabase,
    *,
    time_limit: float = TIME_LIMIT,
    progress: Callable[[int], None] = lambda _files: None,
    key: str = "",
    seeds: Sequence[ReplayFile] = (),
) -> Replay:
    """Replay ``base``, then ``change``, on an empty database of ``dev``, as a runner would; then watch the change on tables with rows.

    The first refused statement ends it: status "failed" with its place. ``time_limit`` is in seconds, for the one as for the other.
    ``progress`` gets the number of files done. ``key`` stands for the whole base: where ``dev`` kept its state under that, it is not run
    again, nor called when it is a function. ``seeds`` fill tables before the change is watched. TemporaryError when the server itself goes away.
    """
    history = History(base, key or BASE)
    kept = dev.restore(key, texts(change)) if key else None
    database = kept or dev.fresh(texts(history.files))
    with Clock(database, time_limit, dev.kill) as clock:
        runner = Runner(database, dev, clock, progress)
        try:
            changes, diagram = _first_pass(runner, None if kept else history, change, dev)
        except Stopped as stopped:
            return Replay("failed", dev.engine, runner.statements, stopped.error)
        finally:
            runner.database.close()
    seen = _watched(dev, history, change, time_limit, seeds)
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
    time_limit: float,
    seeds: Sequence[ReplayFile],
) -> Observed:
    """The second pass, for a change a reviewer could read; of a whole history nobody asks how it behaved on rows."""
    if len(change) > WATCHED:
        return Observed(
            (), (f"{len(change)} files are too many to be watched on tables with rows (at most {WATCHED})",)
        )
    return observe(dev, history, change, time_limit, seeds) if change else Observed((), ())


def _first_pass(
    runner: Runner, history: History | None, change: Sequence[ReplayFile], dev: DevDatabase
) -> tuple[tuple[SchemaChange, ...], Diagram | None]:
    """Both on empty tables, with the base kept for the second pass; what the change did to the schema. No history: it ran already."""
    if history is not None:
        runner.released(history.files)
        runner.go_on(dev.snapshot(runner.database, history.key, texts(change)))
    before = runner.database.inspect()
    runner.changed(change)
    after = runner.database.inspect()
    return difference(before, after), changed(before, after)
