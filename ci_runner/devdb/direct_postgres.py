"""A PostgreSQL database of the user's as dev database."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.devdb.postgres import PostgresDev, advice, quote, run

LOCK = 0x70696C6F  # "pilo": an advisory lock, and those are per database
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('public', 'information_schema') ORDER BY 1"
_EXTENSIONS = "SELECT extname FROM pg_extension ORDER BY 1"
# What stands in public, with the statement that removes it; members of extensions go with their extension.
_PUBLIC = """SELECT 'DROP ' || CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
 WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END || ' IF EXISTS public.' || quote_ident(c.relname) || ' CASCADE',
 CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view ' WHEN 'S' THEN 'sequence ' ELSE 'table ' END || c.relname, 1
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL SELECT 'DROP ROUTINE IF EXISTS ' || p.oid::regprocedure || ' CASCADE', 'function ' || p.proname, 2
FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL SELECT 'DROP TYPE IF EXISTS public.' || quote_ident(t.typname) || ' CASCADE', 'type ' || t.typname, 3
FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND (t.typtype IN ('e', 'd', 'r')
 OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY 3, 2"""


class PostgresKeeper:
    """Lock and contents of one database."""

    def lock(self, main: Database) -> bool:
        """Take the advisory lock of this database."""
        return bool(main.query(f"SELECT pg_try_advisory_lock({LOCK})")[0][0])

    def unlock(self, main: Database) -> None:
        """The lock ends with the session."""

    def contents(self, main: Database) -> list[str]:
        """Objects in public, and schemas beside it."""
        return [row[1] for row in main.query(_PUBLIC)] + [f"schema {row[0]}" for row in main.query(_SCHEMAS)]

    def place(self, main: Database, address: Address) -> Beside | Within:
        """Databases of our own when the role may create them, else the named one."""
        may = main.query("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")[0][0]
        return Beside(address) if may else Within(main, address)


KEEPER = PostgresKeeper()


class Beside(PostgresDev):
    """Databases with names of our own on the user's server; the one named in the URL stays as it is."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, address, prefix=f"pilotage_{secrets.token_hex(6)}", confined=False)

    def give_back(self) -> None:
        """Drop them."""
        self.drop_all()
        self.close()


class Within:
    """The named database itself, emptied after each replay of what the replay made."""

    dialect = "postgres"

    def __init__(self, main: Database, address: Address) -> None:
        self.engine = main.engine
        self._main = main
        self._address = address
        self._extensions = {row[0] for row in main.query(_EXTENSIONS)}

    def fresh(self, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - extensions are the business of the server's owner
        """The database, empty again."""
        self.give_back()
        return databases.open_address(self._address)

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - the role may not copy databases
        """Nothing is kept."""
        return database

    def restore(self, key: str, scripts: Iterable[str] = ()) -> None:  # noqa: ARG002 - nothing was kept
        """None: nothing was kept."""
        return

    def kill(self) -> None:
        """Nothing: the server is not ours."""

    def advice(self, failure: DatabaseFailure) -> str:
        """As for every PostgreSQL server that is not ours."""
        return advice(failure, confined=False)

    def give_back(self) -> None:
        """Drop what was made: the database was clean before, so that is all there is."""
        for (name,) in self._main.query(_EXTENSIONS):
            if name not in self._extensions:
                run(self._main, f"DROP EXTENSION IF EXISTS {quote(name)} CASCADE")
        for (name,) in self._main.query(_SCHEMAS):
            run(self._main, f"DROP SCHEMA IF EXISTS {quote(name)} CASCADE")
        for row in self._main.query(_PUBLIC):
            run(self._main, row[0])
