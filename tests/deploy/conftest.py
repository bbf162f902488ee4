"""An empty database on each engine that is real here."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import conftest as databases
from tests.databases.conftest import *  # noqa: F403 - the servers
from tests.deploy.place import Place
from tests.images.servers import Server

__all__ = databases.__all__

ENGINES = ("sqlite", "postgres", "mariadb")
_numbers = itertools.count(1)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Place]:
    """``new_place("postgres")``: an empty database each time it is called."""

    def make(engine: str) -> Place:
        number = next(_numbers)
        if engine == "sqlite":
            return Place(engine, f"sqlite://{tmp_path}/{number}.db")
        behind = "postgres" if engine == "redshift" else engine  # which stands in for it
        server: Server = request.getfixturevalue(f"{behind}_server")
        admin = "postgres" if behind == "postgres" else ""
        server.run(f"DROP DATABASE IF EXISTS d{number}", f"CREATE DATABASE d{number}", database=admin)
        url = server.url(f"d{number}")
        return Place(
            engine, url.replace("postgres://", "redshift://") + "?sslmode=disable" if engine == "redshift" else url
        )

    return make


@pytest.fixture
def place(engine: str, new_place: Callable[[str], Place]) -> Place:
    return new_place(engine)


@pytest.fixture
def sqlite(new_place: Callable[[str], Place]) -> Place:
    return new_place("sqlite")


@pytest.fixture
def postgres(new_place: Callable[[str], Place]) -> Place:
    return new_place("postgres")


@pytest.fixture
def mariadb(new_place: Callable[[str], Place]) -> Place:
    return new_place("mariadb")
