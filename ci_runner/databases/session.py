"""What deploying does alike on every engine: statements with their times, transactions, literals, hashes of what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Generic, Protocol, TypeVar

from ci_runner.databases import Sql
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.target import OWN_TABLES, Target, Words
from ci_runner.errors import PilotageError
from ci_runner.model.deploy import Facts
from ci_runner.model.inspected import Schema


class Stepping(Protocol):
    """What a database must be able to do: run one statement in whatever is open, and say what its schema is."""

    def step(self, statement: Sql) -> object:
        """Run one statement."""
        ...

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query."""
        ...

    def begin(self) -> None:
        """Open a transaction."""
        ...

    def commit(self) -> None:
        """Commit what is open."""
        ...

    def rollback(self) -> None:
        """Undo what is open."""
        ...

    def inspect(self) -> Schema:
        """The schema as it is now."""
        ...

    def reset(self) -> None:
        """Give the session its first settings back."""
        ...

    def interrupt(self) -> None:
        """Stop what runs."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


D = TypeVar("D", bound=Stepping)


class Session(Generic[D]):
    """The part of a Target that is the same on every engine; each engine adds its lock and its catalogue."""

    words = Words()
    append = False
    BUSY: frozenset[str] = frozenset()

    def __init__(self, database: D, facts: Facts, again: Callable[[], Target]) -> None:
        self.database = database
        self.facts = facts
        self._again = again
        self._open = False

    @property
    def in_transaction(self) -> bool:
        """As far as we opened and ended it ourselves."""
        return self._open

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own."""
        return self.database.query(sql)

    def begin(self) -> None:
        """Open a transaction."""
        self.database.begin()
        self._open = True

    def run(self, statements: Sequence[Sql]) -> tuple[int, ...]:
        """One after the other; a refusal is blamed on its statement."""
        times = []
        for index, statement in enumerate(statements):
            start = perf_counter()
            try:
                self.database.step(statement)
            except DatabaseFailure as failure:
                raise failure.at(index) from None
            times.append(int((perf_counter() - start) * 1000))
        return tuple(times)

    def commit(self, first: Sequence[str] = ()) -> None:
        """Our own statements, then COMMIT."""
        self.write(first)
        self.database.commit()
        self._open = False

    def rollback(self) -> None:
        """Undo what is open; a connection that is gone has nothing open."""
        self._open = False
        with suppress(DatabaseFailure):
            self.database.rollback()

    def write(self, statements: Sequence[str]) -> None:
        """Our own statements in whatever is open; a refusal says which."""
        for index, statement in enumerate(statements):
            try:
                self.database.step(Sql(statement))
            except DatabaseFailure as failure:
                raise failure.at(index) from None

    def busy(self, code: str) -> bool:
        """Somebody else held what the statement needed."""
        return code in self.BUSY

    def direct(self) -> None:
        """Nothing stands between us and this engine."""

    def fingerprint(self) -> Mapping[str, str]:
        """Hashes of the definitions in the database's own rendering."""
        return {name: digest(text) for name, text in objects(self.database.inspect())}

    def tables(self) -> tuple[str, ...]:
        """Names of tables as the catalogue shows them."""
        return tuple(name for name in self.database.inspect().tables if not own(name))

    def undoes(self, tables: Sequence[tuple[str, str]]) -> bool:  # noqa: ARG002 - the Protocol's
        """Rows are undone wherever the engine undoes rows at all."""
        return self.facts.rows

    def rows(self, schema: str, table: str) -> int | None:  # noqa: ARG002 - the Protocol's
        """Where the catalogue keeps no count."""
        return None

    def invalid_indexes(self) -> tuple[tuple[str, str], ...]:
        """Only engines that build indexes beside the traffic leave any behind."""
        return ()

    def literal(self, value: str | int | None) -> str:
        """Standard SQL: quotes doubled, nothing else is special."""
        if value is None:
            return "NULL"
        return str(value) if isinstance(value, int) else "'" + value.replace("'", "''").replace("\0", "") + "'"

    def quoted(self, name: str) -> str:
        """Standard SQL."""
        return '"' + name.replace('"', '""') + '"'

    def newest(self, key: Sequence[str]) -> str:  # noqa: ARG002 - the Protocol's
        """There is one row of each key."""
        return ""

    def qualified(self, name: str) -> str:
        """In the schema of our own tables."""
        return f"{self.quoted(self.facts.schema)}.{name}"

    def interrupt(self) -> None:
        """Stop the running statement."""
        with suppress(PilotageError):
            self.database.interrupt()

    def reopen(self) -> Target:
        """A new session on the same database."""
        self.close()
        return self._again()

    def close(self) -> None:
        """End the session."""
        self.database.close()


def digest(text: str) -> str:
    """A short hash of a definition."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def own(name: str) -> bool:
    """Whether a table is one of Pilotage's own."""
    return name.rpartition(".")[2] in OWN_TABLES


def objects(schema: Schema) -> Iterator[tuple[str, str]]:
    """(kind and name, all that defines it) of every object but our own."""
    for name, table in schema.tables.items():
        if not own(name):
            parts: list[object] = [table.options, list(table.columns.items())]
            parts += [sorted(each.items()) for each in (table.indexes, table.constraints, table.triggers)]
            yield f"table {name}", repr(parts)
    for kind, found in (("view", schema.views), ("routine", schema.functions), ("sequence", schema.sequences)):
        for name, text in found.items():
            yield f"{kind} {name}", text
    for name, labels in schema.enums.items():
        yield f"type {name}", repr(labels)
