"""Empty SQL Server databases for replay, on a server of our own; written from documentation, no server was reached."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from ci_runner import databases
from ci_runner.databases import Address, DatabaseFailure
from ci_runner.devdb.emptied import Emptied, run

REPLAY = "pilotage_replay"
# https://learn.microsoft.com/sql/t-sql/statements/drop-database-transact-sql: nobody else may be in it
REMOVE = (
    "IF DB_ID({text}) IS NOT NULL ALTER DATABASE {name} SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
    "DROP DATABASE IF EXISTS {name}",
)


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return "[" + name.replace("]", "]]") + "]"


def literal(value: str) -> str:
    """A value as a string literal."""
    return "N'" + value.replace("'", "''") + "'"


def server(admin: Address, name: str, options: Mapping[str, str]) -> Emptied:
    """A server nobody else uses: the replay's login owns one database of it, ``name``, and nothing else; "" stands for "dev"."""
    main = databases.open_address(admin)
    database = name if name not in {"", "master"} else "dev"
    password = f"Aa1!{secrets.token_hex(16)}"  # of four kinds of characters, as the server wants it
    run(main, f"CREATE LOGIN {REPLAY} WITH PASSWORD = {literal(password)}, CHECK_POLICY = OFF")
    clean = partial(run, main, *removing(database))

    def empty() -> None:
        clean()
        run(
            main,
            f"CREATE DATABASE {quote(database)}",
            f"ALTER AUTHORIZATION ON DATABASE::{quote(database)} TO {REPLAY}",
        )

    user = replace(admin, user=REPLAY, password=password, database=database, options={**admin.options, **options})
    return Emptied(main, user, empty=empty, clean=clean, advice=advice)


def removing(database: str) -> tuple[str, ...]:
    """The statements that drop ``database``, there or not."""
    return tuple(each.format(name=quote(database), text=literal(database)) for each in REMOVE)


def advice(failure: DatabaseFailure) -> str:
    """Remedies for error numbers that concern the server: no permission (229, 262, 15247)."""
    if failure.code in {"229", "262", "15247"}:
        return "replays own their database and nothing else on the server"
    return ""
