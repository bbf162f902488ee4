"""SQL of the team's own that prepares every empty dev database: extensions, schemas, roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.devdb.protocol import DevDatabase
from ci_runner.errors import ConfigError


class Init(NamedTuple):
    """The statements of a ``file``, as the configuration names it."""

    file: str
    statements: tuple[Sql, ...]

    def run(self, database: Database) -> None:
        """Each by itself; ConfigError with file and words when one is refused."""
        try:
            database.execute(self.statements, transaction=False)
        except DatabaseFailure as failure:
            number = failure.statement or 0
            text = " ".join(self.statements[number].text.split())[:200]
            raise ConfigError(
                f"dev_init {self.file}: statement {number + 1} was refused: {failure.message}\n{text}"
            ) from None


class Prepared:
    """A dev database whose empty databases were prepared, with the rights replays have there."""

    def __init__(self, dev: DevDatabase, init: Init) -> None:
        self.engine = dev.engine
        self.dialect = dev.dialect
        self.snapshot = dev.snapshot
        self.restore = dev.restore
        self.kill = dev.kill
        self.advice = dev.advice
        self._dev = dev
        self._init = init

    def fresh(self, scripts: Iterable[str] = ()) -> Database:
        """A new database with nothing in it but what the file made."""
        database = self._dev.fresh(scripts)
        self._init.run(database)
        return database
