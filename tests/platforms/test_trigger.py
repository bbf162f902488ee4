"""Why CI ran: the shared cases, and more of the same kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import platforms
from ci_runner.errors import UsageError
from ci_runner.model.ci import Trigger

OWN = [
    case
    for file in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]
KNOWN = {
    "platform",
    "scm",
    "kind",
    "pull_request",
    "base_branch",
    "head_branch",
    "head_sha",
    "repository",
    "is_fork",
    "default_branch",
}


def triggered(env: dict[str, str], event: Any = None) -> Trigger:
    """The trigger of an environment, with ``event`` behind GITHUB_EVENT_PATH."""

    def read(path: str) -> bytes:
        if event is None:
            raise FileNotFoundError(path)
        return json.dumps(event).encode()

    return platforms.trigger({**env, "GITHUB_EVENT_PATH": "/event.json"}, read)


def test_every_shared_case_is_read_exactly(shared: Path) -> None:
    cases = yaml.safe_load((shared / "cases" / "platform-env.yaml").read_text())
    wrong = []
    for case in cases:
        expected = {**case["expect"], "platform": case["platform"], "scm": case["scm"]}
        found = triggered(case["env"], case["event"])
        wrong += [
            (case["id"], key, getattr(found, key), value)
            for key, value in expected.items()
            if getattr(found, key) != value
        ]
    assert wrong == []
    assert len(cases) >= 27


@pytest.mark.parametrize("case", OWN, ids=[case["id"] for case in OWN])
def test_a_case_of_our_own_is_read_exactly(case: dict[str, Any]) -> None:
    found = triggered(case["env"], case.get("event"))
    assert {key: getattr(found, key) for key in case["expect"]} == case["expect"]


def test_our_own_cases_cover_every_platform_and_every_kind() -> None:
    assert len({case["id"] for case in OWN}) == len(OWN) >= 120
    assert {case["expect"].get("platform") for case in OWN} >= set(platforms.NAMES)
    kinds = {case["expect"]["kind"] for case in OWN if "kind" in case["expect"]}
    assert kinds == {
        "pull_request",
        "push",
        "tag",
        "merge_queue",
        "schedule",
        "manual",
        "workflow_run",
        "comment",
        "local",
    }


@pytest.mark.parametrize(
    ("env", "markers"),
    [
        ({"GITHUB_ACTIONS": "true", "CIRCLECI": "true"}, ["GITHUB_ACTIONS=true", "CIRCLECI=true"]),
        ({"TF_BUILD": "True", "BITBUCKET_BUILD_NUMBER": "3"}, ["TF_BUILD=True", "BITBUCKET_BUILD_NUMBER"]),
        ({"GITLAB_CI": "true", "GITHUB_ACTIONS": "true"}, ["GITLAB_CI=true", "GITHUB_ACTIONS=true"]),
        (
            {"CI_API_V4_URL": "https://x/api/v4", "CI_PROJECT_ID": "1", "TF_BUILD": "True"},
            ["CI_API_V4_URL", "TF_BUILD=True"],
        ),
    ],
)
def test_two_platforms_at_once_are_refused_with_both_markers(env: dict[str, str], markers: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        triggered(env)
    assert refused.value.exit_code == 2
    assert all(marker in str(refused.value) for marker in [*markers, "--platform", "PILOTAGE_PLATFORM"])


@pytest.mark.parametrize("name", platforms.NAMES)
def test_the_word_of_the_user_settles_which_platform_it_is(name: str) -> None:
    env = {"GITHUB_ACTIONS": "true", "CIRCLECI": "true", "PILOTAGE_PLATFORM": name.upper()}
    assert triggered(env).platform == name


def test_an_unknown_platform_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="did you mean 'gitlab'"):
        triggered({"PILOTAGE_PLATFORM": "gitlb"})


@pytest.mark.parametrize(
    "env",
    [
        {"GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "a/b"},
        {"GITHUB_ACTIONS": "false", "CIRCLECI": "", "TF_BUILD": "$(TF_BUILD)", "BITBUCKET_BUILD_NUMBER": ""},
        {"CI": "true", "CI_PROJECT_ID": "7"},
        {"PILOTAGE_PLATFORM": ""},
    ],
)
def test_what_is_no_marker_detects_nothing(env: dict[str, str]) -> None:
    assert triggered(env).platform == "local"


def test_a_token_exported_for_another_host_does_not_change_the_platform() -> None:
    found = triggered({"CIRCLECI": "true", "GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "a/b", "CIRCLE_SHA1": "a" * 40})
    assert (found.platform, found.repository) == ("circleci", None)


@pytest.mark.parametrize(
    ("env", "token"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "g"}, "g"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "g", "INPUT_TOKEN": "i"}, "i"),
        ({"GITHUB_ACTIONS": "true", "INPUT_TOKEN": "i", "PILOTAGE_TOKEN": "p"}, "p"),
        ({"GITLAB_CI": "true", "PILOTAGE_TOKEN_ENV": "REVIEW", "REVIEW": "r", "CI_JOB_TOKEN": "j"}, "r"),
        ({"GITLAB_CI": "true", "CI_JOB_TOKEN": "j"}, None),
        ({"TF_BUILD": "True", "BUILD_REPOSITORY_PROVIDER": "TfsGit", "SYSTEM_ACCESSTOKEN": "s"}, "s"),
        ({"TF_BUILD": "True", "BUILD_REPOSITORY_PROVIDER": "GitHub", "SYSTEM_ACCESSTOKEN": "s"}, None),
        (
            {"TF_BUILD": "True", "BUILD_REPOSITORY_PROVIDER": "TfsGit", "SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"},
            None,
        ),
    ],
)
def test_the_token_is_the_one_meant_for_this_host(env: dict[str, str], token: str | None) -> None:
    found = triggered(env)
    assert found.token == token
    assert token is None or f"'{token}'" not in repr(found)


@pytest.mark.parametrize("said", ["shop", "https://code.acme.example/acme/shop", "https://", "javascript:alert(1)"])
def test_an_address_that_tells_no_scm_is_refused_with_one_that_would(said: str) -> None:
    with pytest.raises(UsageError, match="pull-requests/7") as refused:
        triggered({"PILOTAGE_SCM_URL": said})
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_an_event_file_that_is_no_json_is_named(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"/e\.json \(GITHUB_EVENT_PATH\) is not JSON"):
        platforms.trigger({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": "/e.json"}, lambda _: content)


def test_an_event_file_beyond_every_event_is_refused() -> None:
    with pytest.raises(UsageError, match="larger than 32 MiB"):
        platforms.trigger({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": "/e"}, lambda _: b" " * (33 << 20))


@pytest.mark.parametrize(
    "name", ["-x", "--upload-pack=x", "a..b", "a b", "a\nb", "a~1", ".x", "x.lock", "a//b", "@{x}", "a\\b", "x/"]
)
def test_a_branch_name_git_refuses_is_not_passed_on(name: str) -> None:
    found = triggered({"CIRCLECI": "true", "CIRCLE_BRANCH": name})
    assert found.head_branch is None


KEYS = [
    "pull_request", "number", "head", "base", "repo", "sha",
    "ref", "full_name", "repository", "issue", "merge_group", "workflow_run",
    "event", "pull_requests", "head_repository", "default_branch", "id", "head_sha",
    "head_branch", "base_ref", "base_sha", "deleted",
]  # fmt: skip
VARIABLES = [
    "CI_MERGE_REQUEST_IID", "CI_OPEN_MERGE_REQUESTS", "CI_COMMIT_SHA", "CI_PROJECT_PATH", "CIRCLE_PULL_REQUEST", "CIRCLE_PULL_REQUESTS",
    "CIRCLE_BRANCH", "CIRCLE_REPOSITORY_URL", "BITBUCKET_PR_ID", "BUILD_SOURCEBRANCH", "BUILD_REPOSITORY_URI", "BUILD_REASON",
    "CHANGE_ID", "CHANGE_URL", "GIT_URL", "BRANCH_NAME", "JENKINS_URL", "bamboo_buildKey", "bamboo_planRepository_repositoryUrl",
]  # fmt: skip


def objects(children: Any) -> Any:
    return st.dictionaries(st.sampled_from(KEYS), children, max_size=6)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | objects(children),
    max_leaves=20,
)


@given(
    event=objects(JSON) | JSON,
    name=st.sampled_from(
        ["pull_request", "push", "issue_comment", "merge_group", "workflow_run", "pull_request_review_comment", "x"]
    ),
)
@settings(deadline=None, max_examples=300)
def test_no_event_whatever_its_shape_breaks_the_reading(event: Any, name: str) -> None:
    found = triggered({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name}, event)
    assert found.pull_request is None or found.pull_request > 0
    assert found.head_sha is None or set(found.head_sha) <= set("0123456789abcdef")


@given(
    env=st.dictionaries(
        st.sampled_from(VARIABLES),
        st.text(max_size=30),
    ),
    name=st.sampled_from(platforms.NAMES),
)
@settings(deadline=None, max_examples=300)
def test_no_value_of_a_variable_breaks_the_reading(env: dict[str, str], name: str) -> None:
    found = triggered({**env, "PILOTAGE_PLATFORM": name})
    assert found.platform == name
    assert found.pull_request is None or found.pull_request > 0


def test_inputs_are_options_and_an_empty_one_was_not_given() -> None:
    env = {
        "INPUT_FAIL-ON": "warning",
        "INPUT_DIR": "",
        "INPUT_DEV_URL": "sqlite://x",
        "INPUTS": "no",
        "INPUT_NAME": "$(name)",
    }
    assert platforms.inputs(env, "github") == {"fail_on": "warning", "dev_url": "sqlite://x"}
    assert platforms.inputs(env, "gitlab") == {}
