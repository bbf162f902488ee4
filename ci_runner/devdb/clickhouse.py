"""Empty ClickHouse databases for replay: in an engine of our own without a server, or on a server of our own."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure, Use
from ci_runner.devdb.emptied import Emptied, run
from ci_runner.devdb.workdir import work_folder
from ci_runner.errors import ConfigError, SetupError

if TYPE_CHECKING:
    from ci_runner.databases.clickhouse import Clickhouse

HOME = "PILOTAGE_CHDB_HOME"
REPLAY = "pilotage_replay"
ALONE = Use(confined=True)
NOBODY = 65534
SYSTEM = frozenset({"system", "information_schema", "default", "_system"})
# What reaches beyond the server or changes it: https://clickhouse.com/docs/sql-reference/statements/grant
DENIED = "SOURCES, SYSTEM, ACCESS MANAGEMENT, INTROSPECTION, NAMED COLLECTION ADMIN"


@contextmanager
def open_engine(url: str, environment: Mapping[str, str], report: Callable[[str], None]) -> Iterator[EngineDev]:
    """The dev database of ``embedded://clickhouse[/DATABASE]``: processes that end with the block, files that go with it."""
    address = databases.parse(url)
    if "/" in address.database or address.user or address.port:
        raise ConfigError(f"dev URL {url.partition('?')[0]}: write embedded://clickhouse or embedded://clickhouse/NAME")
    home = find_home(environment)
    root = os.geteuid() == 0
    with work_folder("pilotage-ch-", NOBODY if root else os.geteuid(), NOBODY if root else os.getegid()) as folder:
        dev = EngineDev(folder, str(home), address.database or "dev")
        try:
            dev.start(report)
            yield dev
        finally:
            dev.close()


def find_home(environment: Mapping[str, str]) -> Path:
    """The folder the package ``chdb`` lies in; SetupError says how to get it."""
    from ci_runner.databases.clickhouse.embedded import home_of

    named = environment.get(HOME, "")
    home = home_of(named)
    if home is not None:
        return home
    if named:
        raise SetupError(f"{HOME} is {named}, but there is no {named}/chdb")
    raise SetupError(
        "ClickHouse's engine is not on this machine: pip install 'pilotage[clickhouse]' brings it (package chdb, about 0.9 GB with what it "
        f"asks for); or `pip install --no-deps --target DIR chdb chdb-core` (0.6 GB) and {HOME}=DIR; or use docker://clickhouse/24.8/dev"
    )


class EngineDev:
    """An engine for each database, with a folder of its own; a kept state is a copy of that folder."""

    dialect = "clickhouse"

    def __init__(self, folder: Path, home: str, name: str) -> None:
        self.engine = "ClickHouse"
        self._folder = folder
        self._home = home
        self._name = name
        self._made = 0
        self._first: Database | None = None
        self._sessions: list[Database] = []
        self._places: dict[int, Path] = {}
        self._kept: dict[str, Path] = {}

    def start(self, report: Callable[[str], None]) -> None:
        """Ask the engine what it is, and what could not be closed to it."""
        self._first = self._session(self._place())
        self.engine = self._first.engine
        left_open = "; ".join(cast("Clickhouse", self._first).left_open)
        report(f"{self.engine} started for this run" + (f" ({left_open})" if left_open else ""))

    def fresh(self, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - nothing is needed beforehand
        """A new empty database; the first one is there already."""
        first, self._first = self._first, None
        return first or self._session(self._place())

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002
        """Keep the state of ``database`` under ``key``; its engine is ended for that."""
        place = self._places[id(database)]
        database.close()
        self._kept[key] = self._place(place)
        return self._session(place)

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:  # noqa: ARG002
        """A new database in the state kept under ``key``; None when nothing is kept."""
        kept = self._kept.get(key)
        return self._session(self._place(kept)) if kept else None

    def advice(self, failure: DatabaseFailure) -> str:
        """What the user can do about a refusal that is the dev database's and not the migration's; "" when there is nothing."""
        return advice(failure)

    def kill(self) -> None:
        """End every engine, whatever it does."""
        for session in self._sessions:
            session.interrupt()

    def close(self) -> None:
        """End every engine."""
        for session in self._sessions:
            session.close()

    def _place(self, source: Path | None = None) -> Path:
        """A folder for an engine, a copy of ``source`` where there is one."""
        self._made += 1
        place = self._folder / str(self._made)
        if source:
            shutil.copytree(source, place, symlinks=True)
        else:
            place.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (place, *place.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        return place

    def _session(self, place: Path) -> Database:
        address = Address("clickhouse", path=str(place), database=self._name, options={"home": self._home})
        session = databases.open_address(address, ALONE)
        self._sessions.append(session)
        self._places[id(session)] = place
        return session


def server(admin: Address, name: str, options: Mapping[str, str]) -> Emptied:
    """A whole server that nobody else uses; with "" as ``name`` replays begin in the database ``default`` and see them all."""
    main = databases.open_address(admin)
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

    return Emptied(main, address, empty=empty, clean=clean, advice=advice, use=ALONE)


def _account(main: Database) -> tuple[str, str] | None:
    """User and password of an account that reaches nothing outside; None on an engine without accounts."""
    password = secrets.token_hex(16)
    try:
        run(main, f"CREATE USER {REPLAY} IDENTIFIED BY '{password}'")
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
    if failure.code == "ACCESS_DENIED" or "Permission denied" in words or "Operation not permitted" in words:
        return "the dev database reaches no files, other servers or programs; functions and engines that do are refused there"
    return ""
