"""ClickHouse over its HTTP interface, or its engine in a process of our own: one raw statement at a time, no transactions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ci_runner.databases import Database, Sql
from ci_runner.databases.address import Address, Use
from ci_runner.databases.clickhouse.inspect import inspect
from ci_runner.databases.clickhouse.observe import ClickhouseWatcher
from ci_runner.databases.clickhouse.single import on_one_server
from ci_runner.databases.clickhouse.wire import Refused, Wire
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.running import run
from ci_runner.databases.watch import Seen
from ci_runner.errors import PilotageError
from ci_runner.model.inspected import Schema

_CODE = re.compile(r"Code: (\d+)\.")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)\s*(?:\(version [^)]*\))?\s*\Z")
_POSITION = re.compile(r"failed at position (\d+)")
_SESSION = re.compile(r"\b(?:set|use|temporary)\b", re.IGNORECASE)
_LOST = "210"  # NETWORK_ERROR


def connect(address: Address, use: Use) -> Clickhouse:
    """Connect; ``address.path`` is the folder of an embedded engine. SetupError says what was refused and what to do."""
    if address.path:
        from ci_runner.databases.clickhouse.embedded import Engine

        return Clickhouse(Engine(address), address.database, alone=use.confined)
    from ci_runner.databases.clickhouse.over_http import Http

    return Clickhouse(Http(address), address.database, alone=use.confined)


class Clickhouse(Database):
    """One session. What a statement did before it was refused stays done.

    ``alone``: the server is one of our own without a cluster, so ON CLUSTER and replication are left out of statements, and said to be.
    """

    dialect = "clickhouse"

    def __init__(self, wire: Wire, name: str, *, alone: bool) -> None:
        self.name = name
        self.left_open = tuple(wire.left_open)
        self._wire = wire
        self._alone = alone
        self._touched = False
        text = str(self.query("SELECT version()")[0][0])
        self.version = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
        self.engine = f"ClickHouse {'.'.join(text.split('.')[:3])}"

    def execute(
        self, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
    ) -> tuple[Seen, ...]:
        """One by one; nothing is undone."""
        return run(self, statements, transaction=transaction, after=after)

    def step(self, statement: Sql) -> tuple[Seen, ...]:
        """One statement by itself; what was left out of it."""
        self._touched |= bool(_SESSION.search(statement.text))
        text, left_out = on_one_server(statement.text) if self._alone else (statement.text, ())
        self._send(text, rows=False)
        return tuple(Seen(0, "left-out", detail=what) for what in left_out)

    def begin(self) -> None:
        """Nothing: the engine has no transactions that hold over schema changes."""

    def commit(self) -> None:
        """Nothing is open."""

    def rollback(self) -> None:
        """Nothing can be undone."""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own."""
        return [tuple(json.loads(line)) for line in self._send(sql, rows=True).splitlines()]

    def query_nothing(self, sql: str) -> None:
        """One statement of our own that has no rows."""
        self._send(sql, rows=False)

    def reset(self) -> None:
        """A new session when this one's settings were touched."""
        if self._touched:
            self._wire.renew()
            self._touched = False

    def watcher(self) -> ClickhouseWatcher:
        """Somebody who looks on from now."""
        return ClickhouseWatcher(self)

    def inspect(self) -> Schema:
        """The schema of the database, or of all of them when the address names none."""
        self.reset()
        return inspect(self.query, self.name)

    def interrupt(self) -> None:
        """Stop what this session runs."""
        with suppress(PilotageError, Refused):
            self._wire.interrupt()

    def close(self) -> None:
        """End the session."""
        self._wire.close()

    def _send(self, sql: str, *, rows: bool) -> str:
        try:
            return self._wire.ask(sql, rows=rows)
        except Refused as refused:
            raise failure(refused, sql) from None


def failure(refused: Refused, sql: str) -> DatabaseFailure:
    """The engine's words without their frame; the code is the error's name, the place that of a syntax error."""
    words = refused.words.strip()
    name, code = _NAME.search(words), _CODE.search(words)
    message = words[: name.start()] if name else words
    message = message.rpartition("DB::Exception: ")[2].strip() if "DB::Exception" in message else message
    message = message.rstrip(" .")
    place = _POSITION.search(words)
    position = None
    if place:
        position = len(sql.encode()[: int(place[1]) - 1].decode(errors="ignore"))
    lost = refused.lost or bool(code and code[1] == _LOST)
    return DatabaseFailure(message, name[1] if name else code[1] if code else "", position, lost=lost)
