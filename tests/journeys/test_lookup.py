"""What is asked of the SCM, when, and what a run does with the answer."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from ci_runner.http import Patience
from ci_runner.journeys.lookup import complete, question
from ci_runner.model.ci import Trigger
from ci_runner.scm import open as open_scm
from tests.scm.conftest import Bench, bench
from tests.scm.host import HEAD

__all__ = ["bench"]

PUSH = Trigger("circleci", "github", "push", "acme/shop", head_branch="risky", head_sha=HEAD)
PULL = Trigger("circleci", "github", "pull_request", "acme/shop", 7, head_sha=HEAD)


@pytest.mark.parametrize(
    ("trigger", "default", "asked"),
    [
        (PUSH, None, "default branch"),
        (PUSH, "main", "pull request by head"),
        (PUSH, "risky", None),
        (replace(PUSH, platform="github"), "main", None),
        (replace(PUSH, platform="bitbucket"), None, "default branch"),
        (replace(PUSH, kind="manual"), "main", "pull request by head"),
        (replace(PUSH, kind="schedule"), None, None),
        (replace(PUSH, kind="tag", head_branch=None, tag="v1"), None, None),
        (replace(PUSH, head_sha=None), "main", None),
        (replace(PUSH, head_branch=None), None, "pull request by head"),
        (PULL, None, "pull request"),
        (replace(PULL, base_branch="main"), None, None),
        (replace(PULL, base_branch="main", head_sha=None), None, "pull request"),
        (replace(PULL, pull_request=None), None, "pull request by head"),
        (replace(PULL, pull_request=None, head_sha=None), None, None),
        (Trigger("local", None, "local"), None, None),
    ],
)
def test_only_what_is_missing_and_needed_is_asked(trigger: Trigger, default: str | None, asked: str | None) -> None:
    assert question(trigger, default) == asked


def on(bench: Bench, trigger: Trigger) -> Any:
    scm = bench.scm()
    trigger = replace(trigger, scm=scm.name, repository=scm.repository)
    return complete(trigger, None, lambda: scm)


def test_a_pushed_branch_is_known_by_the_pull_request_of_its_head_on_every_scm(bench: Bench) -> None:
    found = on(bench, PUSH)
    trigger = found.trigger
    assert (trigger.kind, trigger.pull_request, trigger.base_branch) == ("pull_request", 7, "main")
    assert (trigger.default_branch, trigger.is_fork, trigger.head_sha) == ("main", False, HEAD)
    assert found.how == f"found on {bench.scm().name} by its head commit"
    assert bench.host.writes(bench.fake) == 0


def test_a_branch_without_a_pull_request_stays_a_push(bench: Bench) -> None:
    found = on(bench, replace(PUSH, head_sha="c" * 40))
    assert found.trigger.kind == "push"
    assert "knows no open pull requests" in found.how


def test_of_two_pull_requests_with_one_head_none_is_chosen(bench: Bench) -> None:
    bench.fake.state["pulls"]["8"] = bench.fake.state["pulls"]["7"]
    found = on(bench, PUSH)
    assert (found.trigger.kind, found.trigger.pull_request) == ("push", None)
    assert "knows 2 open pull requests" in found.how


def test_the_base_of_a_known_pull_request_is_asked_for(bench: Bench) -> None:
    found = on(bench, replace(PULL, is_fork=None))
    assert (found.trigger.base_branch, found.trigger.is_fork) == ("main", False)


def test_a_push_to_the_default_branch_is_one_whatever_pull_requests_there_are(bench: Bench) -> None:
    found = on(bench, replace(PUSH, head_branch="main"))
    assert (found.trigger.kind, found.trigger.default_branch) == ("push", "main")


def test_an_scm_that_refuses_leaves_the_gap_and_says_so(bench: Bench) -> None:
    scm = bench.scm("wrong")
    found = complete(replace(PUSH, scm=scm.name, repository=scm.repository), None, lambda: scm)
    assert found.trigger.kind == "push"
    assert found.trigger.default_branch is None
    assert any(word in found.warning for word in ("expired", "may not comment"))


def test_without_a_token_one_line_says_what_stays_unknown() -> None:
    found = complete(PUSH, "main", lambda: None)
    assert found.trigger == replace(PUSH, default_branch="main")
    assert found.warning == "the pull request by head is not known here, and without a token github cannot be asked"


def test_nothing_is_asked_where_nothing_is_missing() -> None:
    def refuse() -> None:
        raise AssertionError("no question is open")

    trigger = replace(PULL, base_branch="main")
    assert complete(trigger, None, refuse).trigger == trigger


def test_an_scm_nobody_answers_for_is_asked_once() -> None:
    scm = open_scm(replace(PUSH, api_url="http://127.0.0.1:1"), "t", Patience(0))
    assert "cannot be reached" in complete(PUSH, "main", lambda: scm).warning
