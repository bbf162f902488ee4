"""A database of the user's on a server of which we know little: Redshift, SQL Server, Snowflake.

Where the user may, replays get a database of their own beside it; else they run in it, and what they made is dropped by its name.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ci_runner.databases import IN_USE, Address, Database, DatabaseFailure
from ci_runner.devdb.emptied import Emptied, run
from ci_runner.errors import RefusedError

LIFETIME = "INTERVAL '1 hour'"
Advice = Callable[[DatabaseFailure], str]


class Spec(NamedTuple):
    """What one engine calls things. ``contents`` gives rows of (kind, schema, name), dependants first; ``drop`` is made of such a row.

    ``may_not`` and ``there`` are codes of failures: no right to make a database, and the object is there already. ``own_lock`` takes the
    server's own lock where it has one; "" takes a table for one. ``remove`` drops a database.
    ``upper``: a name without quotes, as in a URL, is one in capitals.
    """

    quote: Callable[[str], str]
    contents: str
    may_not: frozenset[str]
    there: frozenset[str]
    system: frozenset[str]
    remove: tuple[str, ...] = ("DROP DATABASE {name}",)
    own_lock: str = ""
    upper: bool = False


class PlainKeeper:
    """Lock and contents of one database."""

    def __init__(self, spec: Spec, advice: Advice) -> None:
        self._spec = spec
        self._advice = advice

    def lock(self, main: Database) -> bool:
        """Take the server's lock, or make the table that serves as one; such a table left by a killed run is taken over after an hour."""
        if self._spec.own_lock:
            return bool(main.query(self._spec.own_lock)[0][0])
        make = f"CREATE TABLE {IN_USE} AS SELECT CURRENT_TIMESTAMP AS since"
        try:
            run(main, make)
        except DatabaseFailure as failure:
            if failure.code not in self._spec.there and "already exists" not in failure.message:
                raise RefusedError(f"the dev database cannot be locked: {failure}; grant CREATE TABLE there") from None
            if main.query(f"SELECT count(*) FROM {IN_USE} WHERE since < CURRENT_TIMESTAMP - {LIFETIME}") == [(0,)]:
                return False
            run(main, f"DROP TABLE {IN_USE}", make)
        return True

    def unlock(self, main: Database) -> None:
        """Remove the lock's table; the server's own lock ends with the session."""
        if not self._spec.own_lock:
            run(main, f"DROP TABLE {IN_USE}")

    def contents(self, main: Database) -> list[str]:
        """Tables, views, routines and schemas."""
        return [f"{kind.lower()} {name}" for kind, _, name in self._found(main)]

    def place(self, main: Database, address: Address) -> Emptied:
        """A database of our own when the user may create one, else the named one."""
        own = f"pilotage_{secrets.token_hex(6)}"
        own = own.upper() if self._spec.upper else own
        name = self._spec.quote(own)
        try:
            run(main, f"CREATE DATABASE {name}")
        except DatabaseFailure as failure:
            if failure.code not in self._spec.may_not:
                raise
            clean = partial(self._empty, main)
            return Emptied(main, address, empty=clean, clean=clean, advice=self._advice)
        made = [True]

        def clean_beside() -> None:
            if made[0]:
                run(main, *(each.format(name=name) for each in self._spec.remove))
                made[0] = False

        def empty() -> None:
            clean_beside()
            run(main, f"CREATE DATABASE {name}")
            made[0] = True

        beside = replace(address, database=own)
        return Emptied(main, beside, empty=empty, clean=clean_beside, advice=self._advice)

    def _found(self, main: Database) -> list[tuple[str, str, str]]:
        rows = [(str(kind), str(schema), str(name)) for kind, schema, name in main.query(self._spec.contents)]
        return [row for row in rows if row[2].lower() != IN_USE and row[1].lower() not in self._spec.system]

    def _empty(self, main: Database) -> None:
        """Drop what replays made in the named database, which was clean before; what others need goes in a later round."""
        left = self._found(main)
        while left:
            again = [row for row in left if not self._dropped(main, row)]
            if len(again) == len(left):
                return  # what stays is named to the user
            left = again

    def _dropped(self, main: Database, row: tuple[str, str, str]) -> bool:
        kind, schema, name = row
        quote = self._spec.quote
        try:
            run(main, f"DROP {kind} {quote(name) if kind == 'SCHEMA' else f'{quote(schema)}.{quote(name)}'}")
        except DatabaseFailure as failure:
            if failure.lost:
                raise
            return False
        return True
