"""Run migrations on a throw-away database, the released ones first, and say what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ci_runner.devdb import DevDatabase
from ci_runner.model.report import Replay
from ci_runner.replay.clock import Clock
from ci_runner.replay.difference import difference
from ci_runner.replay.files import ReplayFile
from ci_runner.replay.runner import Runner, Stopped

__all__ = ["ReplayFile", "replay"]

TIME_LIMIT = 600.0


def replay(
    base: Sequence[ReplayFile],
    change: Sequence[ReplayFile],
    dev: DevDatabase,
    *,
    time_limit: float = TIME_LIMIT,
    progress: Callable[[int], None] = lambda _files: None,
) -> Replay:
    """Replay ``base``, then ``change``, on an empty database of ``dev``, as a runner would.

    The first refused statement ends it: status "failed" with its place. ``time_limit`` is in seconds and for everything.
    ``progress`` gets the number of files done. TemporaryError when the server itself goes away.
    """
    database = dev.fresh([file.text for file in (*base, *change)])
    try:
        with Clock(database, time_limit) as clock:
            runner = Runner(database, dev, clock, progress)
            try:
                runner.released(base)
                before = database.inspect()
                runner.changed(change)
            except Stopped as stopped:
                return Replay("failed", dev.engine, runner.statements, stopped.error)
            changes = difference(before, database.inspect())
    finally:
        database.close()
    return Replay("ok", dev.engine, runner.statements, changes=changes)
