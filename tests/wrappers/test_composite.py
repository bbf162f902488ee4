"""The action without a container: its steps of shell, run with the environment its manifest gives them."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import demo

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def steps() -> list[dict[str, Any]]:
    """The steps of shell, in order; the others are actions of GitHub's own."""
    action = yaml.safe_load((ROOT / "composite/action.yml").read_text())
    return [each for each in action["runs"]["steps"] if "run" in each]


def filled(value: str, given: dict[str, str]) -> str:
    """What the runner makes of an expression; an input nobody gave is empty."""
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: given.get(found[1], ""), value)


def test_the_composite_action_installs_by_hash_lints_and_hands_on_its_outputs(tmp_path: Path) -> None:
    demo.build(tmp_path / "shop")
    given = {
        "github.action_path": str(ROOT / "composite"),
        "steps.python.outputs.python-path": sys.executable,
        "inputs.dialect": "postgres",
        "inputs.base": "main",
    }
    outputs = tmp_path / "outputs"
    environ = {
        **demo.ENVIRONMENT,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PIP_CACHE_DIR": str(Path.home() / ".cache/pip"),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_NAME": "main",
        "GITHUB_OUTPUT": str(outputs),
    }
    (tmp_path / "event.json").write_text(json.dumps({"repository": {"full_name": "acme/shop", "default_branch": "x"}}))
    assert [each["id"] for each in steps()] == ["install", "pilotage"]
    for each in steps():
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", each["run"]]
        own = {name: filled(value, given) for name, value in each["env"].items()}
        done = subprocess.run(
            command, cwd=tmp_path / "shop", env=environ | own, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing: branch 'main' is not the default branch 'x'" in done.stderr
    packages = {path.name for path in (tmp_path / "pilotage-packages").iterdir()}
    assert {"msgspec", "click", "sqlglot", "obstore"} <= packages
    seconds, size = restored(tmp_path / "pilotage-packages", tmp_path)
    print(f"kept packages: {size / 1e6:.0f} MB, restored with {seconds:.1f} s of processor time")
    assert seconds <= 5


def restored(packages: Path, folder: Path) -> tuple[float, int]:
    """With a warm cache the installation is one archive unpacked, as actions/cache does it: processor seconds, and the archive's bytes.

    Wall time would measure what else the machine does, and zstd, which a runner has, is faster than the gzip of here.
    """
    archive, there = folder / "cache.tgz", folder / "restored"
    there.mkdir()
    subprocess.run(["tar", "-czf", archive, "-C", packages, "."], check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["tar", "-xzf", archive, "-C", there], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, archive.stat().st_size
