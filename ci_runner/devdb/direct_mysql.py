"""A MySQL or MariaDB database of the user's as dev database."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.devdb.mysql import advice, quote, run

_MAY_NOT = frozenset({"1044", "1045", "1142", "1227"})
# Views first, for they need the tables; triggers go with their tables.
_CONTENTS = """SELECT CASE table_type WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END, table_name
 FROM information_schema.tables WHERE table_schema = DATABASE()
UNION ALL SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()
UNION ALL SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = DATABASE()
ORDER BY 1 DESC, 2"""


class MysqlKeeper:
    """Lock and contents of one database."""

    def lock(self, main: Database) -> bool:
        """Take a named lock of the server; such a name has 64 characters at most."""
        name = "pilotage." + hashlib.sha256(main.name.encode()).hexdigest()[:40]
        return bool(main.query(f"SELECT GET_LOCK('{name}', 0)")[0][0])

    def contents(self, main: Database) -> list[str]:
        """Tables, views, routines and events."""
        return [f"{kind.lower()} {name}" for kind, name in main.query(_CONTENTS)]

    def place(self, main: Database, address: Address) -> MysqlDirect:
        """A database of our own when the user may create one, else the named one."""
        own = f"pilotage_{secrets.token_hex(6)}"
        try:
            run(main, f"CREATE DATABASE {quote(own)}")
        except DatabaseFailure as failure:
            if failure.code in _MAY_NOT:
                return MysqlDirect(main, address, own="")
            raise
        return MysqlDirect(main, address, own)


class MysqlDirect:
    """Replays in the database ``own``, made for them, or with "" in the named one, emptied of what they made."""

    def __init__(self, main: Database, address: Address, own: str) -> None:
        self.engine = main.engine
        self.dialect = main.dialect
        self._main = main
        self._address = replace(address, database=own or address.database)
        self._own = own

    def fresh(self, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - nothing is needed beforehand
        """An empty database."""
        self.give_back()
        if self._own:
            run(self._main, f"CREATE DATABASE {quote(self._own)}")
        return databases.open_address(self._address)

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - these servers cannot copy a database
        """Nothing is kept."""
        return database

    def restore(self, key: str, scripts: Iterable[str] = ()) -> None:  # noqa: ARG002 - nothing was kept
        """None: nothing was kept."""
        return

    def advice(self, failure: DatabaseFailure) -> str:
        """As for every server of this kind."""
        return advice(failure)

    def give_back(self) -> None:
        """Drop our database, or what replays made in the named one, which was clean before."""
        if self._own:
            run(self._main, f"DROP DATABASE IF EXISTS {quote(self._own)}")
            return
        found = self._main.query(_CONTENTS)
        if found:
            run(
                self._main,
                "SET FOREIGN_KEY_CHECKS = 0",
                *(f"DROP {kind} IF EXISTS {quote(name)}" for kind, name in found),
            )
