"""A dev database on a server that cannot copy databases: emptied before each replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure, Sql, Use

NO_ROOM = "the dev database has no more room: its data lie in memory or on this machine's disk, which is full or was given an end"


def run(database: Database, *statements: str) -> None:
    """Statements of our own, each by itself."""
    database.execute([Sql(statement) for statement in statements], transaction=False)


class Emptied:
    """Replays run at ``address``, in a state that ``empty`` makes through the session ``main``; ``clean`` removes all they made.

    ``fleeting`` is a query that has rows where some of what they made would not outlive the server.
    """

    def __init__(
        self,
        main: Database,
        address: Address,
        *,
        empty: Callable[[], None],
        clean: Callable[[], None],
        advice: Callable[[DatabaseFailure], str],
        use: Use = databases.DEFAULT,
        fleeting: str = "",
    ) -> None:
        self.engine = main.engine
        self.dialect = main.dialect
        self.advice = advice
        self.give_back = clean
        self.prepare: Callable[[], None] = lambda: None
        self.kill: Callable[[], None] = lambda: None  # a server that is not ours is not ended
        self._main = main
        self._address = address
        self._empty = empty
        self._use = use
        self._fleeting = fleeting

    def fresh(self, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - nothing is needed beforehand
        """An empty database."""
        self._empty()
        self.prepare()
        return self.session()

    def session(self) -> Database:
        """A session on the database as it is."""
        return databases.open_address(self._address, self._use)

    def fleeting(self) -> bool:
        """Is there anything that a new start of the server would lose?"""
        return bool(self._fleeting and self._main.query(self._fleeting))

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002
        """Nothing is kept."""
        return database

    def restore(self, key: str, scripts: Iterable[str] = ()) -> None:  # noqa: ARG002
        """None: nothing was kept."""
        return

    def close(self) -> None:
        """End the session the databases are made through."""
        self._main.close()
