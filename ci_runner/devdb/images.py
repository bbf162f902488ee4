"""What a ``docker://`` URL means: image, variables, port, and the database in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from ci_runner.errors import ConfigError


class Driver(NamedTuple):
    """How images of one kind are started. ``data`` is where a data folder lies when the image declares no volume.

    ``password`` and ``database`` are the variables that get them, ``fixed`` are further ones with their values.
    """

    image: str
    engine: str
    port: int
    user: str
    password: tuple[str, ...]
    database: tuple[str, ...]
    data: str
    command: tuple[str, ...] = ()
    default: str = ""
    fixed: Mapping[str, str] = {}


_PG = ("POSTGRES_PASSWORD",)
_PG_DATA = "/var/lib/postgresql/data"
_PG_COMMAND = (
    "postgres",
    "-c",
    "fsync=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "full_page_writes=off",
    "-c",
    "autovacuum=off",
)
_MY_COMMAND = ("--local-infile=0", "--skip-log-bin", "--skip-name-resolve")
# Little space ahead in log and table space: what is kept of a server is its files. An older MySQL does not know its option.
_MYSQL_SPACE = "--loose-innodb-redo-log-capacity=32M"
_MARIADB_SPACE = ("--innodb-log-file-size=32M", "--innodb-autoextend-increment=8")
# Variables: https://hub.docker.com/_/postgres, /_/mysql, /_/mariadb. PostGIS would fill POSTGRES_DB with schemas of its own.
DRIVERS: Mapping[str, Driver] = {
    "postgres": Driver(
        "postgres", "postgres", 5432, "postgres", _PG, ("POSTGRES_DB",), _PG_DATA, _PG_COMMAND, "postgres"
    ),
    "postgis": Driver("postgis/postgis", "postgres", 5432, "postgres", _PG, (), _PG_DATA, _PG_COMMAND, "postgres"),
    "pgvector": Driver(
        "pgvector/pgvector", "postgres", 5432, "postgres", _PG, ("POSTGRES_DB",), _PG_DATA, _PG_COMMAND, "postgres"
    ),
    "mysql": Driver(
        "mysql",
        "mysql",
        3306,
        "root",
        ("MYSQL_ROOT_PASSWORD",),
        (),
        "/var/lib/mysql",
        (*_MY_COMMAND, "--secure-file-priv=NULL", _MYSQL_SPACE),
    ),
    "mariadb": Driver(
        "mariadb",
        "mysql",
        3306,
        "root",
        ("MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD"),
        (),
        "/var/lib/mysql",
        (*_MY_COMMAND, *_MARIADB_SPACE),
    ),
    "clickhouse": Driver(
        "clickhouse/clickhouse-server",
        "clickhouse",
        8123,
        "default",
        ("CLICKHOUSE_PASSWORD",),
        (),
        "/var/lib/clickhouse",
        fixed={"CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT": "1"},
    ),
    # https://learn.microsoft.com/sql/linux/sql-server-linux-configure-environment-variables
    "sqlserver": Driver(
        "mcr.microsoft.com/mssql/server",
        "sqlserver",
        1433,
        "sa",
        ("MSSQL_SA_PASSWORD",),
        (),
        "/var/opt/mssql",
        default="master",
        fixed={"ACCEPT_EULA": "Y", "MSSQL_PID": "Developer"},
    ),
}
ALIASES = {"maria": "mariadb", "postgresql": "postgres", "mssql": "sqlserver"}
OPTIONS = {
    "postgres": frozenset({"search_path", "superuser"}),
    "mysql": frozenset({"foreign_key_checks"}),
}  # others have none
# https://github.com/distribution/reference, reference.go: a host that is told from a name by its dot or port, a path, a tag, a digest.
_IMAGE = re.compile(
    r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@\w+:[0-9a-fA-F]+)?",
    re.ASCII,
)


class Wanted(NamedTuple):
    """A dev URL understood. ``custom``: an image of the user's own, whose database may have been filled when it was built."""

    driver: Driver
    image: str
    database: str
    custom: bool
    options: Mapping[str, str] = {}
    superuser: bool = False


def read(url: str) -> Wanted:
    """Take ``docker://DRIVER/TAG[/DB]`` or ``docker+DRIVER://HOST/IMAGE[:TAG][/DB]`` apart; ConfigError says how one is written."""
    head, _, query = url.partition("?")
    scheme, _, rest = head.partition("://")
    custom = "+" in scheme
    host, _, path = rest.partition("/") if custom else ("", "", rest)
    parts = [part for part in path.split("/") if part]
    name = scheme.partition("+")[2] if custom else (parts.pop(0) if parts else "")
    driver = DRIVERS.get(ALIASES.get(name.lower(), name.lower()))
    if driver is None:
        raise ConfigError(f"dev URL {head}: no container is known for {name!r}; known: {', '.join(DRIVERS)}")
    options = dict(parse_qsl(query))
    known = OPTIONS.get(driver.engine, frozenset())
    if options.keys() - known:
        unknown = min(options.keys() - known)
        there = f"known: {', '.join(sorted(known))}" if known else f"{name} has none"
        raise ConfigError(f"dev URL {head}: unknown option {unknown!r}; {there}")
    superuser = options.pop("superuser", "") == "true"
    database = parts.pop() if len(parts) > 1 and ":" not in parts[-1] else ""
    if custom and not parts and host:
        parts, host = [host], ""
    if not parts and custom:
        raise ConfigError(f"dev URL {head}: write docker+{name}://HOST/IMAGE:TAG/DATABASE, with _ for Docker Hub")
    image = "/".join(([host] if host not in {"", "_"} else []) + parts) if custom else ":".join([driver.image, *parts])
    if not _IMAGE.fullmatch(image):
        form = f"docker+{name}://HOST/IMAGE:TAG/DATABASE" if custom else f"docker://{name}/TAG/DATABASE"
        raise ConfigError(f"dev URL {head}: no image can be called {image!r}; write {form}")
    return Wanted(driver, image, database or driver.default, custom, options, superuser)
