"""Asks the SCM for what the environment could not know: the pull request of a commit, its base, the default branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.model.ci import PullRequest, Trigger
from ci_runner.scm import Scm, ScmError

Question = Literal["default branch", "pull request by head", "pull request"]
# CircleCI starts runs for pushes only, so the run of a branch is the run of its pull request.
PUSH_ONLY = frozenset({"circleci"})


class Found(Struct, frozen=True):
    """A trigger with what was found filled in; ``how`` says how in a few words, ``warning`` what could not be asked."""

    trigger: Trigger
    how: str = ""
    warning: str = ""


def question(trigger: Trigger, default: str | None) -> Question | None:
    """What has to be asked next, None when nothing is missing that anybody needs. ``default`` is the default branch where known."""
    if trigger.kind == "pull_request":
        missing = trigger.base_branch is None or trigger.head_sha is None
        if trigger.pull_request is not None:
            return "pull request" if missing else None
        return "pull request by head" if trigger.head_sha else None
    if trigger.kind == "comment":
        return (
            "pull request" if trigger.request == "lint" and trigger.pull_request and trigger.head_sha is None else None
        )
    if trigger.kind == "workflow_run":
        return "pull request by head" if trigger.head_sha and trigger.pull_request is None else None
    if trigger.kind not in {"push", "manual"}:
        return None
    if trigger.head_branch is not None and default is None:
        return "default branch"
    branch = trigger.head_branch is None or trigger.head_branch != default
    by_head = trigger.platform in PUSH_ONLY and branch and trigger.head_sha and trigger.tag is None
    return "pull request by head" if by_head else None


def complete(trigger: Trigger, default: str | None, ask: Callable[[], Scm | None]) -> Found:
    """The trigger with its gaps filled; an SCM that cannot be asked (``ask`` gives None without a token) leaves them."""
    found = Found(_with_default(trigger, default))
    scm: Scm | None = None
    try:
        for _ in range(2):
            wanted = question(found.trigger, found.trigger.default_branch)
            if wanted is None:
                break
            scm = scm or ask()
            if scm is None:
                return replace(
                    found, warning=f"the {wanted} is not known here, and without a token {trigger.scm} cannot be asked"
                )
            found = _answered(found, wanted, scm)
    except ScmError as error:
        return replace(found, warning=str(error))
    finally:
        if scm is not None:
            scm.close()
    return found


def _with_default(trigger: Trigger, default: str | None) -> Trigger:
    return trigger if trigger.default_branch else replace(trigger, default_branch=default)


def _answered(found: Found, wanted: Question, scm: Scm) -> Found:
    trigger = found.trigger
    if wanted == "default branch":
        return Found(replace(trigger, default_branch=scm.default_branch()))
    if wanted == "pull request":
        pull = scm.pull_request(int(trigger.pull_request or 0))
        return Found(_filled(trigger, pull), f"its base is known from {scm.name}")
    pulls = scm.pull_requests_of(str(trigger.head_sha))
    if len(pulls) == 1:
        return Found(_filled(trigger, pulls[0]), f"found on {scm.name} by its head commit")
    # one commit may be the head of several; which of them is meant nobody can tell
    how = (
        f"{scm.name} knows {len(pulls) or 'no'} open pull request{'' if len(pulls) == 1 else 's'} with this head commit"
    )
    return Found(trigger, how)


def _filled(trigger: Trigger, pull: PullRequest) -> Trigger:
    return replace(
        trigger,
        kind="pull_request",
        pull_request=pull.number,
        base_branch=trigger.base_branch or pull.base_branch,
        head_branch=trigger.head_branch or pull.head_branch,
        head_sha=trigger.head_sha or pull.head_sha,
        is_fork=pull.is_fork if trigger.is_fork is None or trigger.kind != "pull_request" else trigger.is_fork,
    )
