"""What is easy to get wrong without noticing: it is said, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.cli.conftest import Repository

Branch = Callable[[Mapping[str, str | bytes]], Repository]
RISKY = "ALTER TABLE users DROP COLUMN email;\n"
POSTGRES = {"PILOTAGE_DIALECT": "postgres"}


@pytest.mark.parametrize(
    ("name", "meant"), [("PILOTAGE_DIALCT", "PILOTAGE_DIALECT"), ("PILOTAGE_FAILON", "PILOTAGE_FAIL_ON")]
)
def test_a_misspelt_variable_is_a_warning_that_names_the_right_one(
    repository: Repository, name: str, meant: str
) -> None:
    done = repository.run("lint", **POSTGRES, **{name: "x"})
    assert done.code == 0
    assert f"warning: {name} is set, but there is no such option — did you mean {meant}?" in done.err


@pytest.mark.parametrize(
    "name", ["PILOTAGE_TOKEN_ENV", "PILOTAGE_VERDICT", "PILOTAGE_DATABASE_URL", "PILOTAGE_REPORT_PATH"]
)
def test_a_variable_of_another_use_is_none(repository: Repository, name: str) -> None:
    assert "did you mean" not in repository.run("lint", **POSTGRES, **{name: "x"}).err


def test_a_key_of_squawk_s_configuration_that_is_not_read_is_a_warning_each_time(repository: Repository) -> None:
    repository.write({".squawk.toml": 'assume_in_transaction = true\nexcluded_paths = ["migrations/1_init.sql"]\n'})
    for _ in range(2):
        done = repository.run("lint", "--all")
        assert done.code == 0
        assert (
            "warning: .squawk.toml:2: 'excluded_paths' is not read: every file of the directory is judged" in done.err
        )


def test_a_directory_behind_a_symbolic_link_is_compared_with_what_the_link_leads_to(repository: Repository) -> None:
    (repository.path / "db").symlink_to("migrations")
    repository.commit({}, "link")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit({"migrations/2_drop.sql": RISKY})
    done = repository.run("lint", "--dir", "db", "--format", "json", **POSTGRES)
    assert [file["name"] for file in done.json["files"]] == ["2_drop.sql"]


def test_a_directory_in_another_repository_is_analysed_whole_and_that_is_said(repository: Repository) -> None:
    repository.write({"vendor/1.sql": "CREATE TABLE t (id bigint PRIMARY KEY);\n"})
    inner = Repository(repository.path / "vendor", repository.environ)
    inner.git("init", "-q")
    done = repository.run("lint", "--dir", "vendor", **POSTGRES)
    assert done.code == 0
    assert "every file is analysed; run Pilotage in that repository" in " ".join(done.out.split())  # lines are wrapped
