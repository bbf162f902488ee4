"""The main job on GitHub: what a pull request, a merge and everything else lead to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, Repository
from tests.fakes.github import BOT_TOKEN, READ_TOKEN, Fault, GitHub

RISKY = {"migrations/2_drop.sql": "ALTER TABLE users DROP COLUMN email;\n"}
Branch = Callable[[Mapping[str, str | bytes]], Repository]


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as fake:
        yield fake


class Actions:
    """A GitHub Actions job around a repository."""

    def __init__(self, repository: Repository, fake: GitHub, folder: Path):
        self.repository, self.fake, self.folder = repository, fake, folder
        self.head = repository.git("rev-parse", "HEAD")
        self.base = repository.git("rev-parse", "main")
        self.summary, self.outputs, self.event = folder / "summary", folder / "outputs", folder / "event.json"
        pull = fake.state["pulls"]["7"]
        pull["head"]["sha"], pull["base"]["sha"] = self.head, self.base
        patch = repository.git("diff", "main...HEAD", "--", "migrations").split("@@", 1)[-1]
        names = repository.git("diff", "--name-only", "main...HEAD").split()
        pull["files"] = [{"filename": name, "status": "added", "patch": "@@" + patch} for name in names]

    def environ(self, **more: str) -> dict[str, str]:
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.fake.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_RUN_ID": "11",
            "GITHUB_SHA": "c" * 40,
            "GITHUB_EVENT_PATH": str(self.event),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(self.outputs),
            "GITHUB_TOKEN": BOT_TOKEN,
            "PILOTAGE_DIALECT": "postgres",
            **more,
        }

    def pull_request(self, *flags: str, fork: bool = False, **more: str) -> Done:
        source = "stranger/shop" if fork else "acme/shop"
        self._tell(
            {
                "number": 7,
                "pull_request": {
                    "number": 7,
                    "head": {"ref": "feature", "sha": self.head, "repo": {"full_name": source}},
                    "base": {"ref": "main", "sha": self.base, "repo": {"full_name": "acme/shop"}},
                },
                "repository": {"full_name": "acme/shop", "default_branch": "main"},
            }
        )
        names = {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_BASE_REF": "main",
            "GITHUB_HEAD_REF": "feature",
            "GITHUB_REF": "refs/pull/7/merge",
        }
        return self.repository.run("ci", *flags, **self.environ(**names, **more))

    def push(self, branch: str, *flags: str, **more: str) -> Done:
        self._tell(
            {
                "ref": f"refs/heads/{branch}",
                "after": self.head,
                "repository": {"full_name": "acme/shop", "default_branch": "main"},
            }
        )
        names = {
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": f"refs/heads/{branch}",
            "GITHUB_REF_NAME": branch,
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_SHA": self.head,
        }
        return self.repository.run("ci", *flags, **self.environ(**names, **more))

    def _tell(self, event: dict[str, Any]) -> None:
        self.event.write_text(json.dumps(event))

    def output(self) -> dict[str, str]:
        text = self.outputs.read_text()
        return {
            name: value for name, _, value in re.findall(r"^(\w+)<<(\S+)\n(.*?)\n\2$", text, re.MULTILINE | re.DOTALL)
        }


@pytest.fixture
def actions(branch: Branch, github: GitHub, tmp_path: Path) -> Actions:
    return Actions(branch(RISKY), github, tmp_path)


def test_a_pull_request_is_linted_and_told_everywhere(actions: Actions) -> None:
    done = actions.pull_request("--report", "json=report.json")
    assert done.code == 1, done.err
    (comment,) = actions.fake.state["comments"]
    assert comment["body"].startswith("<!-- pilotage:v1 key=pilotage -->\n")
    assert "email" in comment["body"]
    (note,) = actions.fake.state["notes"]
    assert (note["path"], note["line"]) == ("migrations/2_drop.sql", 1)
    (status,) = actions.fake.state["statuses"]
    assert (status["state"], status["sha"]) == ("failure", actions.head)
    assert "::error file=migrations/2_drop.sql,line=1" in done.out
    assert "drop" in actions.summary.read_text()
    assert actions.output()["verdict"] == "fail"
    assert actions.output()["errors"] == "1"
    assert actions.output()["report_path"] == "report.json"


def test_the_comment_is_kept_up_to_date_and_turns_to_all_clear(actions: Actions) -> None:
    actions.pull_request()
    actions.pull_request()
    assert len(actions.fake.state["comments"]) == 1
    assert len(actions.fake.state["notes"]) == 1
    actions.repository.commit({"migrations/2_drop.sql": "ALTER TABLE users ADD COLUMN name text;\n"})
    cured = Actions(actions.repository, actions.fake, actions.folder)
    assert cured.pull_request().code == 0
    (comment,) = actions.fake.state["comments"]
    assert "Drop" not in comment["body"]
    assert actions.fake.state["notes"] == []
    assert actions.fake.state["statuses"][-1]["state"] == "success"


def test_a_pull_request_without_migrations_gets_no_comment(branch: Branch, github: GitHub, tmp_path: Path) -> None:
    done = Actions(branch({"src/app.py": "x\n"}), github, tmp_path).pull_request()
    assert done.code == 0
    assert github.state["comments"] == []


def test_a_fork_without_a_write_token_still_gets_its_verdict(actions: Actions) -> None:
    done = actions.pull_request(fork=True, GITHUB_TOKEN=READ_TOKEN)
    assert done.code == 1
    assert actions.fake.state["comments"] == []
    assert "drop" in actions.summary.read_text()
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "pull-requests: write" in warnings[0] or "pull_requests" in warnings[0]


def test_an_api_that_is_down_changes_no_verdict(actions: Actions) -> None:
    actions.fake.faults.append(Fault(where=".*", status=502, times=1000))
    done = actions.pull_request(PILOTAGE_PATIENCE="1")
    assert done.code == 1, done.err
    assert sum(line.startswith("warning: ") for line in done.err.splitlines()) == 1


def test_without_any_token_one_line_says_what_is_missing(actions: Actions) -> None:
    done = actions.pull_request(GITHUB_TOKEN="")
    assert done.code == 1
    assert actions.fake.state["comments"] == []
    assert "token" in done.err


def test_code_scanning_gets_the_findings_where_it_is_wanted(actions: Actions) -> None:
    actions.pull_request()
    assert "scans" not in actions.fake.state
    done = actions.pull_request("--code-scanning")
    assert "warning: " not in done.err
    (scan,) = actions.fake.state["scans"]
    assert (scan["sha"], scan["ref"], scan["rules"]) == (actions.head, "refs/pull/7/head", ["drop-column"])


def test_code_scanning_that_is_not_allowed_is_a_warning_that_names_the_permission(actions: Actions) -> None:
    actions.fake.state["tokens"][BOT_TOKEN]["permissions"].pop("security_events")
    done = actions.pull_request("--code-scanning")
    assert done.code == 1
    (warning,) = [row for row in done.err.splitlines() if row.startswith("warning: ")]
    assert "code scanning not posted" in warning
    assert "security-events: write" in warning
    assert len(actions.fake.state["comments"]) == 1


def test_inputs_of_the_action_are_options(actions: Actions) -> None:
    done = actions.pull_request(**{"INPUT_FAIL-ON": "never", "INPUT_DIR": ""})
    assert done.code == 0, done.err


def test_a_merge_is_pushed_and_handed_to_later_steps(actions: Actions, tmp_path: Path) -> None:
    done = actions.push("main", "--registry", (tmp_path / "registry").as_uri())
    assert done.code == 0, done.err
    assert actions.output()["seq"] == "1"
    assert actions.output()["head"].startswith("1:")
    log = actions.repository.run("log", "migrations", "--json", "--registry", (tmp_path / "registry").as_uri()).json
    assert log["entries"][0]["git"] == {"repo": "acme/shop", "sha": actions.head, "ref": "main"}


@pytest.mark.parametrize(
    ("branch_name", "registry", "reason"),
    [("other", True, "not the default branch"), ("main", False, "no registry is configured")],
)
def test_other_pushes_do_nothing_and_say_why(
    actions: Actions, tmp_path: Path, branch_name: str, registry: bool, reason: str
) -> None:
    flags = ("--registry", (tmp_path / "registry").as_uri()) if registry else ()
    done = actions.push(branch_name, *flags)
    assert done.code == 0
    assert reason in done.err
    assert not (tmp_path / "registry").exists()


def test_a_directory_outside_the_repository_is_refused(actions: Actions) -> None:
    done = actions.pull_request("--dir", "../../elsewhere")
    assert done.code == 2
    assert "outside the repository" in done.err


def test_two_ci_systems_at_once_are_refused(actions: Actions) -> None:
    done = actions.pull_request(CIRCLECI="true")
    assert done.code == 2
    assert "GITHUB_ACTIONS" in done.err
    assert "CIRCLECI" in done.err
