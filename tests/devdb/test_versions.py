"""Every PostgreSQL that is still looked after: the same migrations are run, watched, kept and confined alike on each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ci_runner import devdb
from ci_runner.databases import DatabaseFailure
from ci_runner.devdb import DevDatabase, Shelf
from ci_runner.replay import replay
from tests.devdb.opening import RUN, execute
from tests.images.fetched import POSTGRES, fetched_postgres
from tests.replay.test_observe import BASE
from tests.replay.test_observe import POSTGRES as CHANGES
from tests.replay.writing import file

KEY = "versions"


class Version(NamedTuple):
    major: str
    environment: dict[str, str]
    dev: DevDatabase


@pytest.fixture(scope="module", params=POSTGRES)
def version(request: pytest.FixtureRequest) -> Iterator[Version]:
    major: str = request.param
    environment = {**os.environ, f"PILOTAGE_POSTGRES_HOME_{major}": str(fetched_postgres(major))}
    with devdb.open(f"embedded://postgres/{major}", environment=environment, run_id=RUN, report=lambda _: None) as dev:
        yield Version(major, environment, dev)


def test_it_is_the_one_that_was_asked_for(version: Version) -> None:
    assert version.dev.engine.startswith(f"PostgreSQL {version.major}.")


def test_what_it_is_seen_to_do_is_what_the_newest_does(version: Version) -> None:
    for text, expected in CHANGES:
        outcome = replay(BASE, [file("2.sql", text)], version.dev)
        assert outcome.status == "ok", outcome.error
        assert {(o.kind, o.object) for o in outcome.observations if o.kind != "index-build"} == {
            pair for pair in expected if pair[0] != "index-build"
        }, text


@pytest.mark.parametrize(
    "attack", ["COPY (SELECT 1) TO PROGRAM 'true'", "CREATE ROLE x", "SELECT pg_read_file('/etc/passwd')"]
)
def test_replays_have_the_rights_of_an_owner(version: Version, attack: str) -> None:
    database = version.dev.fresh()
    with pytest.raises(DatabaseFailure, match=r"permission denied|must be superuser"):
        execute(database, attack)
    database.close()


def test_a_base_is_kept_and_taken_up(version: Version, tmp_path: Path) -> None:
    lines: list[str] = []
    outcomes = []
    for _ in range(2):
        with devdb.open(
            f"embedded://postgres/{version.major}",
            environment=version.environment,
            run_id=RUN,
            report=lines.append,
            shelf=Shelf(tmp_path, KEY),
        ) as dev:
            outcomes.append(replay(BASE, [file("2.sql", CHANGES[2][0])], dev, key=KEY))
    assert "with the base an earlier run replayed" not in lines[0]
    assert "with the base an earlier run replayed" in lines[1]
    assert outcomes[0].changes == outcomes[1].changes
    assert outcomes[0].observations == outcomes[1].observations
