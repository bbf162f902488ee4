"""MySQL and MariaDB through PyMySQL: one raw statement at a time, nothing read from this machine's files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ci_runner.databases import Database, Sql
from ci_runner.databases.address import Address, Use
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.mysql.entry import refusal, tls
from ci_runner.databases.mysql.inspect import inspect
from ci_runner.databases.mysql.observe import MysqlWatcher
from ci_runner.databases.running import run
from ci_runner.databases.watch import Seen
from ci_runner.errors import ConfigError, PilotageError, SetupError
from ci_runner.model.inspected import Schema

SESSION = re.compile(r"\b(?:set|use|lock|prepare|temporary|flush)\b", re.IGNORECASE)
_NEAR = re.compile(r"near '(.*)' at line (\d+)$", re.DOTALL)
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_IN_TRANSACTION, _AUTOCOMMIT = 1, 2  # SERVER_STATUS_IN_TRANS and SERVER_STATUS_AUTOCOMMIT of the client protocol
_LOST = frozenset({0, 1053, 2006, 2013, 2014, 2055})


def connect(address: Address, use: Use) -> Mysql:
    """Connect; SetupError says what was refused and what to do."""
    try:
        import pymysql
    except ImportError:
        raise SetupError("MySQL and MariaDB need the PyMySQL driver: pip install 'pilotage[mysql]'") from None
    place: dict[str, Any] = {"unix_socket": address.socket} if address.socket else {}
    try:
        connection: Any = pymysql.connect(
            host=address.host or "localhost",
            port=address.port or 3306,
            user=address.user or "root",
            password=address.password,
            database=address.database or None,
            charset=address.options.get("charset", "utf8mb4"),
            connect_timeout=_seconds(address),
            read_timeout=_seconds(address),
            autocommit=True,
            local_infile=False,
            ssl=tls(address),
            init_command=_first_command(address),
            **place,
        )
    except (pymysql.Error, RuntimeError, OSError) as error:
        raise refusal(address, error) from None
    connection._read_timeout = None  # the greeting has a limit, statements have none; PyMySQL offers one for both
    return Mysql(connection, address.database, lambda: connect(address, use))


def _seconds(address: Address) -> int:
    given = address.options.get("connect_timeout", "10")
    return int(given) if given.isdigit() and 0 < int(given) < 3600 else 10


def _first_command(address: Address) -> str | None:
    """What some runners say before any migration: foreign keys are not to be checked."""
    wanted = address.options.get("foreign_key_checks", "1")
    if wanted not in {"0", "1"}:
        raise ConfigError(f"{address}: foreign_key_checks is 0 or 1, not {wanted!r}")
    return "SET SESSION foreign_key_checks = 0" if wanted == "0" else None


class Mysql(Database):
    """One session. DDL commits by itself on these servers, so a failure undoes only the rows of the open transaction."""

    def __init__(self, connection: Any, name: str, again: Callable[[], Mysql]) -> None:
        text: str = connection.get_server_info()
        number = _VERSION.findall(text.removeprefix("5.5.5-"))
        self.connection = connection
        self.dialect = "mariadb" if "mariadb" in text.lower() else "mysql"
        self.version = tuple(int(part) for part in number[0].split(".")) if number else ()
        self.engine = f"{'MariaDB' if self.dialect == 'mariadb' else 'MySQL'} {number[0] if number else text}"
        self.name = name
        self._again = again
        self._session_touched = False
        self._interrupted = False

    def execute(
        self, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
    ) -> tuple[Seen, ...]:
        """One by one; ``transaction`` opens one before the first and commits after the last."""
        return run(self, statements, transaction=transaction, after=after)

    def step(self, statement: Sql) -> tuple[Seen, ...]:
        """One statement by itself."""
        self._session_touched |= bool(SESSION.search(statement.text))
        self._send(statement.text)
        return ()

    def begin(self) -> None:
        """Open a transaction."""
        self._send("START TRANSACTION")

    def commit(self) -> None:
        """Commit what is open."""
        if self.in_transaction:
            self._send("COMMIT")

    def rollback(self) -> None:
        """Undo what is open."""
        if self.in_transaction:
            self._send("ROLLBACK")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own."""
        import pymysql

        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        except pymysql.Error as error:
            raise _failure(error, sql) from None

    def reset(self) -> None:
        """A new session on the same database when this one's settings were touched."""
        self.rollback()
        if self._session_touched:
            self.close()
            self.connection = self._again().connection
            self._session_touched = False

    def watcher(self) -> MysqlWatcher:
        """Somebody who looks on from now."""
        return MysqlWatcher(self)

    def inspect(self) -> Schema:
        """The schema of the database, or of all of them when the address names none."""
        self.reset()
        return inspect(self.query, self.name)

    def interrupt(self) -> None:
        """Kill what this session runs, from a session beside it."""
        self._interrupted = True
        with suppress(PilotageError):
            beside = self._again()
            try:
                beside.query(f"KILL QUERY {int(self.connection.thread_id())}")
            finally:
                beside.close()

    def close(self) -> None:
        """End the session."""
        import pymysql

        with suppress(pymysql.Error, OSError):
            self.connection.close()

    @property
    def in_transaction(self) -> bool:
        """Is a transaction open? The server says so with every answer."""
        return self.connection.open and bool(self.connection.server_status & _IN_TRANSACTION)

    @property
    def commits_by_itself(self) -> bool:
        """Is autocommit on? The server says that, too."""
        return not self.connection.open or bool(self.connection.server_status & _AUTOCOMMIT)

    def _send(self, sql: str) -> None:
        """Send ``sql`` and read every row of every result, keeping none."""
        import pymysql

        cursor = self.connection.cursor(pymysql.cursors.SSCursor)
        try:
            cursor.execute(sql)
            more: bool | None = True
            while more:
                while cursor.fetchmany(1000):
                    pass
                more = cursor.nextset()
            cursor.close()
        except (pymysql.Error, OSError) as error:
            self._interrupted = False
            raise _failure(error, sql) from None
        if self._interrupted:  # SLEEP() and BENCHMARK() end as if nothing had happened
            self._interrupted = False
            raise DatabaseFailure("Query execution was interrupted", "1317")


def _failure(error: Exception, sql: str) -> DatabaseFailure:
    """The server's words and error number; "near '…' at line n" gives the place when that text stands there once."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    words = str(error.args[1]) if len(error.args) > 1 else str(error) or "the connection to the server was lost"
    return DatabaseFailure(words, str(code), _position(words, sql), lost=code in _LOST)


def _position(words: str, sql: str) -> int | None:
    found = _NEAR.search(words)
    if not found or not found[1]:
        return None
    lines = sql.split("\n", int(found[2]) - 1)
    if len(lines) < int(found[2]):
        return None
    start = len(sql) - len(lines[-1])
    return sql.find(found[1], start) if sql.count(found[1], start) == 1 else None
