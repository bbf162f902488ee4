"""Redshift through redshift-connector where that is installed, else through psycopg, whose protocol it speaks.

Neither was tried on a cluster; what is tested is tested on PostgreSQL.
"""

from __future__ import annotations

import re
from functools import partial
from importlib.util import find_spec
from typing import Any

from ci_runner.databases import standard
from ci_runner.databases.address import Address, Use
from ci_runner.databases.dbapi import Engine, PlainSession, Query
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.refused import COMMON, Cause, explained, no_database, password, seconds
from ci_runner.errors import SetupError
from ci_runner.model.inspected import Schema

SYSTEM = ("pg_catalog", "information_schema", "pg_internal", "pg_automv", "catalog_history", "pg_toast")
_SESSION = re.compile(r"\b(?:set|reset|set_config|temp|temporary)\b", re.IGNORECASE)
_VERSION = re.compile(r"(Redshift|PostgreSQL) (\d+(?:\.\d+)*)")
_CAUSES = (
    password(("password authentication failed", "28P01", "28000")),
    no_database(("does not exist", "3D000")),
    Cause(("SSL",), "it does not take this connection's TLS", "add ?sslmode=require, or disable"),
    *COMMON,
)


def connect(address: Address, use: Use) -> PlainSession:
    """Connect; SetupError says what was refused and what to do."""
    if find_spec("redshift_connector"):
        connection, errors, failure = _by_connector(address)
    elif find_spec("psycopg"):
        connection, errors, failure = _by_psycopg(address)
    else:
        raise SetupError("Redshift needs a driver: pip install 'pilotage[redshift]'")
    again = partial(connect, address, use)

    def stop() -> None:
        beside = again()
        beside.query(f"SELECT pg_cancel_backend({process})")
        beside.close()

    engine = Engine("redshift", errors, failure, _inspect, "BEGIN", _SESSION, stop)
    session = PlainSession(
        connection,
        engine,
        product="Redshift",
        version=(1,),
        name=address.database,
        again=partial(connect, address, use),
    )
    ((words, number),) = session.query("SELECT version(), pg_backend_pid()")
    process = int(number)
    found = _VERSION.findall(str(words))
    product, number = found[-1] if found else ("Redshift", "1")
    session.engine = f"{product} {number}"
    session.version = tuple(int(part) for part in number.split("."))
    return session


def _by_psycopg(address: Address) -> tuple[Any, tuple[type[Exception], ...], Any]:
    import psycopg

    try:
        connection = psycopg.connect(
            host=address.host or "localhost",
            port=address.port or 5439,
            user=address.user,
            password=address.password,
            dbname=address.database or "dev",
            autocommit=True,
            client_encoding="UTF8",  # Redshift calls it UNICODE, which the driver does not know
            connect_timeout=seconds(address),
            sslmode=address.options.get("sslmode", "prefer"),
        )
    except psycopg.Error as error:
        raise explained(address, str(error), _CAUSES) from None

    def failure(error: Exception, sql: str) -> DatabaseFailure:
        diag = getattr(error, "diag", None)
        place = getattr(diag, "statement_position", None)
        position = int(place) - 1 if place and int(place) <= len(sql) else None
        words = getattr(diag, "message_primary", None) or str(error)
        return DatabaseFailure(words, getattr(diag, "sqlstate", None) or "", position, lost=bool(connection.closed))

    return connection, (psycopg.Error,), failure


def _by_connector(address: Address) -> tuple[Any, tuple[type[Exception], ...], Any]:
    import redshift_connector

    try:
        connection = redshift_connector.connect(
            host=address.host or "localhost",
            port=address.port or 5439,
            user=address.user,
            password=address.password,
            database=address.database or "dev",
            timeout=seconds(address),
            ssl=address.options.get("sslmode") != "disable",
        )
    except (redshift_connector.Error, OSError) as error:
        raise explained(address, str(error), _CAUSES) from None
    connection.autocommit = True
    connection.paramstyle = "qmark"  # the style that meddles least with a text: only with ? outside of strings

    def failure(error: Exception, sql: str) -> DatabaseFailure:  # noqa: ARG001 - it tells no place
        told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}  # fields of the server's message
        lost = isinstance(error, OSError) or "connection" in str(error).lower()
        return DatabaseFailure(str(told.get("M") or error), str(told.get("C") or ""), None, lost=lost and not told)

    return connection, (redshift_connector.Error, OSError), failure


def _inspect(query: Query, _name: str) -> Schema:
    return standard.inspect(query, "public", SYSTEM)
