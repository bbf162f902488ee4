"""Open a dev database as the command does, with what it says on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from ci_runner import devdb
from ci_runner.databases import Database, Sql
from ci_runner.devdb import DevDatabase
from tests.databases.speaking import native

if TYPE_CHECKING:
    import psycopg

RUN = f"test-{os.getpid()}"


class Opened(NamedTuple):
    """A dev database and the lines reported while it was opened."""

    dev: DevDatabase
    lines: list[str]


@contextmanager
def opened(
    url: str, environment: Mapping[str, str] | None = None, run_id: str = RUN, dialect: str = ""
) -> Iterator[Opened]:
    lines: list[str] = []
    given = os.environ if environment is None else environment
    with devdb.open(url, environment=given, run_id=run_id, report=lines.append, dialect=dialect) as dev:
        yield Opened(dev, lines)


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    """A connection of psycopg to an empty database of PostgreSQL."""
    with opened("embedded://postgres") as (dev, _):
        database: Any = dev.fresh()
        yield database.connection
        database.close()


def execute(database: Database, *texts: str, transaction: bool = False) -> None:
    database.execute([Sql(native(database.dialect, text)) for text in texts], transaction=transaction)
