"""The schema on both sides of a change: all of it, or what the change touched where the database can tell that."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ci_runner.databases import Database, DatabaseFailure
from ci_runner.databases.comparing import Comparison, comparable, comparison
from ci_runner.devdb import DevDatabase
from ci_runner.model.inspected import Schema
from ci_runner.replay.files import ReplayFile, texts

Both = tuple[Schema, Schema]


class Whole:
    """All of it, read before the change and after it; ``other`` is a database that nothing was done to, where one was made."""

    def __init__(self, database: Database, other: Database | None = None) -> None:
        self.other = other
        self._database = database
        self._before = database.inspect()

    def schemas(self) -> Both:
        """Before and after."""
        return self._before, self._database.inspect()


class Touched:
    """What the change touched, read after it from the database it ran in and from ``other``, which is as that was and nothing is done to."""

    def __init__(
        self, database: Database, other: Database, begun: Comparison, again: Callable[[], Database | None]
    ) -> None:
        self.other = other
        self._database = database
        self._begun = begun
        self._again = again

    def schemas(self) -> Both:
        """Before and after; what is in neither of them is the same on both sides."""
        try:
            return self._begun.schemas() or self._whole()
        except DatabaseFailure as failure:
            other = self._again() if failure.lost else None  # the change may have ended all sessions it found
            if other is None:
                raise
            self.other = other
        return self._whole()

    def _whole(self) -> Both:
        return self.other.inspect(), self._database.inspect()


def sides(database: Database, dev: DevDatabase, key: str, change: Sequence[ReplayFile]) -> Whole | Touched:
    """To be made before ``change`` runs through ``database``, whose state ``dev`` keeps under ``key``."""

    def again() -> Database | None:
        return dev.restore(key, texts(change))

    other = again() if comparable(database) else None
    begun = comparison(database, other) if other else None
    return Touched(database, other, begun, again) if other and begun else Whole(database, other)
