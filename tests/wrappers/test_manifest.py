"""action.yml: what GitHub accepts, and exactly what the program understands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ci_runner.config.names import OWNER
from ci_runner.config.options import OPTIONS, flag
from scripts import generate

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


def check(schema: str, *files: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_github_accepts_the_action() -> None:
    done = check("vendor.github-actions", "action.yml")
    assert done.returncode == 0, done.stdout


def test_what_lies_in_the_repository_is_what_the_generator_writes() -> None:
    assert generate.differences({"action.yml": generate.action(), "docs/options.md": generate.options_page()}) == ""


def test_a_changed_option_is_noticed() -> None:
    changed = generate.action().replace("fail-on:", "fail-when:")
    assert "+  fail-when:" in generate.differences({"action.yml": changed})


def test_the_action_offers_every_option_for_wrappers_and_nothing_else() -> None:
    assert list(ACTION["inputs"]) == [flag(option)[2:] for option in OPTIONS if option.wrapper]


def test_no_input_is_required_and_only_the_token_has_a_default() -> None:
    defaults = {name: value.get("default") for name, value in ACTION["inputs"].items() if "default" in value}
    assert defaults == {"token": "${{ github.token }}"}
    assert not any(value["required"] for value in ACTION["inputs"].values())


def test_a_test_image_changes_nothing_but_the_image_line() -> None:
    ours, theirs = generate.action().splitlines(), generate.action("local:test").splitlines()
    differing = [line for line, other in zip(ours, theirs, strict=True) if line != other]
    assert len(differing) == 1
    assert differing[0].lstrip().startswith("image: docker://")


@pytest.mark.parametrize(
    "pattern", ["*.md", "*.yml", "*.yaml", "*.toml", "docs/**/*.md", "docs/*.json", ".github/**/*.yml", "examples/**/*"]
)
def test_every_link_to_the_project_names_the_one_owner(pattern: str) -> None:
    texts = {path: path.read_text(errors="replace") for path in ROOT.glob(pattern) if path.is_file()}
    owners = {
        path: set(re.findall(r"(?:github\.com|ghcr\.io)/([\w.-]+)/pilotage\b", text)) for path, text in texts.items()
    }
    assert texts
    assert {path: found for path, found in owners.items() if found - {OWNER}} == {}
