"""ClickHouse as a deployment's target: nothing is ever undone, rows of our own are only added, and the lock is a claim read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from ci_runner.databases.address import Address, Use
from ci_runner.databases.claims import TABLE, WEAK
from ci_runner.databases.clickhouse import Clickhouse, connect
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.session import Session
from ci_runner.databases.target import OWN_TABLES, Lock, Target, Words
from ci_runner.errors import RefusedError, SetupError
from ci_runner.model.deploy import Facts

_FREE = ""


def open_target(address: Address, name: str) -> Target:
    """Connect as run ``name``; SetupError for an address that names no database."""
    if not address.database:
        raise SetupError(f"{address}: which database? name it behind the host, clickhouse://user@host/database")
    database = connect(address, Use())
    place = f"clickhouse:{address.path or f'{address.host}:{address.port or 8123}'}/{address.database}"
    facts = Facts(
        "clickhouse", database.engine, database.version, address.database, address.database, place, address.user, ddl=False, rows=False,
        weak=WEAK,
    )  # fmt: skip
    return ClickhouseTarget(database, facts, partial(open_target, address, name), name)


class ClickhouseTarget(Session[Clickhouse]):
    """A claim is a row with the next epoch; of two with the same the smaller name wins, which both see when they read back."""

    append = True
    words = Words("String", "String", "Nullable(Int64)", " ENGINE = MergeTree ORDER BY ({key})")

    def __init__(self, database: Clickhouse, facts: Facts, again: Callable[[], Target], me: str) -> None:
        super().__init__(database, facts, again)
        self._me = me

    def limits(self, lock_ms: int, statement_ms: int) -> None:
        """Statements carry their own SETTINGS here."""

    def reset(self) -> None:
        """A new session where this one's settings were touched."""
        self.database.reset()

    def try_lock(self, lock: Lock) -> bool:
        """Claim the next epoch where the last one is given back."""
        if self.definition("table", self.facts.schema, TABLE) is None:
            columns = "name String, epoch Int64, holder String, ended UInt8"
            self.write([f"CREATE TABLE {self.qualified(TABLE)} ({columns}) ENGINE = MergeTree ORDER BY (name, epoch)"])
        epoch, holder = self._held(lock)
        if holder != _FREE:
            return holder == self._me
        self._add(lock, epoch + 1, 0)
        return self._held(lock) == (epoch + 1, self._me)

    def check_lock(self, lock: Lock) -> None:
        """The claim must still be ours."""
        if self._held(lock)[1] != self._me:
            raise RefusedError(
                f"{self.facts.name}: the claim in {TABLE} is not ours any more: somebody gave it back while this deployment ran"
            )

    def holder(self, lock: Lock) -> str:
        """Who has the claim, and the statement that gives it back when that run is dead."""
        epoch, holder = self._held(lock)
        if holder == _FREE:
            return ""
        back = f"INSERT INTO {self.qualified(TABLE)} VALUES ({self.literal(lock.name)}, {epoch}, {self.literal(holder)}, 1)"
        return f"{holder}; if that run is dead and nothing of it runs on the server any more: {back}"

    def unlock(self, lock: Lock) -> None:
        """Give the claim back."""
        with suppress(DatabaseFailure):
            epoch, holder = self._held(lock)
            if holder == self._me:
                self._add(lock, epoch, 1)

    def _add(self, lock: Lock, epoch: int, ended: int) -> None:
        values = f"({self.literal(lock.name)}, {epoch}, {self.literal(self._me)}, {ended})"
        self.write([f"INSERT INTO {self.qualified(TABLE)} (name, epoch, holder, ended) VALUES {values}"])

    def _held(self, lock: Lock) -> tuple[int, str]:
        """The last epoch and who has it, "" when it was given back or there is none."""
        rows = self.query(
            f"SELECT epoch, holder, max(ended) FROM {self.qualified(TABLE)} WHERE name = {self.literal(lock.name)} GROUP BY epoch, holder "
            "ORDER BY epoch DESC, holder LIMIT 100"
        )
        if not rows:
            return 0, _FREE
        last = int(rows[0][0])
        winner = next((str(holder), int(ended)) for epoch, holder, ended in rows if int(epoch) == last)
        return last, _FREE if winner[1] else winner[0]

    def tables(self) -> tuple[str, ...]:
        """Tables of the database."""
        rows = self.query(
            f"SELECT name FROM system.tables WHERE database = {self.literal(self.facts.schema)} AND engine NOT LIKE '%View' ORDER BY name"
        )
        return tuple(str(name) for (name,) in rows if name not in OWN_TABLES)

    def definition(self, kind: str, schema: str, name: str) -> str | None:
        """As the server would make it again."""
        if kind == "routine":
            rows = self.query(
                f"SELECT create_query FROM system.functions WHERE name = {self.literal(name)} AND origin = 'SQLUserDefined'"
            )
        elif kind in {"table", "view"}:
            where = f"database = {self.literal(schema or self.facts.schema)} AND name = {self.literal(name)}"
            rows = self.query(f"SELECT create_table_query FROM system.tables WHERE {where}")
        else:
            return None
        return str(rows[0][0]) if rows else None

    def literal(self, value: str | int | None) -> str:
        """A backslash escapes (https://clickhouse.com/docs/sql-reference/syntax#string)."""
        return super().literal(value.replace("\\", "\\\\") if isinstance(value, str) else value)

    def newest(self, key: Sequence[str]) -> str:
        """https://clickhouse.com/docs/sql-reference/statements/select/limit-by"""
        return f" ORDER BY event DESC LIMIT 1 BY {', '.join(map(self.quoted, key))}"
