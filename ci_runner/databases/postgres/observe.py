"""What PostgreSQL does to tables that hold rows, read from its debug messages, its lock table and its catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.named import naming
from ci_runner.databases.postgres.rows import fill
from ci_runner.databases.running import watched
from ci_runner.databases.watch import Seen, Watched

if TYPE_CHECKING:
    import psycopg

    from ci_runner.databases import Sql
    from ci_runner.databases.postgres import Postgres

# Messages of level DEBUG1, in PostgreSQL's src/backend/commands/tablecmds.c and catalog/index.c.
_MESSAGES = (
    ("rewrite", re.compile(r'rewriting table "(?P<table>.+)"$')),
    ("scan", re.compile(r'verifying table "(?P<table>.+)"$')),
    ("scan", re.compile(r'validating foreign key constraint "(?P<constraint>.+)"$')),
    ("index-build", re.compile(r'building index ".+" on table "(?P<table>.+?)"')),
)
# Weakest first; those up to ROW EXCLUSIVE are what reading and writing rows takes.
MODES = ("ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_OWN_TRANSACTION = re.compile(
    r"\s*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare)\b", re.IGNORECASE
)
_NOT_IN_TRANSACTION = "25001"
_LOCKS = """SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class PostgresWatcher:
    """Watches one session. Only tables that held a row before the file ran are spoken of."""

    def __init__(self, session: Postgres) -> None:
        self._session = session
        self._messages: list[str] = []
        self._tables: dict[int, str] = {}
        self._held: set[tuple[int, str]] = set()
        session.connection.add_notice_handler(self._note)

    def fill(self, script: str) -> tuple[str, ...]:
        """Put a row into every empty table the script names and into those they refer to; returns tables where none could be made."""
        self._tables, left_out = fill(self._session, script)
        return left_out

    def watch(self, statements: Sequence[Sql], *, transaction: bool) -> Watched:
        """Run the statements as they would be run, looking after each; the refusal that ended it, if one did."""
        self._session.query_nothing("SET client_min_messages = debug1")
        self._held = set()
        return watched(self._session, statements, transaction=transaction, look=self._one)

    def _note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        self._messages.append(diagnostic.message_primary or "")

    def _one(self, index: int, statement: Sql) -> list[Seen]:
        """A statement outside of any transaction gets one for itself, in which its locks can be seen, where it can run in one."""
        alone = not self._session.in_transaction and not _OWN_TRANSACTION.match(statement.text)
        before = self._files()
        self._messages.clear()
        if alone:
            self._session.begin()
        try:
            self._session.step(statement)
        except DatabaseFailure as failure:
            if not alone or failure.code != _NOT_IN_TRANSACTION:
                raise
            self._session.rollback()
            self._session.step(statement)
        messages = list(self._messages)
        seen = [
            *self._told(index, messages),
            *self._locks(index, statement.text),
            *self._rewritten(index, before, messages),
        ]
        if alone:
            self._session.commit()
            self._held = set()
        return list(dict.fromkeys(seen))

    def _told(self, index: int, messages: list[str]) -> list[Seen]:
        found: list[Seen] = []
        for message in messages:
            for kind, pattern in _MESSAGES:
                match = pattern.search(message)
                if match:
                    parts = match.groupdict()
                    tables = [parts["table"]] if "table" in parts else self._constrained(parts["constraint"])
                    found += [Seen(index, kind, name, message) for table in tables for name in self._named(table)]
        return found

    def _named(self, table: str) -> list[str]:
        """Watched tables of that name; messages do not say the schema."""
        return [name for name in self._tables.values() if name.rpartition(".")[2] == table]

    def _constrained(self, constraint: str) -> list[str]:
        escaped = constraint.replace("'", "''")
        return [
            row[0]
            for row in self._session.query(
                f"SELECT conrelid::regclass::text FROM pg_constraint WHERE conname = '{escaped}'"
            )
        ]

    def _locks(self, index: int, text: str) -> list[Seen]:
        """The strongest lock on each watched table that this statement took, or uses where it was taken before."""
        held = {(row[0], row[1]) for row in self._session.query(_LOCKS) if row[0] in self._tables and row[1] in MODES}
        named = naming(text)
        strongest = {
            table: mode  # the last one stays
            for table, mode in sorted(held, key=lambda lock: MODES.index(lock[1]))
            if (table, mode) not in self._held or named(self._tables[table].rpartition(".")[2])
        }
        self._held = held
        return [Seen(index, "lock", self._tables[table], mode) for table, mode in strongest.items()]

    def _files(self) -> dict[int, Any]:
        if not self._tables:
            return {}
        numbers = ", ".join(str(number) for number in self._tables)
        return dict(
            self._session.query(f"SELECT oid::int8, pg_relation_filenode(oid) FROM pg_class WHERE oid IN ({numbers})")
        )

    def _rewritten(self, index: int, before: dict[int, Any], messages: list[str]) -> list[Seen]:
        """Tables with a new file nobody announced: VACUUM FULL, CLUSTER, TRUNCATE."""
        announced = {name for message in messages for name in _MESSAGES[0][1].findall(message)}
        after = self._files()
        return [
            Seen(index, "rewrite", self._tables[table], "the table got a new file")
            for table, number in before.items()
            if after.get(table, number) != number and self._tables[table].rpartition(".")[2] not in announced
        ]
