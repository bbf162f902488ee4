"""What Bitbucket and CircleCI hand to later steps: the same names, read back by a shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import platforms

VALUES = {"verdict": "fail", "errors": "2", "report_path": "a b'c$(id)`id`.json"}
NAMES = {"PILOTAGE_VERDICT": "fail", "PILOTAGE_ERRORS": "2", "PILOTAGE_REPORT_PATH": "a b'c$(id)`id`.json"}


def output(name: str, env: dict[str, str], values: dict[str, str]) -> tuple[str, ...]:
    return platforms.open(name, env, lambda _: None, lambda: "r").output(values)


def sourced(path: Path) -> dict[str, str]:
    """The variables a shell has after sourcing a file."""
    done = subprocess.run(
        ["sh", "-c", '. "$1"; env -0', "sh", str(path)],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    pairs = (row.split("=", 1) for row in done.stdout.decode(errors="surrogateescape").split("\0") if row)
    return {name: value for name, value in pairs if name.startswith("PILOTAGE_")}


def test_circleci_exports_stand_behind_those_of_other_steps(tmp_path: Path) -> None:
    path = tmp_path / "bash_env"
    path.write_text("export PILOTAGE_OTHER=1\n")
    assert output("circleci", {"BASH_ENV": str(path)}, VALUES) == ()
    assert sourced(path) == {"PILOTAGE_OTHER": "1", **NAMES}


def test_bitbucket_values_are_lines_for_output_variables_and_a_file_to_source(tmp_path: Path) -> None:
    env = {"BITBUCKET_PIPELINES_VARIABLES_PATH": str(tmp_path / "variables"), "BITBUCKET_CLONE_DIR": str(tmp_path)}
    assert output("bitbucket", env, VALUES) == ()
    rows = (tmp_path / "variables").read_text().splitlines()
    assert dict(row.split("=", 1) for row in rows) == NAMES
    assert sourced(tmp_path / ".pilotage" / "outputs.sh") == NAMES


@pytest.mark.parametrize("name", ["circleci", "bitbucket"])
@given(value=st.text(max_size=30) | st.sampled_from(["'", "';id;'", "\n", "$(id)", "\x00", "\ud800"]))
@settings(deadline=None, max_examples=60)
def test_no_value_runs_or_sets_anything_but_itself(
    name: str, value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("job")
    env = {"BASH_ENV": str(folder / "outputs.sh"), "BITBUCKET_CLONE_DIR": str(folder)}
    warnings = output(name, env, {"errors": "2", "report_path": value})
    found = sourced(folder / ("outputs.sh" if name == "circleci" else ".pilotage/outputs.sh"))
    assert found == {"PILOTAGE_ERRORS": "2", **({} if warnings else {"PILOTAGE_REPORT_PATH": value})}


@pytest.mark.parametrize("name", ["circleci", "bitbucket"])
def test_a_place_that_is_not_there_is_a_warning(name: str, tmp_path: Path) -> None:
    assert "is not set" in output(name, {}, VALUES)[0] or "is set" in output(name, {}, VALUES)[0]
    gone = str(tmp_path / "none" / "x")
    (warning,) = output(name, {"BASH_ENV": gone, "BITBUCKET_CLONE_DIR": gone}, VALUES)
    assert gone in warning


@pytest.mark.parametrize("part", [".pilotage", ".pilotage/outputs.sh"])
def test_a_link_in_the_checkout_leads_no_output_out_of_it(part: str, tmp_path: Path) -> None:
    clone, outside = tmp_path / "clone", tmp_path / "outside"
    (clone / part).parent.mkdir(parents=True)
    outside.mkdir()
    (outside / "outputs.sh").write_text("mine")
    (clone / part).symlink_to(outside if part == ".pilotage" else outside / "outputs.sh")
    (warning,) = output("bitbucket", {"BITBUCKET_CLONE_DIR": str(clone)}, VALUES)
    assert "not written" in warning
    assert (outside / "outputs.sh").read_text() == "mine"
