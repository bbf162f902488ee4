"""Eight writers under kill -9 lose nothing that was acknowledged; the long form is ``python -m tests.registry.kill``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 12.0 * int(os.environ.get("PILOTAGE_TEST_ROUNDS", "1"))


def kill(folder: Path, seconds: float, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "tests.registry.kill",
        "--kills",
        "1000000",
        "--seconds",
        str(seconds),
        "--folder",
        str(folder),
        *options,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 120)
def test_eight_writers_killed_at_random_lose_nothing_acknowledged(tmp_path: Path) -> None:
    done = kill(tmp_path, SECONDS)
    print(f"\n{done.stdout}{done.stderr}")
    assert done.returncode == 0
    assert done.stderr == ""
    words = done.stdout.replace(",", "").split()
    kills, inside, acknowledged = int(words[2]), int(words[4]), int(words[10])
    assert kills >= SECONDS
    assert inside * 2 >= kills, "the kills must land inside pushes to prove anything"
    assert acknowledged >= SECONDS


def test_the_run_finds_out_a_store_in_which_the_last_writer_wins(tmp_path: Path) -> None:
    done = kill(tmp_path, 20, "--plant", "last-wins")
    assert done.returncode == 1
    assert "0 lost, doubled or broken" not in done.stdout
