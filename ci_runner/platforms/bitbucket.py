"""Bitbucket Pipelines: reads the default variables of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ci_runner.model.ci import Trigger, TriggerKind
from ci_runner.platforms import facts
from ci_runner.platforms.bitbucket_outlets import outlets

__all__ = ["outlets", "trigger"]


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:  # noqa: ARG001
    """The trigger of a Bitbucket step; nothing there tells the default branch or a fork."""
    number = facts.number(facts.text(env, "BITBUCKET_PR_ID"))
    origin = facts.text(env, "BITBUCKET_GIT_HTTP_ORIGIN")
    site = "https://" + origin.split("://", 1)[-1] if origin else None
    build = facts.text(env, "BITBUCKET_BUILD_NUMBER")
    return Trigger(
        platform="bitbucket",
        scm="bitbucket",
        kind=_kind(env),
        repository=facts.text(env, "BITBUCKET_REPO_FULL_NAME") or _name(env),
        pull_request=number,
        base_branch=facts.branch(facts.text(env, "BITBUCKET_PR_DESTINATION_BRANCH")),
        head_branch=facts.branch(facts.text(env, "BITBUCKET_BRANCH")),
        head_sha=facts.sha(facts.text(env, "BITBUCKET_COMMIT")),
        base_sha=facts.sha(facts.text(env, "BITBUCKET_PR_DESTINATION_COMMIT")),
        is_fork=None if number else False,
        tag=facts.text(env, "BITBUCKET_TAG"),
        actor=facts.text(env, "BITBUCKET_STEP_TRIGGERER_UUID"),
        run_url=f"{site}/pipelines/results/{build}" if site and build else None,
        api_url="https://api.bitbucket.org/2.0",
        server_url="https://bitbucket.org",
        token=facts.token(env, "bitbucket"),
    )


def _kind(env: Mapping[str, str]) -> TriggerKind:
    """A run without pull request, tag and branch is a custom pipeline: somebody or a schedule started it by name."""
    if facts.text(env, "BITBUCKET_PR_ID"):
        return "pull_request"
    if facts.text(env, "BITBUCKET_TAG"):
        return "tag"
    return "push" if facts.text(env, "BITBUCKET_BRANCH") else "manual"


def _name(env: Mapping[str, str]) -> str | None:
    workspace, slug = facts.text(env, "BITBUCKET_WORKSPACE"), facts.text(env, "BITBUCKET_REPO_SLUG")
    return f"{workspace}/{slug}" if workspace and slug else None
