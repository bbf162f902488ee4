"""No CI system of the five: what Jenkins and Bamboo say of their jobs; of all others nothing is known but what Git and the configuration say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from ci_runner.model.ci import Trigger
from ci_runner.platforms import addresses, facts
from ci_runner.platforms.plain import outlets

__all__ = ["outlets", "trigger"]


class _Words(Struct, frozen=True):
    """The variables of one CI system; ``page`` is the address of the pull request's page, ``clone`` that of the repository."""

    marker: str
    number: str
    page: str
    clone: str
    base: str
    head: str
    fork: str
    branch: str
    tag: str
    commit: str
    run: str


# https://www.jenkins.io/doc/book/pipeline/multibranch/ and each job's /env-vars.html;
# https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html
_SYSTEMS = (
    _Words(
        "JENKINS_URL", "CHANGE_ID", "CHANGE_URL", "GIT_URL", "CHANGE_TARGET", "CHANGE_BRANCH", "CHANGE_FORK", "BRANCH_NAME",
        "TAG_NAME", "GIT_COMMIT", "BUILD_URL",
    ),
    _Words(
        "bamboo_buildKey", "bamboo_repository_pr_key", "", "bamboo_planRepository_repositoryUrl", "bamboo_repository_pr_targetBranch",
        "bamboo_repository_pr_sourceBranch", "", "bamboo_planRepository_branchName", "", "bamboo_planRepository_revision",
        "bamboo_buildResultsUrl",
    ),
)  # fmt: skip


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:  # noqa: ARG001
    """The trigger of a run by hand, kind ``local`` and no fact, or of a job whose variables tell more."""
    words = next((each for each in _SYSTEMS if facts.text(env, each.marker)), None)
    if words is None:
        return Trigger(platform="local", scm=None, kind="local", is_fork=False)
    number = facts.number(facts.text(env, words.number))
    tag, branch = _text(env, words.tag), facts.branch(facts.text(env, words.branch))
    if number is None and tag is None and branch is None:
        return Trigger(platform="local", scm=None, kind="local", is_fork=False, run_url=facts.text(env, words.run))
    place = addresses.read(_text(env, words.page)) or addresses.read(facts.text(env, words.clone))
    scm = place.scm if place else None
    return Trigger(
        platform="local",
        scm=scm,
        kind="pull_request" if number else "tag" if tag else "push",
        repository=place.repository if place else None,
        pull_request=number,
        base_branch=facts.branch(facts.text(env, words.base)) if number else None,
        head_branch=facts.branch(facts.text(env, words.head)) if number else None if tag else branch,
        # a pull request's job may have merged it into its base before it builds
        head_sha=None if number else facts.sha(facts.text(env, words.commit)),
        is_fork=_fork(env, words) if number else False,
        tag=None if number else tag,
        run_url=facts.text(env, words.run),
        api_url=place.api if place else None,
        server_url=place.server if place else None,
        token=facts.token(env, scm),
    )


def _text(env: Mapping[str, str], name: str) -> str | None:
    return facts.text(env, name) if name else None


def _fork(env: Mapping[str, str], words: _Words) -> bool | None:
    """Where the system has no word for it, the SCM has to be asked."""
    return facts.text(env, words.fork) is not None if words.fork else None
