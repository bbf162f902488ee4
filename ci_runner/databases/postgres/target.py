"""PostgreSQL as a deployment's target: an advisory lock of the session, few round trips, and a killed client's statement that dies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby

from ci_runner.databases import Sql
from ci_runner.databases.address import Address, Use
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.postgres import OWN_WAY, Postgres, connect
from ci_runner.databases.postgres.entry import POOLED
from ci_runner.databases.postgres.lock import HELD, HOLDER, pooled
from ci_runner.databases.postgres.messages import send
from ci_runner.databases.postgres.objects import DEFINITIONS, INVALID, MORE
from ci_runner.databases.session import Session, digest
from ci_runner.databases.target import LET_GO, OWN_TABLES, Lock, Target
from ci_runner.errors import RefusedError, SetupError
from ci_runner.model.deploy import Facts

# A client that vanished is noticed by the server and by us: https://www.postgresql.org/docs/current/libpq-connect.html
_ALIVE = {
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_CHECK = "SET client_connection_check_interval = '1s'"
_ROLE = re.compile(r"\b(?:role|session\s+authorization|session_authorization)\b", re.IGNORECASE)
_OURSELVES = ("SET {}session_authorization = DEFAULT", "SET {}role = DEFAULT")  # {} is LOCAL in a transaction


def open_target(address: Address, name: str) -> Target:
    """Connect as application ``name``; SetupError where the search path names no schema that is there."""
    options = {**_ALIVE, **address.options, "application_name": name[:63]}
    database = connect(_with(address, options), Use())
    facts = _facts(address, database)
    return PostgresTarget(database, facts, lambda: open_target(address, name), address)


def _with(address: Address, options: Mapping[str, str]) -> Address:
    from dataclasses import replace

    return replace(address, options=options)


def _facts(address: Address, database: Postgres) -> Facts:
    ((schema, user, server),) = database.query("SELECT current_schema(), current_user::text, inet_server_port()")
    if schema is None:
        database.close()
        path = address.options.get("search_path", "the search path of this user")
        raise SetupError(
            f"{address}: there is no schema of {path}; create one, or give ?search_path= one that is there"
        )
    place = address.socket or f"{address.host or 'localhost'}:{address.port or server or 5432}"
    identity = f"postgres:{place}/{database.name}/{schema}"
    return Facts("postgres", database.engine, database.version, database.name, schema, identity, user)


class PostgresTarget(Session[Postgres]):
    """Messages that need no answer of their own (BEGIN, the look at the lock) are sent with the statements they stand before."""

    BUSY = frozenset({"55P03", "40P01", "40001"})

    def __init__(self, database: Postgres, facts: Facts, again: Callable[[], Target], address: Address) -> None:
        super().__init__(database, facts, again)
        self._address = address
        self._waiting: list[str] = []
        self._disguised = False  # a file may have taken on another role, which may not write our rows
        self._process: object = None
        self._limits: tuple[int, int] | None = (0, 0)
        self._first_settings()

    def _first_settings(self) -> None:
        if self.database.version >= (14,):
            with suppress(DatabaseFailure):  # servers on systems that cannot tell refuse it
                self.write([_CHECK])

    @property
    def in_transaction(self) -> bool:
        """Open on the server, or about to be."""
        return "BEGIN" in self._waiting or self.database.in_transaction

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of one query of our own."""
        self._flush()
        return super().query(sql)

    def begin(self) -> None:
        """Sent with the first statement."""
        self._waiting.append("BEGIN")

    def run(self, statements: Sequence[Sql]) -> tuple[int, ...]:
        """Neighbours that only need to be sent go in one message; a refusal is blamed by how many answers came before it."""
        times: list[int] = []
        self._disguised |= any(_ROLE.search(each.text) for each in statements)
        for alone, group in groupby(
            statements, key=lambda each: bool(OWN_WAY.match(each.text)) or each.data is not None
        ):
            members = list(group)
            try:
                if alone:
                    self._flush()
                    times += super().run(members)
                else:
                    for each in members:
                        self.database.touch(each.text)
                    times += self._sent([each.text for each in members])
            except DatabaseFailure as failure:
                raise failure.at(len(times) + (failure.statement or 0)) from None
        return tuple(times)

    def commit(self, first: Sequence[str] = ()) -> None:
        """What is ours and the COMMIT in one message; nothing is sent for a transaction that nothing stood in."""
        if self._waiting == ["BEGIN"] and not first:
            self._waiting.clear()
            return
        if self._disguised and first:
            self._sent([each.format("LOCAL ") for each in _OURSELVES])
        self._sent([*first, "COMMIT"])

    def rollback(self) -> None:
        """Undo what is open, limits that were set in it, too."""
        self._waiting.clear()
        self._limits = None
        super().rollback()

    def write(self, statements: Sequence[str]) -> None:
        """Our own statements, under our own name; the role a file goes on in is taken on again."""
        role = self._taken_off() if self._disguised and statements else []
        for index, statement in enumerate(statements):
            try:
                self._sent([statement])
            except DatabaseFailure as failure:
                raise failure.at(index) from None
        if role:
            self._sent(role)

    def _taken_off(self) -> list[str]:
        """Be ourselves again, in a transaction for no longer than that; what makes us who we were."""
        ((session, role),) = self.query("SELECT session_user::text, current_setting('role')")
        local = "LOCAL " if self.in_transaction else ""
        self._sent([each.format(local) for each in _OURSELVES])
        again = [] if role == "none" else [f"SET {local}ROLE {self.quoted(str(role))}"]
        return [f"SET {local}SESSION AUTHORIZATION {self.quoted(str(session))}", *again]

    def limits(self, lock_ms: int, statement_ms: int) -> None:
        """For the session, so that a transaction that is undone does not undo them."""
        if (lock_ms, statement_ms) != self._limits:
            self._sent([f"SET lock_timeout = {lock_ms}", f"SET statement_timeout = {statement_ms}"])
            self._limits = (lock_ms, statement_ms)

    def reset(self) -> None:
        """Settings, role and search path as they were; ours again."""
        self._waiting.clear()
        if self.database.touched:
            self.database.reset()
            self._limits, self._disguised = (0, 0), False
            self._first_settings()

    def try_lock(self, lock: Lock) -> bool:
        """Never the blocking form: one that waits in a transaction deadlocks with CREATE INDEX CONCURRENTLY of the holder."""
        ((found, self._process),) = self.query(f"SELECT pg_try_advisory_lock({lock.number}), pg_backend_pid()")
        return bool(found)

    def check_lock(self, lock: Lock) -> None:
        """Sent with what follows; a division by zero stops the message where the lock is not ours."""
        self._waiting.append(HELD.format(*_halves(lock.number)))

    def holder(self, lock: Lock) -> str:
        """Process, application, address, since when."""
        rows = self.query(HOLDER.format(*_halves(lock.number)))
        if not rows:
            return ""
        pid, application, client, since = rows[0]
        return f"process {pid}{f' ({application})' if application else ''} from {client or 'the same machine'}, session since {since}"

    def unlock(self, lock: Lock) -> None:
        """Let it go; the end of the session does the same."""
        with suppress(DatabaseFailure):
            self.query(f"SELECT pg_advisory_unlock({lock.number})")

    def direct(self) -> None:
        """A pooler gives a process number that is not the server's, and in transaction mode another one when the first is taken."""
        if pooled(self.database, lambda: connect(self._address, Use())):
            raise RefusedError(f"{self._address}: {POOLED}")

    def fingerprint(self) -> Mapping[str, str]:
        """What inspecting finds, and comments, domains, composite types, rules and rights to tables beside it."""
        found = dict(super().fingerprint())
        for kind, name, text in self.query(MORE):
            found[f"{kind} {name}"] = digest(str(text))
        return found

    def tables(self) -> tuple[str, ...]:
        """From the catalogue directly, so that a look costs little; our own of other schemas are among them."""
        rows = self.query(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        )
        return tuple(
            str(name) if schema == self.facts.schema else f"{schema}.{name}"
            for schema, name in rows
            if name not in OWN_TABLES or schema != self.facts.schema
        )

    def definition(self, kind: str, schema: str, name: str) -> str | None:
        """The server's own rendering, with whether an index is valid."""
        where = (
            f"{self.literal(name)} AND n.nspname = {self.literal(schema) if schema else 'ANY (current_schemas(false))'}"
        )
        rows = self.query(DEFINITIONS[kind].replace("{where}", where)) if kind in DEFINITIONS else []
        return "\n".join(str(row[0]) for row in rows) if rows else None

    def rows(self, schema: str, table: str) -> int | None:
        """By the last ANALYZE; less than none means that there was none."""
        where = f"n.nspname = {self.literal(schema)}" if schema else "n.nspname = ANY (current_schemas(false))"
        found = self.query(
            f"SELECT c.reltuples::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = {self.literal(table)} "
            f"AND c.relkind IN ('r', 'p') AND {where}"
        )
        return int(str(found[0][0])) if found and int(str(found[0][0])) >= 0 else None

    def invalid_indexes(self) -> tuple[tuple[str, str], ...]:
        """What a killed CREATE INDEX CONCURRENTLY left."""
        return tuple((str(name), f"DROP INDEX CONCURRENTLY IF EXISTS {name}") for (name,) in self.query(INVALID))

    def _flush(self) -> None:
        if self._waiting:
            self._sent([])

    def _sent(self, texts: Sequence[str]) -> list[int]:
        before, self._waiting = self._waiting, []
        try:
            return send(self.database, [*before, *texts])[len(before) :]
        except DatabaseFailure as failure:
            index = failure.statement or 0
            if index < len(before) and failure.code == "22012":
                raise RefusedError(f"{self._address}: {self._lock_lost()}") from None
            raise failure.at(max(0, index - len(before))) from None

    def _lock_lost(self) -> str:
        """Why this session has the lock no longer."""
        self.rollback()
        same = self.query("SELECT pg_backend_pid()")[0][0] == self._process
        return LET_GO if same else POOLED

    def literal(self, value: str | int | None) -> str:
        """With its backslashes marked as such: what a bare one means depends on the session."""
        if isinstance(value, str) and "\\" in value:
            return "E" + super().literal(value.replace("\\", "\\\\"))
        return super().literal(value)


def _halves(number: int) -> tuple[int, int]:
    """How pg_locks shows a key of 64 bits: https://www.postgresql.org/docs/current/view-pg-locks.html"""
    bits = number & 0xFFFFFFFFFFFFFFFF
    return bits >> 32, bits & 0xFFFFFFFF
