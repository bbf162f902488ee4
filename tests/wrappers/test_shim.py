"""The Azure task's shim: what it starts, what it hands over, and what it keeps back."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_runner import __version__

SHIM = Path(__file__).resolve().parents[2] / "wrappers/azure-devops/pilotage/shim.js"
# stands in for docker and for pilotage: says how it was called, and what its environment file held
PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > "$SAID/arguments"
env > "$SAID/environment"
while [ $# -gt 0 ]; do
  if [ "$1" = --env-file ]; then cp -p "$2" "$SAID/file"; echo "$2" > "$SAID/path"; fi
  shift
done
exit 3
"""


class Task:
    """One run of the task on an agent."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.said = folder / "said"
        for name in ("bin", "said", "sources", "temporary"):
            (folder / name).mkdir()

    def has(self, *programs: str) -> Task:
        for name in programs:
            (self.folder / "bin" / name).write_text(PROGRAM)
            (self.folder / "bin" / name).chmod(0o755)
        return self

    def run(self, **more: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "SAID": str(self.said),
            "TF_BUILD": "True",
            "BUILD_SOURCESDIRECTORY": str(self.folder / "sources"),
            "AGENT_TEMPDIRECTORY": str(self.folder / "temporary"),
            "BUILD_REPOSITORY_PROVIDER": "TfsGit",
            "INPUT_DIR": "db",
            "ENDPOINT_AUTH_SYSTEMVSSCONNECTION": json.dumps({"parameters": {"AccessToken": "jobs-own"}}),
            "SECRET_DATABASE": "hunter2",
            "UNRELATED": "x",
            **more,
        }
        node = shutil.which("node") or "node"
        return subprocess.run([node, str(SHIM)], env=env, capture_output=True, text=True, check=False)

    def file(self) -> dict[str, str]:
        return dict(row.split("=", 1) for row in (self.said / "file").read_text().splitlines())


@pytest.fixture
def task(tmp_path: Path, need: Callable[..., object]) -> Task:
    need(shutil.which("node"), "node", "install Node 20 or later")
    return Task(tmp_path)


def test_the_image_runs_as_the_agents_user_on_folders_of_the_same_path(task: Task) -> None:
    done = task.has("docker").run()
    assert done.returncode == 3, done.stdout
    said = (task.said / "arguments").read_text().split("\n")
    sources, temporary = str(task.folder / "sources"), str(task.folder / "temporary")
    assert said[:4] == ["run", "--rm", "--user", f"{os.getuid()}:{os.getgid()}"]
    assert said[4:10] == ["-v", f"{sources}:{sources}", "-v", f"{temporary}:{temporary}", "-w", sources]
    assert said[12:14] == [f"ghcr.io/pilotage-ci/pilotage:{__version__}", "ci"]


def test_the_environment_file_is_the_agents_alone_and_goes_afterwards(task: Task) -> None:
    task.has("docker").run()
    assert stat.S_IMODE((task.said / "file").stat().st_mode) == 0o600
    assert not Path((task.said / "path").read_text().strip()).exists()
    assert list((task.folder / "temporary").iterdir()) == []


def test_the_image_is_told_of_the_job_and_of_no_secret_but_the_token(task: Task) -> None:
    task.has("docker").run()
    told = task.file()
    assert (told["INPUT_DIR"], told["TF_BUILD"], told["PILOTAGE_TOKEN"]) == ("db", "True", "jobs-own")
    assert not any(name.startswith(("ENDPOINT", "SECRET")) or name == "UNRELATED" for name in told)
    assert "jobs-own" not in (task.said / "arguments").read_text()


def test_a_value_of_several_lines_becomes_no_variable_of_its_own(task: Task) -> None:
    task.has("docker").run(BUILD_SOURCEVERSIONMESSAGE="fix\nPILOTAGE_REGISTRY=file:///evil")
    assert "PILOTAGE_REGISTRY" not in task.file()
    assert "BUILD_SOURCEVERSIONMESSAGE" not in task.file()


@pytest.mark.parametrize("key", ["accessToken", "AccessToken", "IdToken"])
def test_a_connection_gives_its_token_whatever_its_scheme(task: Task, key: str) -> None:
    auth = json.dumps({"scheme": "x", "parameters": {key: "from-connection"}})
    env = {"INPUT_CONNECTION": "abc", "ENDPOINT_AUTH_abc": auth, "BUILD_REPOSITORY_PROVIDER": "GitHub"}
    task.has("docker").run(**env)
    assert task.file()["PILOTAGE_TOKEN"] == "from-connection"
    assert "INPUT_CONNECTION" not in task.file()


def test_azures_own_token_is_not_sent_to_another_host(task: Task) -> None:
    task.has("docker").run(BUILD_REPOSITORY_PROVIDER="GitHub", SYSTEM_ACCESSTOKEN="jobs-own")
    assert "jobs-own" not in (task.said / "file").read_text()


def test_in_a_container_job_the_installed_program_runs(task: Task) -> None:
    done = task.has("pilotage", "docker").run(AGENT_CONTAINERID="c1")
    assert done.returncode == 3
    assert (task.said / "arguments").read_text() == "ci\n"
    assert "PILOTAGE_TOKEN=jobs-own\n" in (task.said / "environment").read_text()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"INPUT_RUNTIME": "installed"}, "pip install pilotage=="),
        ({"INPUT_RUNTIME": "docker"}, "docker cannot be started"),
        ({"INPUT_CONNECTION": "abc", "ENDPOINT_AUTH_abc": "{}"}, "holds no token"),
        ({"INPUT_CONNECTION": "abc", "ENDPOINT_AUTH_abc": "{"}, "is not JSON"),
        ({"AGENT_TEMPDIRECTORY": ""}, "AGENT_TEMPDIRECTORY is not set"),
    ],
)
def test_what_cannot_be_started_is_one_issue_and_a_failed_task(task: Task, env: dict[str, str], said: str) -> None:
    done = task.run(PATH=str(task.folder / "bin"), **env)
    assert done.returncode == 1
    assert done.stdout.startswith("##vso[task.logissue type=error;]")
    assert said in done.stdout
    assert done.stdout.count("\n") == 2
    assert done.stderr == ""
