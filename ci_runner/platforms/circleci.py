"""CircleCI: reads built-in variables and the pipeline values that the orb passes on, for GitHub, Bitbucket and GitLab projects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ci_runner.model.ci import Trigger, TriggerKind
from ci_runner.platforms import addresses, facts
from ci_runner.platforms.circleci_outlets import outlets

__all__ = ["outlets", "trigger"]

_FORK_BRANCH = re.compile(r"pull/(\d+)(?:/head|/merge)?\Z")
_BUILD_URL = {"/gh/": "github", "/github/": "github", "/bb/": "bitbucket", "/bitbucket/": "bitbucket"}


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:  # noqa: ARG001
    """The trigger of a CircleCI job; the base of a pull request and the default branch are only known to the SCM's API."""
    known = _scm_of_project(env)
    place = addresses.read(facts.text(env, "PILOTAGE_CIRCLE_GIT_URL", "CIRCLE_REPOSITORY_URL"), known)
    scm = known or (place.scm if place else None) or _scm_of_build(env)
    tag = facts.text(env, "CIRCLE_TAG")
    name = facts.text(env, "CIRCLE_BRANCH")
    number = _number(env)
    queued = facts.queued(scm, name)
    pulled = number is not None or facts.text(env, "CIRCLE_PULL_REQUEST", "CIRCLE_PULL_REQUESTS") is not None
    return Trigger(
        platform="circleci",
        scm=scm,
        kind="merge_queue" if queued else _kind(env, pulled=pulled, tag=tag),
        repository=_repository(env, place),
        pull_request=None if queued else number,
        base_branch=queued,
        # a fork's build has "pull/N" for a branch, which is no branch of the fork
        head_branch=None if tag or (name and _FORK_BRANCH.match(name)) else facts.branch(name),
        head_sha=facts.sha(facts.text(env, "CIRCLE_SHA1")),
        is_fork=_fork(env) if pulled and not queued else False,
        tag=tag,
        actor=facts.text(env, "CIRCLE_USERNAME"),
        run_url=facts.text(env, "CIRCLE_BUILD_URL"),
        api_url=facts.api_of(scm, place.server) if place and place.scm != scm else place.api if place else None,
        server_url=place.server if place else None,
        token=facts.token(env, scm),
    )


def _kind(env: Mapping[str, str], *, pulled: bool, tag: str | None) -> TriggerKind:
    source = facts.text(env, "PILOTAGE_CIRCLE_TRIGGER_SOURCE")
    if source in {"scheduled_pipeline", "schedule"}:
        return "schedule"
    if source == "api":
        return "manual"
    return "tag" if tag else "pull_request" if pulled else "push"


def _scm_of_project(env: Mapping[str, str]) -> str | None:
    """The SCM by the project's type; projects of the type ``circleci`` may lie on any."""
    kind = (facts.text(env, "PILOTAGE_CIRCLE_PROJECT_TYPE") or "").lower()
    return next((name for name in ("github", "gitlab", "bitbucket") if kind.startswith(name)), None)


def _scm_of_build(env: Mapping[str, str]) -> str | None:
    """The SCM by the first part of the build's address, for projects whose own address is not told."""
    url = facts.text(env, "CIRCLE_BUILD_URL") or ""
    return next((scm for part, scm in _BUILD_URL.items() if part in url), None)


def _number(env: Mapping[str, str]) -> int | None:
    """The pull request; where a commit has several, CircleCI picks one at random, so none is taken."""
    several = [url for url in (facts.text(env, "CIRCLE_PULL_REQUESTS") or "").split(",") if url.strip()]
    if len({url.strip() for url in several}) > 1:
        return None
    address = (facts.text(env, "CIRCLE_PULL_REQUEST") or (several[0] if several else "")).strip()
    branch = _FORK_BRANCH.match(facts.text(env, "CIRCLE_BRANCH") or "")
    tail = address.rstrip("/").rpartition("/")[2]
    return (
        facts.number(tail)
        or facts.number(facts.text(env, "CIRCLE_PR_NUMBER"))
        or (facts.number(branch[1]) if branch else None)
    )


def _fork(env: Mapping[str, str]) -> bool | None:
    """CIRCLE_PR_* exist for forks of GitHub OAuth and Bitbucket projects only; elsewhere their absence says nothing."""
    if facts.text(env, "CIRCLE_PR_USERNAME") or _FORK_BRANCH.match(facts.text(env, "CIRCLE_BRANCH") or ""):
        return True
    classic = facts.text(env, "CIRCLE_PROJECT_USERNAME") and facts.text(env, "CIRCLE_PROJECT_REPONAME")
    return False if classic else None


def _repository(env: Mapping[str, str], place: addresses.Place | None) -> str | None:
    owner, name = facts.text(env, "CIRCLE_PROJECT_USERNAME"), facts.text(env, "CIRCLE_PROJECT_REPONAME")
    if place is not None:
        return place.repository
    return f"{owner}/{name}" if owner and name else None
