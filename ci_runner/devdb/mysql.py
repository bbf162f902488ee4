"""Empty MySQL and MariaDB databases for replay, on a server of our own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from ci_runner import databases
from ci_runner.databases import Address, DatabaseFailure
from ci_runner.devdb.emptied import NO_ROOM, Emptied, run

REPLAY = "pilotage_replay"
SYSTEM = frozenset({"mysql", "sys", "information_schema", "performance_schema"})
# Everything a schema needs, on every database of the server, and nothing that reaches its files, its accounts or other servers.
RIGHTS = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, "
    "SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER"
)
# Rows that lie in no file, and are gone with the next start.
FLEETING = """SELECT 1 FROM information_schema.tables WHERE engine = 'MEMORY'
 AND lower(table_schema) NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') LIMIT 1"""


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def server(admin: Address, name: str, options: Mapping[str, str]) -> Emptied:
    """A whole server that nobody else uses: empty is every database gone but the server's own, and one of ``name`` made.

    With "" as name replays begin in no database, and see them all. ``options`` are those of their sessions.
    """
    main = databases.open_address(admin)
    run(main, "SET SESSION foreign_key_checks = 0")  # databases are dropped one by one, and one may refer to another
    password = secrets.token_hex(16)
    user = replace(admin, user=REPLAY, password=password, database=name, options={**admin.options, **options})
    run(
        main,
        f"CREATE USER IF NOT EXISTS '{REPLAY}'@'%'",
        f"ALTER USER '{REPLAY}'@'%' IDENTIFIED BY '{password}'",
        f"GRANT {f'ALL ON {_pattern(name)}.*' if name else f'{RIGHTS} ON *.*'} TO '{REPLAY}'@'%'",
    )

    def clean() -> None:
        found = [row[0] for row in main.query("SHOW DATABASES") if row[0].lower() not in SYSTEM]
        run(main, *(f"DROP DATABASE {quote(each)}" for each in found))

    def empty() -> None:
        clean()
        run(main, *([f"CREATE DATABASE {quote(name)}"] if name else []))

    return Emptied(main, user, empty=empty, clean=clean, advice=advice, fleeting=FLEETING)


def renewed(admin: Address) -> Address:
    """A new password for the administrator, whose old one has been in a file."""
    password = secrets.token_hex(16)
    session = databases.open_address(admin)
    hosts = session.query(f"SELECT host FROM mysql.user WHERE user = '{admin.user}' AND host IN ('%', 'localhost')")
    run(session, *(f"ALTER USER '{admin.user}'@'{host}' IDENTIFIED BY '{password}'" for (host,) in hosts))
    session.close()
    return replace(admin, password=password)


def advice(failure: DatabaseFailure) -> str:
    """Remedies for error numbers that concern the dev database: none selected, disk full, access denied."""
    if failure.code == "1046":
        return "the dev URL names no database; add one, as in docker://mysql/8/dev"
    if failure.code in {"1021", "1114"}:
        return NO_ROOM
    if failure.code in {"1044", "1045", "1142", "1227", "1370", "1410"}:
        return "replays may change their own database and nothing else on the server; a dev URL without a database name may use all databases"
    return ""


def _pattern(name: str) -> str:
    """A database name where GRANT reads a pattern: _ and % stand for themselves."""
    return quote(name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))
