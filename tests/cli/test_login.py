"""Login: a registry is checked, made where there is none, and remembered without a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Repository
from tests.fakes.objects import CLOUDS, Fault

PG = ("--dialect", "postgres")


@pytest.fixture
def person(repository: Repository, tmp_path: Path) -> Repository:
    environ = {name: value for name, value in repository.environ.items() if name not in {"CI", "PILOTAGE_REGISTRY"}}
    return Repository(repository.path, {**environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "USER": "ada"})


def test_a_registry_is_made_remembered_and_used(person: Repository, tmp_path: Path) -> None:
    registry = (tmp_path / "registry").as_uri()
    made = person.run("login", "work", "--registry", registry)
    assert (made.code, "made" in made.out) == (0, True), made.err
    assert person.run("push", "app", *PG).code == 0
    assert "holds 1" in person.run("login", "work").out
    found = person.run("whoami", "--json").json
    assert (found["workspace"], found["registry"], found["actor"]["name"]) == ("work", registry, "ada")
    assert (tmp_path / "config/pilotage/profiles.json").stat().st_mode & 0o077 == 0


def test_what_names_a_registry_goes_before_what_is_remembered(person: Repository, tmp_path: Path) -> None:
    person.run("login", "--registry", (tmp_path / "one").as_uri())
    other = (tmp_path / "two").as_uri()
    assert person.run("whoami", "--json", "--registry", other).json["registry"] == other
    assert person.run("whoami", "--json", PILOTAGE_REGISTRY=other).json["workspace"] is None
    assert person.run("whoami", "--json", CI="true").json["registry"] is None


def test_workspaces_are_changed_by_name(person: Repository, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert person.run("login", name, "--registry", (tmp_path / name).as_uri()).code == 0
    assert person.run("login", "one").code == 0
    assert person.run("whoami", "--json").json["registry"] == (tmp_path / "one").as_uri()


def test_an_unknown_workspace_without_an_address_is_told(person: Repository, tmp_path: Path) -> None:
    person.run("login", "one", "--registry", (tmp_path / "one").as_uri())
    done = person.run("login", "three")
    assert (done.code, "--registry" in done.err) == (2, True)


def test_no_key_is_kept_and_a_refused_login_changes_nothing(person: Repository, tmp_path: Path) -> None:
    with CLOUDS["s3"]() as cloud:
        cloud.faults = [Fault("", "status", 10**6, 403, "AccessDenied")]
        refused = person.run("login", "--registry", cloud.address, **cloud.environ)
        assert (refused.code, (tmp_path / "config").exists()) == (2, False)
        cloud.faults = []
        assert person.run("login", "--registry", cloud.address, **cloud.environ).code == 0
        text = (tmp_path / "config/pilotage/profiles.json").read_text()
    assert cloud.environ["AWS_SECRET_ACCESS_KEY"] not in text
    assert json.loads(text)["registries"] == {"default": cloud.address}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"current": 1, "registries": {}}', "[" * 5000])
def test_a_profile_that_cannot_be_read_is_told(person: Repository, tmp_path: Path, text: str) -> None:
    path = tmp_path / "config/pilotage/profiles.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    done = person.run("whoami")
    assert (done.code, "log in again" in done.err) == (2, True)
