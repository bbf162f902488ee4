"""SQL Server through python-tds, written from its documentation and Microsoft's: no server was reached with it."""

from __future__ import annotations

import re
import socket
from functools import partial
from typing import Any

from ci_runner.databases.address import Address, Use
from ci_runner.databases.dbapi import Engine, PlainSession
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.refused import Cause, explained, no_database, password, seconds
from ci_runner.databases.sqlserver.inspect import inspect
from ci_runner.errors import ConfigError, SetupError

_SESSION = re.compile(r"\b(?:set|use|into\s+#|table\s+#)", re.IGNORECASE)
# Messages: https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
_CAUSES = (
    password(("Login failed for user",)),
    no_database(("Cannot open database", "does not exist")),
    Cause(
        ("Client certificate", "requires encryption", "Encryption"),
        "it wants TLS",
        "add ?cafile=FILE with the authority's certificate",
    ),
)
_VERSION = re.compile(r"\d+(?:\.\d+)*")
# 102: incorrect syntax near '…'; 156: near the keyword '…'
_NEAR = re.compile(r"[Nn]ear (?:the keyword )?'([^']+)'")


def connect(address: Address, use: Use) -> PlainSession:
    """Connect; SetupError says what was refused and what to do."""
    try:
        import pytds
        from pytds.tds_base import Error as Refusal
    except ImportError:
        raise SetupError("SQL Server needs the python-tds driver: pip install 'pilotage[sqlserver]'") from None
    asked = _asked(address)
    try:
        line = socket.create_connection((asked["dsn"], asked["port"]), seconds(address))
        connection = pytds.connect(sock=line, **asked)
    except (Refusal, OSError) as error:
        raise explained(address, str(error) or type(error).__name__, _CAUSES) from None

    def stop() -> None:
        """KILL takes rights that replays have not; a server ends what a client runs that hung up."""
        line.shutdown(socket.SHUT_RDWR)

    engine = Engine("sqlserver", (Refusal, OSError), failure, inspect, "BEGIN TRANSACTION", _SESSION, stop)
    session = PlainSession(
        connection,
        engine,
        product="SQL Server",
        version=(),
        name=address.database,
        again=partial(connect, address, use),
    )
    about(session)
    return session


def _asked(address: Address) -> dict[str, Any]:
    """What the driver is told of the place, the user and TLS; ConfigError for a word it would not know."""
    checked = address.options.get("validate_host", "true")
    if checked not in {"true", "false"}:
        raise ConfigError(f"{address}: validate_host is true or false, not {checked!r}")
    return {
        "dsn": address.host or "localhost",
        "port": address.port or 1433,
        "database": address.database or "master",
        "user": address.user or "sa",
        "password": address.password,
        "login_timeout": seconds(address),
        "timeout": 0,
        "autocommit": True,
        "appname": "pilotage",
        "cafile": address.options.get("cafile") or None,
        "validate_host": checked == "true",
        "disable_connect_retry": True,
    }


def about(session: PlainSession) -> None:
    """Ask the server for its version (https://learn.microsoft.com/sql/t-sql/functions/serverproperty-transact-sql)."""
    text = str(session.query("SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(64))")[0][0])
    found = _VERSION.match(text)
    session.version = tuple(int(part) for part in found[0].split(".")[:2]) if found else ()
    session.engine = f"SQL Server {text}"


def failure(error: Exception, sql: str) -> DatabaseFailure:
    """The server's message and number; "near '…'" gives the place when that text stands there once."""
    number = getattr(error, "number", 0) or getattr(error, "msg_no", 0) or 0
    words = str(getattr(error, "text", "") or error) or "the connection to the server was lost"
    near = _NEAR.search(words) if number in {102, 156, 319} else None
    position = sql.find(near[1]) if near and sql.count(near[1]) == 1 else None
    return DatabaseFailure(words, str(number or ""), position, lost=isinstance(error, OSError) or _closed(error))


def _closed(error: Any) -> bool:
    return type(error).__name__ in {"ClosedConnectionError", "InterfaceError"}
