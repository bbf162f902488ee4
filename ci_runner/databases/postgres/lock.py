"""Whose the advisory lock is, and whether a pooler stands between us and the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from ci_runner.databases.failure import DatabaseFailure
from ci_runner.errors import PilotageError

if TYPE_CHECKING:
    from ci_runner.databases.postgres import Postgres

_WHICH = "locktype = 'advisory' AND classid = {}::oid AND objid = {}::oid AND objsubid = 1 AND granted"
HELD = f"SELECT 1 / count(*) FROM pg_locks WHERE {_WHICH} AND pid = pg_backend_pid()"
HOLDER = (
    "SELECT l.pid, a.application_name, a.client_addr::text, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
    f"FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE {_WHICH} LIMIT 1"
)
_PID = "SELECT pg_backend_pid()"
_PATIENCE = 3.0


def pooled(database: Postgres, beside: Callable[[], Postgres]) -> bool:
    """Whether two transactions of ``database`` can reach two server sessions.

    The process number of the greeting is the server's own only without a pooler. Behind one a second connection takes the server session
    that the first one used last and keeps it: in session mode it cannot, in transaction mode the first one now gets another, or waits.
    """
    first = database.query(_PID)[0][0]
    if first == database.connection.info.backend_pid:
        return False
    other: list[Postgres] = []

    def take() -> None:
        with suppress(PilotageError):
            other.append(beside())
            other[0].begin()
            other[0].query(_PID)

    taker = Thread(target=take, daemon=True)
    taker.start()
    taker.join(_PATIENCE)
    again: list[object] = []

    def look() -> None:
        with suppress(DatabaseFailure):
            again.append(database.query(_PID)[0][0])

    looker = Thread(target=look, daemon=True)
    looker.start()
    looker.join(_PATIENCE)
    moved = again != [first]
    for session in other:
        session.close()
    looker.join(_PATIENCE)
    return moved
