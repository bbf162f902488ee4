"""The schema that a history leaves, as a database says it after running it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ci_runner.databases import Database
from ci_runner.devdb import DevDatabase
from ci_runner.errors import CheckError
from ci_runner.replay.clock import Limit
from ci_runner.replay.files import ReplayFile
from ci_runner.replay.runner import Runner, Stopped

T = TypeVar("T")


def standing(files: Sequence[ReplayFile], dev: DevDatabase, look: Callable[[Database], T], limit: Limit) -> T:
    """What ``look`` sees of an empty database of ``dev`` after ``files`` ran on it; CheckError names the statement that was refused."""
    database = dev.fresh([file.text for file in files])
    with limit.clock(database, dev) as clock:
        runner = Runner(database, dev, clock)
        try:
            runner.changed(files)
            return look(runner.database)
        except Stopped as stopped:
            error = stopped.error
            raise CheckError(f"{error.file}:{error.line}:{error.column}: {dev.engine} says: {error.message}") from None
        finally:
            runner.database.close()
