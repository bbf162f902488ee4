"""The tool itself, where it can be had: what it applied is taken over, and it takes what was deployed beside it for its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_runner.deploy import Adopt
from tests.deploy.foreign.tables import BY_NAME
from tests.deploy.place import Place
from tests.images.fetched import fetched_dbmate

CASE = BY_NAME["dbmate"]


@pytest.fixture
def dbmate(tmp_path: Path, place: Place) -> Callable[..., str]:
    """Runs dbmate on the place; what it printed."""
    program, folder = fetched_dbmate(), tmp_path / "migrations"
    folder.mkdir()
    address = {
        "sqlite": place.url.replace("sqlite://", "sqlite:"),
        "postgres": f"{place.url}?sslmode=disable",
        "mariadb": place.url.replace("mariadb://", "mysql://"),
    }[place.engine]

    def run(*words: str, files: int = len(CASE.files)) -> str:
        for name, text in sorted(CASE.files.items())[:files]:
            (folder / name).write_text(text)
        command = [str(program), "--url", address, "--no-dump-schema", "--migrations-dir", str(folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_dbmate_takes_what_was_deployed_beside_it_for_its_own(place: Place, dbmate: Callable[..., str]) -> None:
    dbmate("migrate", files=2)
    assert place.deploy(CASE.files, form="dbmate", adopt=Adopt("dbmate", compat=True)).status == "ok"
    then = place.deploy(CASE.files, form="dbmate")
    assert [each.version for each in then.applied] == ["20260101000003"]
    told = dbmate("status")
    assert "Applied: 3" in told
    assert "Pending: 0" in told
    assert "Applying" not in dbmate("migrate")
