"""CircleCI: reads built-in variables and the pipeline values that the orb passes on, for GitHub, Bitbucket and GitLab projects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ci_runner.model.ci import Trigger, TriggerKind
from ci_runner.platforms import facts
from ci_runner.platforms.circleci_outlets import outlets

__all__ = ["outlets", "trigger"]

_FORK_BRANCH = re.compile(r"pull/(\d+)(?:/head|/merge)?\Z")
_BUILD_URL = {"/gh/": "github", "/github/": "github", "/bb/": "bitbucket", "/bitbucket/": "bitbucket"}


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:  # noqa: ARG001
    """The trigger of a CircleCI job; the base of a pull request and the default branch are only known to the SCM's API."""
    address = facts.split_address(facts.text(env, "PILOTAGE_CIRCLE_GIT_URL", "CIRCLE_REPOSITORY_URL"))
    scm = _scm(env, address)
    host = address[0] if address else None
    tag = facts.text(env, "CIRCLE_TAG")
    name = facts.text(env, "CIRCLE_BRANCH")
    number = _number(env)
    pulled = number is not None or facts.text(env, "CIRCLE_PULL_REQUEST", "CIRCLE_PULL_REQUESTS") is not None
    return Trigger(
        platform="circleci",
        scm=scm,
        kind=_kind(env, pulled=pulled, tag=tag),
        repository=_repository(env, address),
        pull_request=number,
        # a fork's build has "pull/N" for a branch, which is no branch of the fork
        head_branch=None if tag or (name and _FORK_BRANCH.match(name)) else facts.branch(name),
        head_sha=facts.sha(facts.text(env, "CIRCLE_SHA1")),
        is_fork=_fork(env) if pulled else False,
        tag=tag,
        actor=facts.text(env, "CIRCLE_USERNAME"),
        run_url=facts.text(env, "CIRCLE_BUILD_URL"),
        api_url=facts.api_of(scm, host),
        server_url=f"https://{host}" if host else None,
        token=facts.token(env, scm),
    )


def _kind(env: Mapping[str, str], *, pulled: bool, tag: str | None) -> TriggerKind:
    source = facts.text(env, "PILOTAGE_CIRCLE_TRIGGER_SOURCE")
    if source in {"scheduled_pipeline", "schedule"}:
        return "schedule"
    if source == "api":
        return "manual"
    return "tag" if tag else "pull_request" if pulled else "push"


def _scm(env: Mapping[str, str], address: tuple[str, str] | None) -> str | None:
    """The SCM by the project's type, else by the repository's host, else by the first part of the build's address."""
    kind = (facts.text(env, "PILOTAGE_CIRCLE_PROJECT_TYPE") or "").lower()
    for name in ("github", "gitlab", "bitbucket"):
        if kind.startswith(name):
            return name
    by_host = facts.scm_of(address[0]) if address else None
    url = facts.text(env, "CIRCLE_BUILD_URL") or ""
    return by_host or next((scm for part, scm in _BUILD_URL.items() if part in url), None)


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


def _repository(env: Mapping[str, str], address: tuple[str, str] | None) -> str | None:
    owner, name = facts.text(env, "CIRCLE_PROJECT_USERNAME"), facts.text(env, "CIRCLE_PROJECT_REPONAME")
    if address is not None:
        return address[1]
    return f"{owner}/{name}" if owner and name else None
