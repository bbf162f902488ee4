"""An empty database to deploy to, and a deployment in this process with a world that never waits long."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ci_runner import databases, deploy, migrations
from ci_runner.databases import Target
from ci_runner.deploy import Memory, Options, Source, Stop, Tools
from ci_runner.model.deploy import Origin, Outcome
from ci_runner.model.directory import MigrationDir, Tree

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Place:
    """A database by URL. ``said`` is what the last deployment remarked."""

    engine: str
    url: str
    said: list[str] = field(default_factory=list)

    def read(self, files: Mapping[str, str | bytes], *, form: str = "atlas", tx_mode: str = "file") -> MigrationDir:
        data = {name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}
        tree = Tree("migrations", data)
        return migrations.read(tree, format=form, dialect=self.engine, tx_mode=tx_mode, sum_mode="off")

    def source(self, files: Mapping[str, str | bytes], *, form: str = "atlas", tx_mode: str = "file") -> Source:
        return Source(self.read(files, form=form, tx_mode=tx_mode), Origin("local", "sha256:0", "migrations"))

    def open(self, name: str = "pilotage/test") -> Target:
        return databases.open_target(self.url, name)

    def deploy(
        self,
        files: Mapping[str, str | bytes],
        *,
        form: str = "atlas",
        tx_mode: str = "file",
        wrap: Callable[[Target], Target] = lambda target: target,
        stop: Stop | None = None,
        back: bool = False,
        **options: Any,
    ) -> Outcome:
        self.said = []
        source = self.source(files, form=form, tx_mode=tx_mode)
        asked = Options(**{"dir": "app", "run_id": os.urandom(8).hex(), "lock_wait": 30.0, **options})
        return deploy.deploy(wrap(self.open()), source, asked, tools(self.said.append, stop), back=back)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        database = databases.open_url(self.url)
        try:
            return database.query(sql)
        finally:
            database.close()

    def run(self, *statements: str) -> None:
        database = databases.open_url(self.url)
        try:
            database.execute([databases.Sql(each) for each in statements], transaction=False)
        finally:
            database.close()

    def marks(self) -> list[int]:
        return [int(number) for (number,) in self.rows("SELECT n FROM marks ORDER BY n")]

    def memory(self, name: str = "app") -> Memory:
        target = self.open()
        try:
            return deploy.read(target, name)
        finally:
            target.close()

    def states(self) -> dict[str, str]:
        return {row.version: row.state for row in self.memory().revisions}


def tools(say: Callable[[str], None], stop: Stop | None = None) -> Tools:
    """Time as it is, but no pause of more than 50 ms."""
    chance = random.Random(7)
    stop = stop or Stop()
    return Tools(lambda: NOW, time.monotonic, lambda seconds: stop.wait(min(seconds, 0.05)), chance.random, stop, say)
