"""Snowflake through its own connector; what is tested is tested on fakesnow, a stand-in over DuckDB, never on an account."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from ci_runner.databases import standard
from ci_runner.databases.address import Address, Use
from ci_runner.databases.dbapi import Engine, PlainSession, Query
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.refused import Cause, explained, no_database, password, seconds
from ci_runner.errors import SetupError
from ci_runner.model.inspected import Schema

SYSTEM = ("INFORMATION_SCHEMA", "information_schema", "_fs_information_schema")
_SESSION = re.compile(r"\b(?:set|unset|use|temporary|temp|alter\s+session)\b", re.IGNORECASE)
_PLACE = re.compile(r"syntax error line (\d+) at position (\d+)")
_CAUSES = (
    password(("Incorrect username or password", "250001", "390100")),
    no_database(("does not exist or not authorized",)),
    Cause(
        ("Could not connect", "404 Not Found", "290404"),
        "no such account answers",
        "check the account's identifier: ORG-ACCOUNT",
    ),
)
NETWORK = 120  # seconds the connector may repeat a request; a long statement is many of them
_OPTIONS = ("warehouse", "role", "authenticator", "protocol")


def connect(address: Address, use: Use) -> PlainSession:
    """Connect to ``snowflake://user:password@ACCOUNT/DATABASE[/SCHEMA]``, or with ``?account=`` to another host than the account's own.

    SetupError says what was refused and what to do.
    """
    try:
        import snowflake.connector as driver
    except ImportError:
        raise SetupError("Snowflake needs its connector: pip install 'pilotage[snowflake]'") from None
    schema = address.database.partition("/")[2] or "PUBLIC"
    try:
        connection = driver.connect(**_asked(address), schema=schema)
    except (driver.Error, OSError) as error:
        raise explained(address, str(error) or type(error).__name__, _CAUSES) from None
    inspecting = partial(_inspect, schema=schema.upper())
    again = partial(connect, address, use)

    def stop() -> None:
        """From beside: https://docs.snowflake.com/sql-reference/functions/system_cancel_all_queries"""
        beside = again()
        beside.query(f"SELECT SYSTEM$CANCEL_ALL_QUERIES({int(connection.session_id)})")
        beside.close()

    engine = Engine("snowflake", (driver.Error, OSError), failure, inspecting, "BEGIN", _SESSION, stop)
    session = PlainSession(connection, engine, product="Snowflake", version=(), name=address.database, again=again)
    text = str(session.query("SELECT CURRENT_VERSION()")[0][0]).split()[0]
    session.version = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
    session.engine = f"Snowflake {text}"
    return session


def _asked(address: Address) -> dict[str, Any]:
    """What the connector is told of the place, the user and how to behave."""
    options: dict[str, Any] = {name: address.options[name] for name in _OPTIONS if address.options.get(name)}
    account = address.options.get("account") or address.host
    if account != address.host:
        options |= {"host": address.host, "port": address.port or 443}
    return options | {
        "account": account,
        "user": address.user,
        "password": address.password,
        "database": address.database.partition("/")[0] or None,
        "login_timeout": seconds(address),
        "network_timeout": NETWORK,
        "platform_detection_timeout_seconds": 0.0,  # else it asks the clouds' metadata addresses where it runs
        "autocommit": True,
        "application": "pilotage",
        "session_parameters": {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False, "CLIENT_TELEMETRY_ENABLED": False},
    }


def failure(error: Exception, sql: str) -> DatabaseFailure:
    """The server's message and error number; "syntax error line n at position m" gives the place."""
    words = str(getattr(error, "raw_msg", "") or getattr(error, "msg", "") or error)
    found = _PLACE.search(words)
    position = None
    if found:
        lines = sql.split("\n")
        number = int(found[1]) - 1
        before = sum(len(line) + 1 for line in lines[:number]) + int(found[2])
        position = before if number < len(lines) and before <= len(sql) else None
    code: Any = getattr(error, "errno", None)
    lost = isinstance(error, OSError) or str(code) in {"250001", "250003", "390111", "390114"}
    return DatabaseFailure(words, str(code or getattr(error, "sqlstate", None) or ""), position, lost=lost)


def _inspect(query: Query, _name: str, schema: str) -> Schema:
    """Snowflake's information_schema has no columns of keys."""
    return standard.inspect(query, schema, SYSTEM, keys=False)
