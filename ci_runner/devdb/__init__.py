"""Throw-away databases to replay migrations on, opened by URL.

==============================================  ====================================================================
``auto``                                        what this machine has for the dialect
``docker://postgres/15/dev`` and its like       a container of that image, removed afterwards
``docker+postgres://host/image:tag/dev``        the same with any image
``embedded://postgres/18``                      a server of our own from programs on this machine
``embedded://clickhouse``                       ClickHouse's engine in a process of our own
``embedded://sqlserver``                        Microsoft's grammar: syntax only
``embedded://sqlite``, ``sqlite://…``           SQLite in memory
``postgres://…``, ``mysql://…`` and others       a server you name; it must be clean, is locked while in use and given back clean
==============================================  ====================================================================
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from ci_runner.databases import SCHEMES
from ci_runner.devdb.auto import AUTO, choose
from ci_runner.devdb.ending import WentAway
from ci_runner.devdb.init import Init, Prepared
from ci_runner.devdb.parts import Part, lacking, parts, shown
from ci_runner.devdb.protocol import DevDatabase
from ci_runner.devdb.shelf import Shelf
from ci_runner.errors import ConfigError

__all__ = ["AUTO", "DevDatabase", "Init", "Part", "Shelf", "WentAway", "family", "lacking", "open", "parts", "shown"]

FORMS = (
    "auto, docker://postgres/15/dev, embedded://postgres/18, embedded://clickhouse, embedded://sqlite, sqlite://dev?mode=memory, "
    "or a direct URL such as postgres://user@host/db"
)

_OWN = (
    "docker:",
    "docker+",
    "embedded://postgres",
)  # these prepare their databases themselves, with more rights than a replay has


@contextmanager
def open(  # noqa: A001 - devdb.open reads as what it does
    url: str,
    *,
    environment: Mapping[str, str],
    run_id: str,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.time,
    shelf: Shelf | None = None,
    trusted: bool = True,
    init: Init | None = None,
    dialect: str = "",
) -> Iterator[DevDatabase]:
    """The dev database of ``url``, gone when the block ends, also when SIGTERM ends it.

    ``environment`` is where DOCKER_HOST and PILOTAGE_POSTGRES_HOME_<MAJOR> are looked up; ``run_id`` marks what is left if the machine dies;
    ``report`` gets a line for each thing that takes time; ``shelf`` is where a replayed base is looked for and kept;
    ``dialect`` is the SQL that will run, where a server of another engine can stand in for the one it is of;
    ``init`` prepares every empty database, on a server of our own with an administrator's rights.
    SQL that is not ``trusted`` gets a server from which nothing leads out, and a ConfigError or SetupError where there is none.
    ConfigError, SetupError, RefusedError, TemporaryError say what to do.
    """
    if url == AUTO:
        url, why = choose(dialect, environment)
        report(f"dev database {url}: {why}")
    with _ended_by_sigterm(), _route(url, environment, run_id, report, clock, shelf, trusted, init) as dev:
        prepared = dev if init is None or url.startswith(_OWN) else Prepared(dev, init)
        yield _standing_in(prepared) if (dialect, dev.dialect) == ("redshift", "postgres") else prepared


def family(url: str) -> str:
    """The kind of database ``url`` is of, as far as it says so before anything is started: a scheme's engine; "" where it does not."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0].lower() == "docker":
        from ci_runner.devdb.images import read

        return read(url).driver.engine
    named = rest.partition("/")[0].partition("?")[0] if scheme.lower() == "embedded" else scheme.lower()
    return SCHEMES.get(named, "")


def _standing_in(dev: DevDatabase) -> DevDatabase:
    from ci_runner.devdb.standin import StandInDev

    return StandInDev(dev)


def _route(
    url: str,
    environment: Mapping[str, str],
    run_id: str,
    report: Callable[[str], None],
    clock: Callable[[], float],
    shelf: Shelf | None,
    trusted: bool,
    init: Init | None,
) -> AbstractContextManager[DevDatabase]:
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme == "sqlite" or (scheme == "embedded" and rest.partition("?")[0] == "sqlite"):
        from ci_runner.devdb.sqlite import open_memory

        return open_memory(url, shelf)
    if scheme == "docker" or scheme.startswith("docker+"):
        from ci_runner.devdb.docker import open_container

        return open_container(url, environment, run_id, report, clock, shelf, trusted=trusted, init=init)
    if scheme == "embedded" and rest.partition("/")[0].partition("?")[0] in {"postgres", "postgresql"}:
        from ci_runner.devdb.embedded import open_server

        return open_server(url, environment, report, shelf, trusted=trusted, init=init)
    if not trusted:
        raise ConfigError(f"no server of {scheme}:// is proven against a stranger's SQL")
    if scheme == "embedded" and rest.partition("/")[0].partition("?")[0] == "clickhouse":
        from ci_runner.devdb.clickhouse_engine import open_engine

        return open_engine(url, environment, report, shelf)
    if scheme == "embedded" and rest == "sqlserver":
        from ci_runner.devdb.grammar import open_grammar

        return open_grammar(report)
    if separator and scheme in SCHEMES:
        from ci_runner.devdb.url import open_direct

        return open_direct(url, report)
    raise _unknown(scheme, separator, rest)


def _unknown(scheme: str, separator: str, rest: str) -> ConfigError:
    """What to say of a URL that names no dev database."""
    kind = rest.partition("/")[0].partition("?")[0] if scheme == "embedded" else ""
    shown = f"{scheme}://{kind}" if separator else "a URL without ://"
    if SCHEMES.get(kind) == "mysql":
        return ConfigError(
            f"no server of {kind} is brought along: use docker://{kind}/TAG/DATABASE, or {kind}://USER@HOST/DATABASE of an empty one"
        )
    meant = _meant(scheme)
    hint = f" — did you mean {meant}://USER@HOST/DATABASE?" if meant else f"; use {FORMS}"
    return ConfigError(f"no dev database is known for {shown}{hint}")


def _meant(scheme: str) -> str:
    """The scheme that stands behind the word of a driver: ``jdbc:postgresql``, ``mysql+pymysql``, ``mssql``; "" where there is none."""
    word = scheme.rpartition(":")[2].partition("+")[0]
    known = {"mssql": "sqlserver", "pgsql": "postgres", "sqlite3": "sqlite"}.get(word, word)
    return known if known in SCHEMES else ""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM, which CI sends when it cancels a job, ends the block as an exception, so that servers and containers are removed."""
    usable = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not usable:
        yield
        return

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
