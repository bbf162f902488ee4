"""GitLab CI/CD: reads the predefined variables of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ci_runner.model.ci import Trigger, TriggerKind
from ci_runner.platforms import facts
from ci_runner.platforms.gitlab_outlets import outlets

__all__ = ["outlets", "trigger"]

# https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable ; a source that is not here is "manual".
_SOURCES: Mapping[str, TriggerKind] = {
    "merge_request_event": "pull_request",
    "external_pull_request_event": "pull_request",
    "push": "push",
    "webide": "push",
    "parent_pipeline": "push",
    "schedule": "schedule",
}


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:  # noqa: ARG001
    """The trigger of a GitLab job."""
    external = facts.text(env, "CI_EXTERNAL_PULL_REQUEST_IID") is not None
    scm = "github" if external else "gitlab"
    kind = _kind(env)
    if external:
        found = _of_external(env)
    elif facts.text(env, "CI_MERGE_REQUEST_IID"):
        found = _of_merge_request(env)
    else:
        found = _of_ref(env, kind)
    return Trigger(
        platform="gitlab",
        scm=scm,
        kind=kind,
        default_branch=facts.branch(facts.text(env, "CI_DEFAULT_BRANCH")),
        actor=facts.text(env, "GITLAB_USER_LOGIN"),
        run_url=facts.text(env, "CI_JOB_URL"),
        api_url=None if external else facts.text(env, "CI_API_V4_URL"),
        server_url=None if external else facts.text(env, "CI_SERVER_URL"),
        token=facts.token(env, scm),
        **found,
    )


def _kind(env: Mapping[str, str]) -> TriggerKind:
    if facts.text(env, "CI_MERGE_REQUEST_IID"):
        return "merge_queue" if env.get("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train" else "pull_request"
    if facts.text(env, "CI_EXTERNAL_PULL_REQUEST_IID"):
        return "pull_request"
    kind = _SOURCES.get(env.get("CI_PIPELINE_SOURCE", ""), "manual")
    return "tag" if kind == "push" and facts.text(env, "CI_COMMIT_TAG") else kind


def _of_merge_request(env: Mapping[str, str]) -> dict[str, Any]:
    source, target = (
        facts.text(env, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID"),
        facts.text(env, "CI_MERGE_REQUEST_PROJECT_ID"),
    )
    head = facts.text(env, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
    # In a merged-results pipeline and in a merge train CI_COMMIT_SHA is a temporary merge commit, not the head.
    merged = env.get("CI_MERGE_REQUEST_EVENT_TYPE") in {"merged_result", "merge_train"}
    return {
        "repository": facts.text(env, "CI_MERGE_REQUEST_PROJECT_PATH", "CI_PROJECT_PATH"),
        "pull_request": facts.number(facts.text(env, "CI_MERGE_REQUEST_IID")),
        "base_branch": facts.branch(facts.text(env, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")),
        "head_branch": facts.branch(facts.text(env, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")),
        "head_sha": facts.sha(head or (None if merged else facts.text(env, "CI_COMMIT_SHA"))),
        "base_sha": facts.sha(facts.text(env, "CI_MERGE_REQUEST_DIFF_BASE_SHA")),
        "is_fork": None if source is None or target is None else source != target,
    }


def _of_external(env: Mapping[str, str]) -> dict[str, Any]:
    """A pull request on GitHub whose pipeline runs here (CI/CD for external repositories)."""
    prefix = "CI_EXTERNAL_PULL_REQUEST_"
    source, target = facts.text(env, prefix + "SOURCE_REPOSITORY"), facts.text(env, prefix + "TARGET_REPOSITORY")
    return {
        "repository": target,
        "pull_request": facts.number(facts.text(env, prefix + "IID")),
        "base_branch": facts.branch(facts.text(env, prefix + "TARGET_BRANCH_NAME")),
        "head_branch": facts.branch(facts.text(env, prefix + "SOURCE_BRANCH_NAME")),
        "head_sha": facts.sha(facts.text(env, prefix + "SOURCE_BRANCH_SHA")),
        "base_sha": facts.sha(facts.text(env, prefix + "TARGET_BRANCH_SHA")),
        "is_fork": None if source is None or target is None else source.lower() != target.lower(),
    }


def _of_ref(env: Mapping[str, str], kind: TriggerKind) -> dict[str, Any]:
    tag = facts.text(env, "CI_COMMIT_TAG")
    name = facts.text(env, "CI_COMMIT_BRANCH") or (None if tag else facts.text(env, "CI_COMMIT_REF_NAME"))
    return {
        "repository": facts.text(env, "CI_PROJECT_PATH"),
        "pull_request": None if kind == "tag" else _open_merge_request(env),
        "head_branch": facts.branch(name),
        "head_sha": facts.sha(facts.text(env, "CI_COMMIT_SHA")),
        "tag": tag,
    }


def _open_merge_request(env: Mapping[str, str]) -> int | None:
    """The one open merge request of this branch into this project: with several, or one into another project, none is chosen."""
    entries = [entry.strip() for entry in env.get("CI_OPEN_MERGE_REQUESTS", "").split(",") if entry.strip()]
    if len(entries) != 1:
        return None
    path, _, iid = entries[0].rpartition("!")
    return facts.number(iid) if path == env.get("CI_PROJECT_PATH", "") else None
