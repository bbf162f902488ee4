"""Empty MySQL and MariaDB databases for replay, on a server of our own."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure, Sql

REPLAY = "pilotage_replay"
SYSTEM = frozenset({"mysql", "sys", "information_schema", "performance_schema"})
# Everything a schema needs, on every database of the server, and nothing that reaches its files, its accounts or other servers.
RIGHTS = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, "
    "SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER"
)


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def run(database: Database, *statements: str) -> None:
    """Statements of our own, each by itself."""
    database.execute([Sql(statement) for statement in statements], transaction=False)


class MysqlDev:
    """A whole server that nobody else uses: a fresh state is every database gone but the server's own.

    ``name`` is the database replays begin in; with "" they begin in none, and see them all. ``options`` are those of their sessions.
    """

    def __init__(self, admin: Address, name: str, options: Mapping[str, str]) -> None:
        self._admin = databases.open_address(admin)
        self._name = name
        self.engine = self._admin.engine
        self.dialect = self._admin.dialect
        password = secrets.token_hex(16)
        self._user = replace(admin, user=REPLAY, password=password, database=name, options={**admin.options, **options})
        run(
            self._admin,
            f"CREATE USER '{REPLAY}'@'%' IDENTIFIED BY '{password}'",
            f"GRANT {f'ALL ON {_pattern(name)}.*' if name else f'{RIGHTS} ON *.*'} TO '{REPLAY}'@'%'",
        )

    def fresh(self, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - nothing is needed beforehand
        """An empty server, or on it an empty database of the name asked for."""
        for (found,) in self._admin.query("SHOW DATABASES"):
            if found.lower() not in SYSTEM:
                run(self._admin, f"DROP DATABASE {quote(found)}")
        if self._name:
            run(self._admin, f"CREATE DATABASE {quote(self._name)}")
        return databases.open_address(self._user)

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - these servers cannot copy a database
        """Nothing is kept."""
        return database

    def restore(self, key: str, scripts: Iterable[str] = ()) -> None:  # noqa: ARG002 - nothing was kept
        """None: nothing was kept."""
        return

    def advice(self, failure: DatabaseFailure) -> str:
        """What the user can do about a refusal that is this dev database's and not the migration's; "" when there is nothing."""
        return advice(failure)

    def close(self) -> None:
        """End the administrator's session."""
        self._admin.close()


def advice(failure: DatabaseFailure) -> str:
    """Remedies for error numbers that concern the dev URL: no database selected, access denied."""
    if failure.code == "1046":
        return "the dev URL names no database; add one, as in docker://mysql/8/dev"
    if failure.code in {"1044", "1045", "1142", "1227", "1370", "1410"}:
        return "replays may change their own database and nothing else on the server; a dev URL without a database name may use all databases"
    return ""


def _pattern(name: str) -> str:
    """A database name where GRANT reads a pattern: _ and % stand for themselves."""
    return quote(name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))
