"""PostgreSQL through psycopg 3: raw statements by the simple query protocol, a file in one round trip where that is safe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ci_runner.databases import Database, Sql
from ci_runner.databases.address import Address, Use
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.postgres.entry import refusal
from ci_runner.databases.postgres.inspect import inspect
from ci_runner.databases.postgres.observe import PostgresWatcher
from ci_runner.databases.running import run
from ci_runner.databases.watch import Seen
from ci_runner.errors import SetupError
from ci_runner.model.inspected import Schema

if TYPE_CHECKING:
    import psycopg


_LEAD = r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*"
# A file that holds one of these is run statement by statement: it decides about transactions itself, or needs more than to be sent.
OWN_WAY = re.compile(
    _LEAD + r"(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|copy|set|reset|discard|listen)\b",
    re.IGNORECASE | re.DOTALL,
)
_COPY = re.compile(_LEAD + r"copy\b.*\b(?:stdin|stdout)\b", re.IGNORECASE | re.DOTALL)
_TO_CLIENT = re.compile(r"\bto\s+stdout\b", re.IGNORECASE)
_SESSION = re.compile(
    r"\b(?:set|set_config|reset|discard|temp|temporary|pg_temp|prepare|declare|listen)\b", re.IGNORECASE
)
# Of these the words SET and RESET change no setting of the session.
_OF_TABLES = re.compile(
    _LEAD + r"(?:update|insert|delete|alter|comment|create\s+(?:unlogged\s+)?table)\b", re.IGNORECASE | re.DOTALL
)
_LASTING = re.compile(r"\b(?:set_config|discard|temp|temporary|pg_temp|prepare|declare|listen)\b", re.IGNORECASE)
# DISCARD ALL would let go of advisory locks and cannot run with others: https://www.postgresql.org/docs/current/sql-discard.html
_AFRESH = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DEALLOCATE ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES"
_CREATE = re.compile(r"(\s*create\s+(extension|schema)\s+)(?!if\s)(\"[^\"]+\"|\w+)", re.IGNORECASE)
_IDLE = 0


def connect(address: Address, use: Use) -> Postgres:
    """Connect; SetupError says what was refused and what to do."""
    try:
        import psycopg
    except ImportError:
        raise SetupError("PostgreSQL needs the psycopg driver: pip install 'pilotage[postgres]'") from None
    options = dict(address.options)
    search_path = options.pop("search_path", "")
    if search_path:
        options["options"] = "-c search_path=" + search_path.replace("\\", "\\\\").replace(" ", "\\ ")
    options.setdefault("connect_timeout", "10")
    try:
        connection = psycopg.connect(
            host=address.socket or address.host or "localhost",
            port=address.port or 5432,
            user=address.user or "postgres",
            password=address.password,
            dbname=address.database or "postgres",
            autocommit=True,
            client_encoding="UTF8",
            prepare_threshold=None,  # files and poolers do away with prepared statements
            **options,  # type: ignore[arg-type]
        )
    except psycopg.Error as error:
        raise refusal(address, str(error)) from None
    return Postgres(connection, search_path, use.ready)


class Postgres(Database):
    """One session. ``ready`` are extensions and schemas made beforehand; a plain CREATE of one of them is taken as IF NOT EXISTS."""

    dialect = "postgres"

    def __init__(self, connection: psycopg.Connection[Any], search_path: str, ready: frozenset[str]) -> None:
        number = connection.info.server_version
        self.connection = connection
        self.version = (number // 10_000, number % 10_000)
        self.engine = f"PostgreSQL {self.version[0]}.{self.version[1]}"
        self.name = connection.info.dbname
        self.ready = ready
        self._search_path = search_path
        self.touched = False

    def execute(
        self, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
    ) -> tuple[Seen, ...]:
        """One round trip for the whole file where it may be; a failure is found again statement by statement, so that its place is exact."""
        if transaction and after is None and self._batch(statements):
            return ()
        return run(self, statements, transaction=transaction, after=after)

    def several(self, files: Iterable[Sequence[Sql]]) -> int:
        """Short files in one message."""
        from ci_runner.databases.postgres.several import several

        return several(self, files)

    def begin(self) -> None:
        """Open a transaction."""
        self._send("BEGIN")

    def commit(self) -> None:
        """Commit what is open."""
        if not self._closed() and self.in_transaction:
            self._send("COMMIT")

    def rollback(self) -> None:
        """Undo what is open."""
        if not self._closed() and self.in_transaction:
            self._send("ROLLBACK")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own."""
        import psycopg

        try:
            return self.connection.execute(sql.encode()).fetchall()
        except psycopg.Error as error:
            raise self.failure(error, sql) from None

    def query_nothing(self, sql: str) -> None:
        """One statement of our own that has no rows."""
        self._send(sql)

    @property
    def in_transaction(self) -> bool:
        """Is a transaction open?"""
        return self.connection.pgconn.transaction_status != _IDLE

    def step(self, statement: Sql) -> tuple[Seen, ...]:
        """One statement by itself; a refusal does not say which it was."""
        self.touch(statement.text)
        if _COPY.match(statement.text):
            self._copy(statement.text, statement.data or "")
        else:
            self._send(self._adapt(statement.text))
        return ()

    def reset(self) -> None:
        """Settings, role, open transactions and all that lasts for a session back to those of a new one."""
        self.rollback()
        if self.touched:
            self._send(_AFRESH)
            self.touched = False

    def watcher(self) -> PostgresWatcher:
        """Somebody who looks on from now."""
        return PostgresWatcher(self)

    def inspect(self, only: Mapping[str, Iterable[int]] | None = None) -> Schema:
        """The schema; with a search_path only the schemas on it; ``only`` those relations, types and functions."""
        self.reset()
        return inspect(self.query, self._search_path, only)

    def interrupt(self) -> None:
        """Ask the server to cancel what this session runs."""
        import psycopg

        try:
            self.connection.cancel_safe(timeout=5)
        except psycopg.Error:
            self.connection.close()

    def close(self) -> None:
        """End the session."""
        self.connection.close()

    def _closed(self) -> bool:
        return bool(self.connection.closed)

    def _batch(self, statements: Sequence[Sql]) -> bool:
        """Try all statements as one query; False when they must be run one by one, with everything undone."""
        whole = self.whole(statements)
        if whole is None:
            return False
        try:
            self._send(whole)
        except DatabaseFailure as failure:
            if failure.lost:
                raise
            self.rollback()
            return False
        self.touched |= any(touches(statement.text) for statement in statements)
        return True

    def whole(self, statements: Sequence[Sql]) -> str | None:
        """The statements as one query with a transaction around them; None where one of them wants another way."""
        if any(OWN_WAY.match(statement.text) for statement in statements):
            return None
        texts = [self._adapt(statement.text) for statement in statements]
        return "BEGIN;" + "\n;".join(texts) + "\n;COMMIT"

    def _copy(self, sql: str, data: str) -> None:
        import psycopg

        try:
            with self.connection.cursor().copy(sql.encode()) as copy:
                if _TO_CLIENT.search(sql):
                    for _ in copy:
                        pass
                else:
                    copy.write(data)
        except psycopg.Error as error:
            raise self.failure(error, sql) from None

    def _send(self, sql: str) -> None:
        import psycopg

        if "\0" in sql:
            raise DatabaseFailure("the statement holds a NUL byte", "22021", sql.index("\0"))
        try:
            self.connection.execute(sql.encode())
        except psycopg.Error as error:
            raise self.failure(error, sql) from None

    def _adapt(self, text: str) -> str:
        if not self.ready:
            return text
        found = _CREATE.match(text)
        if found is None or f"{found[2]} {found[3].strip(chr(34))}".lower() not in self.ready:
            return text
        return f"{found[1]}IF NOT EXISTS {text[found.start(3) :]}"

    def touch(self, sql: str) -> None:
        """Remember that ``sql`` may have changed a setting, so that :meth:`reset` has something to do."""
        self.touched |= touches(sql)

    def failure(self, error: psycopg.Error, sql: str) -> DatabaseFailure:
        """The server's primary message with detail and hint; without a server message the driver's."""
        diag = error.diag
        lines = [diag.message_primary or str(error)]
        lines += [f"DETAIL: {diag.message_detail}"] if diag.message_detail else []
        lines += [f"HINT: {diag.message_hint}"] if diag.message_hint else []
        position = int(diag.statement_position) - 1 if diag.statement_position else None
        if position is not None and position > len(sql):
            position = None
        lost = self._closed() or (diag.sqlstate or "").startswith(("57P0", "08"))
        return DatabaseFailure("\n".join(lines), diag.sqlstate or "", position, lost=lost)


def touches(sql: str) -> bool:
    """May the statement leave something behind that lasts as long as the session?"""
    return bool((_LASTING if _OF_TABLES.match(sql) else _SESSION).search(sql))
