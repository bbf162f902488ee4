"""SQLite dev databases: a file that is named is looked at and never written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ci_runner.databases import DatabaseFailure
from ci_runner.errors import ConfigError, RefusedError, SetupError
from tests.devdb.opening import execute, opened


def test_a_file_that_is_absent_stays_absent(tmp_path: Path) -> None:
    with opened(f"sqlite://{tmp_path}/dev.db") as (dev, _):
        database = dev.fresh()
        execute(database, "CREATE TABLE a (id int)")
        database.close()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_accepted_and_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "dev.db"
    path.touch()
    with opened(f"sqlite://{path}") as (dev, _):
        execute(dev.fresh(), "CREATE TABLE a (id int)")
    assert path.read_bytes() == b""


def test_a_file_with_tables_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "dev.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE precious (id int)")
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="is not clean: found table precious"), opened(f"sqlite://{path}"):
        pass
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("plain words " * 100)
    with pytest.raises(SetupError, match="check that it is an SQLite file"), opened(f"sqlite://{path}"):
        pass


def test_leaving_the_database_is_refused_with_advice() -> None:
    with opened("embedded://sqlite") as (dev, _):
        with pytest.raises(DatabaseFailure) as caught:
            execute(dev.fresh(), "ATTACH '/tmp/pilotage-canary.db' AS c")
        assert "no statement reach other files" in dev.advice(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [("oracle://x", "oracle://"), ("nonsense", "a URL without ://"), ("embedded://mongodb/7", "embedded://")],
)
def test_an_unknown_dev_url_lists_the_known_forms(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match="embedded://postgres/18") as caught, opened(url):
        pass
    assert says in str(caught.value)
