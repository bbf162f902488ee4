"""``--dev-url auto``: the dev database this machine can give for a dialect, and why that one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ci_runner.devdb.drivers import no_driver
from ci_runner.devdb.images import DRIVERS
from ci_runner.errors import PilotageError, SetupError

AUTO = "auto"
_NUMBER = re.compile(r"\d+")


class Found(NamedTuple):
    """A dev URL and, in words, why it was taken."""

    url: str
    why: str


class Kind(NamedTuple):
    """How a dialect is served: images by name with the driver of their URL, an embedded engine, and what may be pulled when nothing is here."""

    images: Mapping[str, str] = {}
    embedded: Callable[[Mapping[str, str]], Found] | None = None
    pull: str = ""


def choose(dialect: str, environment: Mapping[str, str]) -> Found:
    """What to open: an image that is here, else an engine on this machine, else an image that has to be pulled.

    SetupError says what was looked for and how to get it; nothing is started, nothing is downloaded.
    """
    if dialect == "sqlite":
        return Found("sqlite://dev?mode=memory", "SQLite comes with Python")
    kind = KINDS.get(dialect)
    if kind is None:
        raise SetupError(
            f"no dev database can be found by itself for {dialect or 'an unknown dialect'}: name one with --dev-url (docs/dev-databases.md)"
        )
    missing: list[str] = []
    found = next(_here(kind, environment, missing), None)
    if found:
        return found
    raise SetupError(f"no dev database for {dialect} on this machine: {'; '.join(missing)}")


def _here(kind: Kind, environment: Mapping[str, str], missing: list[str]) -> Iterator[Found]:
    engine_there = False
    if _may_have_engine(environment) and kind.images:
        try:
            images = _images(environment)
            engine_there = True
        except PilotageError as error:
            missing.append(str(error))
        else:
            yield from _of_images(kind, images)
            missing.append(f"the container engine has no image of {' or '.join(kind.images)}")
    elif kind.images:
        missing.append("no container engine")
    if kind.embedded:
        try:
            yield kind.embedded(environment)
        except PilotageError as error:
            missing.append(str(error))
    if engine_there and kind.pull:
        yield Found(kind.pull, "nothing else is here, so its image is pulled")


def _may_have_engine(environment: Mapping[str, str]) -> bool:
    """Asking an engine that is not there costs time only where an address is given for it."""
    return bool(environment.get("DOCKER_HOST")) or Path("/var/run/docker.sock").exists()


def _images(environment: Mapping[str, str]) -> list[str]:
    from ci_runner.devdb import engine
    from ci_runner.devdb.container import told

    client = engine.connect(environment)
    try:
        with told("cannot list the images of the container engine"):
            return [str(tag) for image in client.images.list() for tag in image.tags]
    finally:
        client.close()


def _of_images(kind: Kind, tags: list[str]) -> Iterator[Found]:
    """The newest image by the numbers in its tag, the first repository first."""
    for repository, driver in kind.images.items():
        here = [tag.rpartition(":")[2] for tag in tags if tag.rpartition(":")[0] == repository]
        if here and not no_driver(DRIVERS[driver].engine):
            newest = max(here, key=lambda tag: [int(number) for number in _NUMBER.findall(tag)])
            yield Found(f"docker://{driver}/{newest}/dev", f"the image {repository}:{newest} is on this machine")


def _postgres(environment: Mapping[str, str]) -> Found:
    from ci_runner.devdb.embedded import find_home, major_of

    home = find_home("", environment)
    major = major_of(home)
    if not major:
        raise SetupError(f"the PostgreSQL programs in {home} do not run")
    if lack := no_driver("postgres"):
        raise SetupError(lack)
    return Found(f"embedded://postgres/{major}", f"the programs of PostgreSQL {major} are on this machine")


def _clickhouse(environment: Mapping[str, str]) -> Found:
    from ci_runner.devdb.clickhouse_engine import find_home

    return Found("embedded://clickhouse", f"ClickHouse's engine is in {find_home(environment)}")


def _grammar(_environment: Mapping[str, str]) -> Found:
    from ci_runner.devdb.grammar import find

    find()
    return Found("embedded://sqlserver", "Microsoft's grammar is on this machine, which checks syntax and no more")


_POSTGRES = Kind({"postgres": "postgres"}, _postgres, "docker://postgres/18/dev")
KINDS: Mapping[str, Kind] = {
    "postgres": _POSTGRES,
    "redshift": _POSTGRES,
    "mysql": Kind({"mysql": "mysql"}, None, "docker://mysql/8/dev"),
    "mariadb": Kind({"mariadb": "mariadb"}, None, "docker://mariadb/11/dev"),
    "clickhouse": Kind({"clickhouse/clickhouse-server": "clickhouse"}, _clickhouse, "docker://clickhouse/24.8/dev"),
    # Whoever pulls this image accepts its licence: not for us to do.
    "sqlserver": Kind({"mcr.microsoft.com/mssql/server": "sqlserver"}, _grammar),
}
