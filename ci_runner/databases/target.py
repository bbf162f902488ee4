"""What deploying asks of a live database beyond running statements: a lock on the session, transactions, a memory, what is there now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from ci_runner.databases import Sql
    from ci_runner.model.deploy import Facts

OWN_TABLES = ("pilotage_revisions", "pilotage_state", "pilotage_lock")
LET_GO = (
    "a statement that ran in this deployment let go of its lock (one that releases all locks of the session): another deployment may be at work. "
    "Take that statement out and run again"
)


class Words(NamedTuple):
    """How a dialect spells the columns of own tables: types of keys, long texts and whole numbers, and what follows CREATE TABLE (…)."""

    key: str = "varchar(255)"
    text: str = "text"
    integer: str = "bigint"
    tail: str = ""


class Lock(NamedTuple):
    """The lock of one directory in one schema: ``number`` for engines that lock numbers, ``name`` (≤ 64 characters) for the others."""

    number: int
    name: str


class Target(Protocol):
    """One session on the database that is deployed to; lock and statements share it, so that who has the lock knows that no other runs.

    Statements go to the server unchanged. Every refusal is a DatabaseFailure; ``failure.statement`` is the index into what was handed over.
    ``append`` says that rows are only ever added, and the last of a key counts (ClickHouse).
    """

    facts: Facts
    words: Words
    append: bool

    @property
    def in_transaction(self) -> bool:
        """Is a transaction open on the server?"""
        ...

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own, in whatever transaction is open."""
        ...

    def begin(self) -> None:
        """Open a transaction; may be sent with what follows."""
        ...

    def run(self, statements: Sequence[Sql]) -> tuple[int, ...]:
        """Run statements in order in what is open, stopping at the first refusal; milliseconds of each."""
        ...

    def commit(self, first: Sequence[str] = ()) -> None:
        """Run our own statements ``first``, then commit. ``lost`` in the failure: whether it was committed is not known."""
        ...

    def rollback(self) -> None:
        """Undo what is open; nothing happens where nothing is, or where the connection is gone."""
        ...

    def write(self, statements: Sequence[str]) -> None:
        """Our own statements: in the transaction that is open, else each by itself."""
        ...

    def limits(self, lock_ms: int, statement_ms: int) -> None:
        """How long the statements that follow may wait for a lock and run; 0 = without end."""
        ...

    def busy(self, code: str) -> bool:
        """Whether a failure's code says that somebody else held what the statement needed, so that it may be tried again."""
        ...

    def reset(self) -> None:
        """Give the session its first settings back, without letting go of the lock."""
        ...

    def try_lock(self, lock: Lock) -> bool:
        """Take the lock if nobody has it."""
        ...

    def check_lock(self, lock: Lock) -> None:
        """RefusedError when this very server session does not hold the lock (a pooler changed it); may be sent with what follows."""
        ...

    def holder(self, lock: Lock) -> str:
        """Who has the lock, in words: process, application, since when; "" when nobody has it or it cannot be told."""
        ...

    def unlock(self, lock: Lock) -> None:
        """Let the lock go; never fails."""
        ...

    def direct(self) -> None:
        """RefusedError when transactions of this connection reach different server sessions (a pooler in transaction mode)."""
        ...

    def tables(self) -> tuple[str, ...]:
        """Names of all tables here, own ones of this schema left out, those of other schemas qualified."""
        ...

    def fingerprint(self) -> Mapping[str, str]:
        """Every object ("table users", "view report" …) → a hash of its definition, own tables left out."""
        ...

    def definition(self, kind: str, schema: str, name: str) -> str | None:
        """The definition of one object, None when it is not there; ``kind``: table, view, index, routine, type, sequence, schema, trigger."""
        ...

    def undoes(self, tables: Sequence[tuple[str, str]]) -> bool:
        """Whether changed rows of all these (schema, table) are undone with the transaction."""
        ...

    def rows(self, schema: str, table: str) -> int | None:
        """About how many rows a table has, by the statistics; None where the database does not say."""
        ...

    def invalid_indexes(self) -> tuple[tuple[str, str], ...]:
        """Indexes that a killed build left useless, each with the statement that removes it."""
        ...

    def literal(self, value: str | int | None) -> str:
        """A value as the dialect writes it."""
        ...

    def quoted(self, name: str) -> str:
        """A name as the dialect quotes it."""
        ...

    def newest(self, key: Sequence[str]) -> str:
        """What ends a query so that it gives the newest row of each ``key``; used only where rows are only added."""
        ...

    def qualified(self, name: str) -> str:
        """One of our own tables, as statements name it however the session's search path stands."""
        ...

    def interrupt(self) -> None:
        """Stop the statement that is running, from a signal handler or another thread."""
        ...

    def reopen(self) -> Target:
        """A new session on the same database, after this one was lost."""
        ...

    def close(self) -> None:
        """End the session and with it the lock; never fails."""
        ...
