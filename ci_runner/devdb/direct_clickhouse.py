"""A ClickHouse database of the user's as dev database."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial

from ci_runner.databases import IN_USE, Address, Database, DatabaseFailure
from ci_runner.devdb.clickhouse import ALONE, advice, quote, unbound
from ci_runner.devdb.emptied import Emptied, run
from ci_runner.errors import RefusedError

# The server has no locks for clients; making a table that may be there once serves as one.
_CONTENTS = f"""SELECT CASE WHEN engine = 'Dictionary' THEN 'dictionary' WHEN engine LIKE '%View' THEN 'view' ELSE 'table' END, name
FROM system.tables WHERE database = currentDatabase() AND name <> '{IN_USE}' AND name NOT LIKE '.inner%'
ORDER BY engine LIKE '%View' DESC, engine = 'Dictionary' DESC, name"""
_EXPIRED = f"SELECT count() FROM {IN_USE} WHERE until < now()"
LIFETIME = 3600


class ClickhouseKeeper:
    """Lock and contents of one database."""

    def lock(self, main: Database) -> bool:
        """Make the lock's table; one left by a run that was killed is taken over after an hour."""
        make = f"CREATE TABLE {IN_USE} ENGINE = TinyLog AS SELECT now() + {LIFETIME} AS until"
        try:
            run(main, make)
        except DatabaseFailure as failure:
            if failure.code != "TABLE_ALREADY_EXISTS":
                raise RefusedError(f"the dev database cannot be locked: {failure}; grant CREATE TABLE there") from None
            if main.query(_EXPIRED) == [(0,)]:
                return False
            run(main, f"DROP TABLE {IN_USE} SYNC", make)
        return True

    def unlock(self, main: Database) -> None:
        """Remove the lock's table."""
        run(main, f"DROP TABLE IF EXISTS {IN_USE} SYNC")

    def contents(self, main: Database) -> list[str]:
        """Tables, views and dictionaries."""
        return [f"{kind} {name}" for kind, name in main.query(_CONTENTS)]

    def place(self, main: Database, address: Address) -> Emptied:
        """A database of our own when the user may create one, else the named one."""
        unbound(main)
        own = quote(f"pilotage_{secrets.token_hex(6)}")
        try:
            run(main, f"CREATE DATABASE {own}")
        except DatabaseFailure as failure:
            if failure.code != "ACCESS_DENIED":
                raise
            clean = partial(_empty, main)
            return Emptied(main, address, empty=clean, clean=clean, advice=advice, use=ALONE)
        drop = f"DROP DATABASE IF EXISTS {own} SYNC"
        anew = partial(run, main, drop, f"CREATE DATABASE {own}")
        beside = replace(address, database=own.strip("`"))
        return Emptied(main, beside, empty=anew, clean=partial(run, main, drop), advice=advice, use=ALONE)


KEEPER = ClickhouseKeeper()


def _empty(main: Database) -> None:
    """Drop what replays made in the named database, which was clean before."""
    for kind, name in main.query(_CONTENTS):
        run(main, f"DROP {'DICTIONARY' if kind == 'dictionary' else 'TABLE'} IF EXISTS {quote(name)} SYNC")
