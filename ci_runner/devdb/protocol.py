"""What every dev database can do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ci_runner.databases import Database, DatabaseFailure


class DevDatabase(Protocol):
    """A server that gives empty databases. ``engine`` is product and version, ``dialect`` the SQL it speaks."""

    engine: str
    dialect: str

    def fresh(self, scripts: Iterable[str] = ()) -> Database:
        """A new empty database; the ``scripts`` that will run on it tell which extensions to have ready."""
        ...

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:
        """Keep the state of ``database`` under ``key``; returns the session the ``scripts`` will run on. Engines that cannot keep nothing."""
        ...

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:
        """A new database for the ``scripts`` in the state kept under ``key``; None when nothing is kept."""
        ...

    def kill(self) -> None:
        """End the server at once, whatever it does; one that is not ours goes on."""
        ...

    def advice(self, failure: DatabaseFailure) -> str:
        """What the user can do about a refusal that is the dev database's and not the migration's; "" when there is nothing."""
        ...
