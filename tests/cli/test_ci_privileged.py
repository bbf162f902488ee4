"""Runs that hold a write token and have the default branch checked out, about a pull request whose files are nobody's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, Repository
from tests.cli.test_ci import RISKY, Actions
from tests.fakes.github import GitHub

Branch = Callable[[Mapping[str, str | bytes]], Repository]
# What the pull request brings beside its migration: none of it may have a say.
HOSTILE = {**RISKY, "pilotage.yml": "fail_on: never\nrules_path: rules\n", "rules/own.py": "raise SystemExit(0)\n"}


@pytest.fixture
def actions(branch: Branch, tmp_path: Path) -> Iterator[Actions]:
    with GitHub() as fake:
        made = Actions(branch(HOSTILE), fake, tmp_path)
        fake.state["pulls"]["7"]["head"]["repo"] = "stranger/shop"
        made.repository.git("checkout", "-q", "main")
        yield made
        assert fake.violations == []


def run(actions: Actions, name: str, event: dict[str, Any]) -> Done:
    actions._tell({**event, "repository": {"full_name": "acme/shop", "default_branch": "main", "id": 1}})
    return actions.repository.run("ci", **actions.environ(GITHUB_EVENT_NAME=name, GITHUB_REF="refs/heads/main"))


def comment(body: str) -> dict[str, Any]:
    return {"issue": {"number": 7, "pull_request": {}}, "comment": {"body": body}}


def after(actions: Actions, event: str = "pull_request") -> dict[str, Any]:
    source = {"full_name": "stranger/shop"}
    return {"workflow_run": {"event": event, "head_sha": actions.head, "head_repository": source, "pull_requests": []}}


def test_after_the_workflow_of_a_fork_its_head_is_linted_from_git_and_the_pull_request_gets_its_comment(
    actions: Actions,
) -> None:
    done = run(actions, "workflow_run", after(actions))
    assert (done.code, "lint: pull request #7" in done.err) == (1, True), done.err
    (posted,) = actions.fake.state["comments"]
    assert "email" in posted["body"]
    assert [status["state"] for status in actions.fake.state["statuses"]] == ["failure"]
    assert actions.repository.git("status", "--porcelain") == ""
    assert not (actions.repository.path / "rules").exists()


def test_after_the_workflow_of_a_push_there_is_nothing_to_do(actions: Actions) -> None:
    event = after(actions, "push")
    event["workflow_run"]["head_sha"] = actions.base
    done = run(actions, "workflow_run", event)
    assert (done.code, actions.fake.state["comments"]) == (0, [])
    assert "nothing: a run of kind 'workflow_run'" in done.err


@pytest.mark.parametrize("body", ["/pilotage", "/pilotage lint", "/pilotage lint\r\nplease"])
def test_a_comment_that_asks_for_it_lints_the_pull_request_again(actions: Actions, body: str) -> None:
    done = run(actions, "issue_comment", comment(body))
    assert done.code == 1, done.err
    (posted,) = actions.fake.state["comments"]
    assert "email" in posted["body"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("LGTM", "a comment that asks for nothing"),
        ("please /pilotage lint", "a comment that asks for nothing"),
        ("/pilotage deploy", "a comment that asks for 'deploy', which no comment can"),
        ("/pilotage lint; rm -rf /", "a comment that asks for nothing"),
    ],
)
def test_any_other_comment_does_nothing_and_says_so(actions: Actions, body: str, said: str) -> None:
    done = run(actions, "issue_comment", comment(body))
    assert (done.code, actions.fake.state["comments"]) == (0, [])
    assert said in done.err
