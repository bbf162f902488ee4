"""``--dev-url auto``: takes what is here, says which and why, and downloads nothing while anything else serves."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_runner.devdb import auto
from ci_runner.devdb.images import DRIVERS, read
from ci_runner.errors import SetupError
from tests.devdb.opening import opened

WITHOUT_DOCKER = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
POSTGRES = auto.KINDS["postgres"]
TAGS = [
    # images here, what is taken
    (["postgres:9", "postgres:15", "postgres:16-alpine", "mysql:8"], "docker://postgres/16-alpine/dev"),
    (["postgres:latest"], "docker://postgres/latest/dev"),
    (["ghcr.io/me/postgres:15", "postgis/postgis:16", "<none>:<none>"], None),
    ([], None),
]


@pytest.mark.parametrize(("tags", "url"), TAGS)
def test_the_newest_official_image_that_is_here_is_taken(tags: list[str], url: str | None) -> None:
    found = next(auto._of_images(POSTGRES, tags), None)
    assert (found.url if found else None) == url


def test_every_url_it_can_give_is_one_that_is_understood() -> None:
    for kind in auto.KINDS.values():
        assert set(kind.images.values()) <= DRIVERS.keys()
        if kind.pull:
            assert read(kind.pull).image.rpartition(":")[0] in kind.images


def test_without_docker_an_engine_of_this_machine_serves(chdb_home: Path) -> None:
    found = auto.choose("postgres", WITHOUT_DOCKER)
    assert found.url.startswith("embedded://postgres/")
    assert auto.choose("redshift", WITHOUT_DOCKER) == found
    environment = WITHOUT_DOCKER | {"PILOTAGE_CHDB_HOME": str(chdb_home)}
    assert auto.choose("clickhouse", environment) == ("embedded://clickhouse", f"ClickHouse's engine is in {chdb_home}")


def test_sql_server_is_left_to_its_grammar(need: Callable[[bool, str, str], None]) -> None:
    need(bool(shutil.which("maxdop", path=str(Path(sys.executable).parent))), "maxdop", "pip install maxdop")
    assert auto.choose("sqlserver", WITHOUT_DOCKER).url == "embedded://sqlserver"


def test_sqlite_never_asks_for_docker() -> None:
    with opened("auto", {"DOCKER_HOST": "tcp://192.0.2.1:1"}, dialect="sqlite") as (dev, lines):
        assert dev.dialect == "sqlite"
    assert lines == ["dev database sqlite://dev?mode=memory: SQLite comes with Python"]


def test_an_image_that_is_here_comes_before_everything(mysql_image: str) -> None:
    found = auto.choose("mysql", os.environ)
    assert found.url == "docker://mysql/9/dev"
    assert found.why == "the image mysql:9 is on this machine"


@pytest.mark.parametrize(
    ("dialect", "says"),
    [
        ("mysql", "no dev database for mysql on this machine: no container engine at unix:///nowhere"),
        ("snowflake", "no dev database can be found by itself for snowflake: name one with --dev-url"),
        ("", "no dev database can be found by itself for an unknown dialect"),
    ],
)
def test_where_nothing_serves_it_says_what_was_looked_for(dialect: str, says: str) -> None:
    with pytest.raises(SetupError) as caught:
        auto.choose(dialect, WITHOUT_DOCKER)
    assert str(caught.value).startswith(says)


def test_an_image_is_pulled_only_when_nothing_else_serves(
    container_engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "KINDS", {"x": auto.Kind({"nowhere/at-all": "mysql"}, None, "docker://mysql/8/dev")})
    assert auto.choose("x", os.environ) == ("docker://mysql/8/dev", "nothing else is here, so its image is pulled")
