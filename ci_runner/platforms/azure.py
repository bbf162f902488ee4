"""Azure Pipelines: reads the predefined variables of a build, for repositories on Azure Repos, GitHub and Bitbucket."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ci_runner.model.ci import Trigger, TriggerKind
from ci_runner.platforms import addresses, facts
from ci_runner.platforms.azure_outlets import outlets

__all__ = ["outlets", "trigger"]

# https://learn.microsoft.com/azure/devops/pipelines/build/variables (Build.Reason); a reason that is not here is "manual".
_REASONS: Mapping[str, TriggerKind] = {
    "PullRequest": "pull_request",
    "IndividualCI": "push",
    "BatchedCI": "push",
    "Schedule": "schedule",
    "ScheduleForced": "schedule",
}
_PROVIDERS = {"tfsgit": "azure", "github": "github", "githubenterprise": "github", "bitbucket": "bitbucket"}


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:  # noqa: ARG001
    """The trigger of an Azure build; base commit and default branch are only known to the API."""
    place = addresses.read(facts.text(env, "BUILD_REPOSITORY_URI"), _PROVIDERS.get(_provider(env)))
    scm = _scm(env, place)
    kind = _kind(env)
    found = _of_pull_request(env, scm) if kind == "pull_request" else _of_ref(env)
    queued = facts.queued(scm, found["head_branch"])
    collection = facts.text(env, "SYSTEM_COLLECTIONURI") if scm == "azure" else None
    return Trigger(
        platform="azure",
        scm=scm,
        kind="merge_queue" if queued and kind == "push" else kind,
        repository=_repository(env, scm, place),
        actor=facts.text(env, "BUILD_REQUESTEDFOR"),
        run_url=_run_url(env),
        api_url=collection or (place.api if place and place.scm == scm else None),
        server_url=collection or (place.server if place else None),
        token=facts.token(env, scm),
        **{**found, **({"base_branch": queued} if queued else {})},
    )


def _provider(env: Mapping[str, str]) -> str:
    return (facts.text(env, "BUILD_REPOSITORY_PROVIDER") or "").lower()


def _scm(env: Mapping[str, str], place: addresses.Place | None) -> str | None:
    """The SCM by the provider; for "other Git" by the form of the repository's address."""
    return _PROVIDERS.get(_provider(env)) or (place.scm if place and _provider(env) == "git" else None)


def _kind(env: Mapping[str, str]) -> TriggerKind:
    reason = facts.text(env, "BUILD_REASON") or ""
    kind = _REASONS.get(reason, "manual")
    return "tag" if kind == "push" and env.get("BUILD_SOURCEBRANCH", "").startswith("refs/tags/") else kind


def _repository(env: Mapping[str, str], scm: str | None, place: addresses.Place | None) -> str | None:
    """On Azure Repos the address names the repository's own project, which need not be the pipeline's."""
    name, project = facts.text(env, "BUILD_REPOSITORY_NAME"), facts.text(env, "SYSTEM_TEAMPROJECT")
    told = "/_git/" in (facts.text(env, "BUILD_REPOSITORY_URI") or "") if scm == "azure" else _provider(env) == "git"
    if place and told:
        return place.repository
    if scm == "azure":
        return f"{project}/{name}" if project and name else None
    return name


def _of_pull_request(env: Mapping[str, str], scm: str | None) -> dict[str, Any]:
    # On GitHub the "id" is a number of GitHub's database; people and the API know the pull request by its number.
    identifier = "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER" if scm == "github" else "SYSTEM_PULLREQUEST_PULLREQUESTID"
    return {
        "pull_request": facts.number(facts.text(env, identifier)),
        "base_branch": facts.branch(facts.text(env, "SYSTEM_PULLREQUEST_TARGETBRANCH")),
        "head_branch": facts.branch(facts.text(env, "SYSTEM_PULLREQUEST_SOURCEBRANCH")),
        "head_sha": facts.sha(facts.text(env, "SYSTEM_PULLREQUEST_SOURCECOMMITID")),
        "is_fork": facts.truth(facts.text(env, "SYSTEM_PULLREQUEST_ISFORK")),
    }


def _of_ref(env: Mapping[str, str]) -> dict[str, Any]:
    """BUILD_SOURCEVERSION is the commit, except for a pull request's merge ref that somebody queued by hand."""
    ref = facts.text(env, "BUILD_SOURCEBRANCH") or ""
    merge = re.fullmatch(r"refs/pull/(\d+)/merge", ref)
    return {
        "pull_request": facts.number(merge[1]) if merge else None,
        "head_branch": facts.branch(ref),
        "head_sha": None if merge else facts.sha(facts.text(env, "BUILD_SOURCEVERSION")),
        "is_fork": None if merge else False,
        "tag": ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else None,
    }


def _run_url(env: Mapping[str, str]) -> str | None:
    names = ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")
    collection, project, build = (facts.text(env, name) for name in names)
    if not (collection and project and build):
        return None
    return f"{collection.rstrip('/')}/{quote(project)}/_build/results?buildId={quote(build)}"
