"""The pipelines that wait for an approval: valid on their platform, and the digest they pass on is the one that is deployed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Repository, folder, repository
from tests.docs.pages import ROOT, blocks

__all__ = ["folder", "repository"]

BIN = Path(sys.executable).parent
SCHEMAS = {
    "GitHub": "vendor.github-workflows",
    "GitLab": "vendor.gitlab-ci",
    "Bitbucket": "vendor.bitbucket-pipelines",
    "Azure Pipelines": "vendor.azure-pipelines",
    "CircleCI": "vendor.circle-ci",
}

MORE = {"GitLab": ["--data-transform", "gitlab-ci"], "Azure Pipelines": ["--regex-variant", "nonunicode"]}


def shown() -> dict[str, str]:
    """Platform → the pipeline under its heading."""
    headings = [line[3:] for line in (ROOT / "docs/approval.md").read_text().splitlines() if line.startswith("## ")]
    return dict(
        zip(headings, (block.text for block in blocks("docs/approval.md") if block.language == "yaml"), strict=True)
    )


PIPELINES = shown()


def test_every_platform_is_shown() -> None:
    assert set(PIPELINES) == set(SCHEMAS)


@pytest.mark.parametrize("platform", SCHEMAS)
def test_a_pipeline_is_what_its_platform_takes(platform: str, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yml"
    path.write_text(PIPELINES[platform])
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", SCHEMAS[platform]]
    command += MORE.get(platform, [])
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("platform", SCHEMAS)
def test_what_is_deployed_is_the_plan_that_was_looked_at(platform: str) -> None:
    text = PIPELINES[platform]
    assert "pilotage plan app --env production --json" in text
    assert 'pilotage deploy app --env production --plan "$' in text
    assert yaml.safe_load(text)


def test_the_digest_is_read_from_where_the_plan_has_it(repository: Repository) -> None:
    database = {"PILOTAGE_DATABASE_URL": f"sqlite://{repository.path.parent}/app.db"}
    plan = repository.run("plan", "app", "--env", "production", "--dir", "migrations", "--json", **database).json
    read = [key for text in PIPELINES.values() for key in re.findall(r"jq -r \.(\w+)|\)\)\[\"(\w+)\"\]", text)]
    assert len(read) == len(PIPELINES)
    assert {first or second for first, second in read} == {"digest"}
    done = repository.run(
        "deploy", "app", "--env", "production", "--dir", "migrations", "--plan", plan["digest"], **database
    )
    assert done.code == 0, done.err
