"""Empty ClickHouse databases for replay, on a server of our own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure, Use
from ci_runner.devdb.emptied import NO_ROOM, Emptied, run

REPLAY = "pilotage_replay"
ALONE = Use(confined=True)
SYSTEM = frozenset({"system", "information_schema", "default", "_system"})
# What reaches beyond the server or changes it: https://clickhouse.com/docs/sql-reference/statements/grant
DENIED = "SOURCES, SYSTEM, ACCESS MANAGEMENT, INTROSPECTION, NAMED COLLECTION ADMIN"
# Rows that lie in no file, and are gone with the next start.
FLEETING = """SELECT 1 FROM system.tables WHERE engine IN ('Memory', 'Buffer') AND coalesce(total_rows, 1) > 0
 AND lower(database) NOT IN ('system', 'information_schema') LIMIT 1"""


def server(admin: Address, name: str, options: Mapping[str, str]) -> Emptied:
    """A whole server that nobody else uses; with "" as ``name`` replays begin in the database ``default`` and see them all."""
    main = databases.open_address(admin)
    unbound(main)
    user, password = _account(main) or (admin.user, admin.password)
    address = replace(admin, user=user, password=password, database=name, options={**admin.options, **options})

    def clean() -> None:
        found = [row[0] for row in main.query("SHOW DATABASES") if row[0].lower() not in SYSTEM]
        run(main, *(f"DROP DATABASE {quote(each)} SYNC" for each in found))
        for (table,) in main.query(
            "SELECT name FROM system.tables WHERE database = 'default' ORDER BY engine LIKE '%View' DESC"
        ):
            run(main, f"DROP TABLE IF EXISTS default.{quote(table)} SYNC")
        for (function,) in main.query("SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'"):
            run(main, f"DROP FUNCTION IF EXISTS {quote(function)}")

    def empty() -> None:
        clean()
        run(main, *([f"CREATE DATABASE {quote(name)}"] if name else []))

    return Emptied(main, address, empty=empty, clean=clean, advice=advice, use=ALONE, fleeting=FLEETING)


def unbound(main: Database) -> None:
    """Let the session drop what others refer to, for all of it is dropped; servers that are older than the setting do not ask."""
    with suppress(DatabaseFailure):
        run(main, "SET check_table_dependencies = 0")


def renewed(admin: Address) -> Address:
    """The administrator's password comes with each start, and is in no data folder."""
    return admin


def _account(main: Database) -> tuple[str, str] | None:
    """User and password of an account that reaches nothing outside; None on an engine without accounts."""
    password = secrets.token_hex(16)
    try:
        run(main, f"CREATE USER OR REPLACE {REPLAY} IDENTIFIED BY '{password}'")
        run(main, f"GRANT CURRENT GRANTS ON *.* TO {REPLAY}", f"REVOKE {DENIED} ON *.* FROM {REPLAY}")
    except DatabaseFailure as failure:
        if failure.code in {"ACCESS_DENIED", "NOT_IMPLEMENTED", "SUPPORT_IS_DISABLED"}:
            return None
        raise
    return REPLAY, password


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def advice(failure: DatabaseFailure) -> str:
    """Remedies for refusals that concern the engine and not the migration."""
    words = failure.message
    if failure.code in {"NO_ZOOKEEPER", "CLUSTER_DOESNT_EXIST", "UNKNOWN_STATUS_OF_DISTRIBUTED_DDL_TASK"}:
        return "the dev database is one server without a cluster; ON CLUSTER and Replicated engines are left out where they are written out"
    if failure.code == "NOT_ENOUGH_SPACE" or "No space left on device" in words or "File too large" in words:
        return NO_ROOM
    if failure.code == "ACCESS_DENIED" or "Permission denied" in words or "Operation not permitted" in words:
        return "the dev database reaches no files, other servers or programs; functions and engines that do are refused there"
    return ""
