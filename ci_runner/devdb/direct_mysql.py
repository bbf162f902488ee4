"""A MySQL or MariaDB database of the user's as dev database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from functools import partial

from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.devdb.emptied import Emptied, run
from ci_runner.devdb.mysql import advice, quote

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

    def unlock(self, main: Database) -> None:
        """The lock ends with the session."""

    def contents(self, main: Database) -> list[str]:
        """Tables, views, routines and events."""
        return [f"{kind.lower()} {name}" for kind, name in main.query(_CONTENTS)]

    def place(self, main: Database, address: Address) -> Emptied:
        """A database of our own when the user may create one, else the named one."""
        own = f"pilotage_{secrets.token_hex(6)}"
        try:
            run(main, f"CREATE DATABASE {quote(own)}")
        except DatabaseFailure as failure:
            if failure.code not in _MAY_NOT:
                raise
            clean = partial(_empty, main)
            return Emptied(main, address, empty=clean, clean=clean, advice=advice)
        clean = partial(run, main, f"DROP DATABASE IF EXISTS {quote(own)}")
        anew = partial(run, main, f"DROP DATABASE IF EXISTS {quote(own)}", f"CREATE DATABASE {quote(own)}")
        return Emptied(main, replace(address, database=own), empty=anew, clean=clean, advice=advice)


KEEPER = MysqlKeeper()


def _empty(main: Database) -> None:
    """Drop what replays made in the named database, which was clean before."""
    found = main.query(_CONTENTS)
    if found:
        drops = (f"DROP {kind} IF EXISTS {quote(name)}" for kind, name in found)
        run(main, "SET FOREIGN_KEY_CHECKS = 0", *drops)
