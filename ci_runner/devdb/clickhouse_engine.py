"""Empty ClickHouse databases for replay in engines of our own, without a server."""

from __future__ import annotations

import os
import platform
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.databases.clickhouse.wire import Refused
from ci_runner.devdb.clickhouse import ALONE, FLEETING, advice
from ci_runner.devdb.packing import PackError, pack, unpack
from ci_runner.devdb.shelf import Shelf, Slot
from ci_runner.devdb.workdir import work_folder
from ci_runner.errors import ConfigError, PilotageError, SetupError

if TYPE_CHECKING:
    from ci_runner.databases.clickhouse import Clickhouse

HOME = "PILOTAGE_CHDB_HOME"
NOBODY = 65534


@contextmanager
def open_engine(
    url: str, environment: Mapping[str, str], report: Callable[[str], None], shelf: Shelf | None = None
) -> Iterator[EngineDev]:
    """The dev database of ``embedded://clickhouse[/DATABASE]``: processes that end with the block, files that go with it.

    A base on the ``shelf`` spares replaying; one that the engine does not take is thrown away.
    """
    address = databases.parse(url)
    if "/" in address.database or address.user or address.port:
        raise ConfigError(f"dev URL {url.partition('?')[0]}: write embedded://clickhouse or embedded://clickhouse/NAME")
    home = find_home(environment)
    root = os.geteuid() == 0
    with work_folder("pilotage-ch-", NOBODY if root else os.geteuid(), NOBODY if root else os.getegid()) as folder:
        dev = EngineDev(folder, str(home), address.database or "dev", shelf)
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
    """An engine for each database, with a folder of its own; a kept state is a copy of that folder.

    ``shelf`` keeps one of these states beyond this run.
    """

    dialect = "clickhouse"

    def __init__(self, folder: Path, home: str, name: str, shelf: Shelf | None = None) -> None:
        self.engine = "ClickHouse"
        self._folder = folder
        self._home = home
        self._name = name
        self._shelf = shelf
        self._made = 0
        self._empty: Database | None = None
        self._held: Database | None = None
        self._sessions: list[Database] = []
        self._places: dict[int, Path] = {}
        self._kept: dict[str, Path] = {}

    def start(self, report: Callable[[str], None]) -> None:
        """Take up the base that is kept, else begin empty; ask the engine what it is, and what could not be closed to it."""
        self._held = self._taken_up(self._shelf) if self._shelf else None
        if self._held is None:
            self._empty = self._session(self._place())
        first = cast("Clickhouse", self._held or self._empty)
        self.engine = first.engine
        kept = " with the base an earlier run replayed" if self._held else ""
        left_open = "; ".join(first.left_open)
        report(f"{self.engine} started for this run{kept}" + (f" ({left_open})" if left_open else ""))

    def fresh(self, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - nothing is needed beforehand
        """A new empty database; the first one is there already."""
        first, self._empty = self._empty, None
        return first or self._session(self._place())

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002
        """Keep the state of ``database`` under ``key``; its engine is ended for that. One with rows that would be lost is not kept."""
        if database.query(FLEETING):
            return database
        place = self._places[id(database)]
        database.close()
        kept = self._kept[key] = self._place(place)
        if self._shelf and self._shelf.base == key:
            self._slot(self._shelf).write(lambda stream: pack(kept, stream, lambda _path: False))
        return self._session(place)

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:  # noqa: ARG002
        """A new database in the state kept under ``key``, in this run or in an earlier one; None when nothing is kept."""
        if self._held and self._shelf and self._shelf.base == key:
            held, self._held = self._held, None
            return held
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

    def _slot(self, shelf: Shelf) -> Slot:
        """The place for a base of this very build of the engine, wherever its package lies."""
        build = [
            f"{library.name} {library.stat().st_size}"
            for library in sorted(Path(self._home, "chdb").glob("_chdb*"))
            if library.is_file()
        ]
        return shelf.slot("clickhouse", *build, platform.machine(), self._name)

    def _taken_up(self, shelf: Shelf) -> Database | None:
        """An engine on the state an earlier run kept; None, with nothing left of it, when there is none or it is not fit."""
        slot, base = self._slot(shelf), self._folder / "base"
        with slot.reading() as stream:
            if stream is None:
                return None
            try:
                unpack(stream, base, (NOBODY, NOBODY) if os.geteuid() == 0 else None)
                session = self._session(self._place(base))
            except (PackError, OSError, EOFError, zlib.error, PilotageError, Refused):
                shutil.rmtree(base, ignore_errors=True)
                slot.discard()
                return None
        self._kept[shelf.base] = base
        return session

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
