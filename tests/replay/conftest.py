"""Dev databases shared by the tests of one module, one server each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_runner.devdb import DevDatabase
from tests.devdb.opening import opened
from tests.devdb.test_contract import direct_url
from tests.images.servers import Server, chdb_home, container_engine, mariadb_server, mysql_image

__all__ = ["chdb_home", "container_engine", "mariadb_server", "mysql_image"]


@pytest.fixture(scope="module")
def postgres() -> Iterator[DevDatabase]:
    with opened("embedded://postgres") as (dev, _):
        yield dev


@pytest.fixture(scope="module")
def sqlite() -> Iterator[DevDatabase]:
    with opened("embedded://sqlite") as (dev, _):
        yield dev


@pytest.fixture(scope="module")
def mariadb(mariadb_server: Server) -> Iterator[DevDatabase]:
    with opened(direct_url("direct-mariadb", mariadb_server)) as (dev, _):
        yield dev


@pytest.fixture(scope="module")
def mysql(mysql_image: str) -> Iterator[DevDatabase]:
    with opened("docker://mysql/9/dev") as (dev, _):
        yield dev


@pytest.fixture(scope="module")
def clickhouse(chdb_home: Path) -> Iterator[DevDatabase]:
    with opened("embedded://clickhouse") as (dev, _):
        yield dev


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def dev(request: pytest.FixtureRequest) -> DevDatabase:
    found: DevDatabase = request.getfixturevalue(request.param)
    return found
