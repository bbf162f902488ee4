"""PostgreSQL in place of Redshift, of which no engine can be had: an errand for syntax and names, not for what Redshift would do."""

from __future__ import annotations

from collections.abc import Iterable

from ci_runner.databases import Database, DatabaseFailure
from ci_runner.databases.redshift.standin import StandIn
from ci_runner.devdb.protocol import DevDatabase


class StandInDev:
    """A PostgreSQL dev database whose sessions take Redshift's statements."""

    dialect = "redshift"

    def __init__(self, dev: DevDatabase) -> None:
        self.engine = f"{dev.engine} standing in for Redshift"
        self._dev = dev

    def fresh(self, scripts: Iterable[str] = ()) -> Database:
        """A new empty database."""
        return StandIn(self._dev.fresh(scripts))

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:
        """Keep the state of ``database``, one of ours, under ``key``."""
        inner = database.session if isinstance(database, StandIn) else database
        return StandIn(self._dev.snapshot(inner, key, scripts))

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:
        """A new database in the state kept under ``key``; None when nothing is kept."""
        kept = self._dev.restore(key, scripts)
        return StandIn(kept) if kept else None

    def kill(self) -> None:
        """End the server."""
        self._dev.kill()

    def advice(self, failure: DatabaseFailure) -> str:
        """What PostgreSQL's dev database says."""
        return self._dev.advice(failure)
