"""GitHub Actions: reads the event that started the run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ci_runner.errors import UsageError
from ci_runner.model.ci import Trigger, TriggerKind
from ci_runner.platforms import facts
from ci_runner.platforms.github_outlets import outlets

__all__ = ["outlets", "trigger"]

EVENT_LIMIT = 32 * 1024 * 1024
Node = dict[str, Any]
_ASKED = re.compile(r"/pilotage(?:[ \t]+([a-z]{1,20}))?[ \t]*(?:\r?\n|\Z)")

# https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows ; an event that is not here
# says nothing about a pull request or a push, which is what "manual" stands for.
_KINDS: Mapping[str, TriggerKind] = {
    "pull_request": "pull_request",
    "pull_request_target": "pull_request",
    "pull_request_review": "pull_request",
    "pull_request_review_comment": "comment",
    "issue_comment": "comment",
    "push": "push",
    "create": "push",
    "release": "tag",
    "merge_group": "merge_queue",
    "schedule": "schedule",
    "workflow_run": "workflow_run",
}


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:
    """The trigger of a GitHub Actions run (also of a local runner that imitates it)."""
    event = _event(env, read)
    kind = _kind(env)
    repository = facts.text(env, "GITHUB_REPOSITORY") or _text(_node(event, "repository"), "full_name")
    found = {
        "pull_request": _of_pull_request,
        "comment": _of_comment,
        "merge_queue": _of_merge_group,
        "workflow_run": _of_workflow_run,
    }.get(kind, _of_ref)(env, event)
    return Trigger(
        platform="github",
        scm="github",
        kind=kind,
        repository=repository,
        default_branch=facts.branch(_node(event, "repository").get("default_branch")),
        actor=facts.text(env, "GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        run_url=_run_url(env, repository),
        api_url=facts.text(env, "GITHUB_API_URL"),
        server_url=facts.text(env, "GITHUB_SERVER_URL"),
        token=facts.token(env, "github"),
        **found,
    )


def _event(env: Mapping[str, str], read: Callable[[str], bytes]) -> Node:
    path = facts.text(env, "GITHUB_EVENT_PATH")
    if path is None:
        return {}
    try:
        raw = read(path)
    except OSError:
        return {}
    if len(raw) > EVENT_LIMIT:
        raise UsageError(
            f"the event file {path} (GITHUB_EVENT_PATH) is larger than {EVENT_LIMIT >> 20} MiB; that is no event of GitHub"
        )
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError(
            f"the event file {path} (GITHUB_EVENT_PATH) is not JSON; give the run the event file GitHub wrote"
        ) from None
    return event if isinstance(event, dict) else {}


def _node(parent: Node, *names: str) -> Node:
    for name in names:
        child = parent.get(name)
        if not isinstance(child, dict):
            return {}
        parent = child
    return parent


def _text(parent: Node, name: str) -> str | None:
    value = parent.get(name)
    return value if isinstance(value, str) and value else None


def _kind(env: Mapping[str, str]) -> TriggerKind:
    kind = _KINDS.get(env.get("GITHUB_EVENT_NAME", ""), "manual")
    return "tag" if kind == "push" and _is_tag(env) else kind


def _is_tag(env: Mapping[str, str]) -> bool:
    return env.get("GITHUB_REF_TYPE") == "tag" or env.get("GITHUB_REF", "").startswith("refs/tags/")


def _run_url(env: Mapping[str, str], repository: str | None) -> str | None:
    server, run = facts.text(env, "GITHUB_SERVER_URL"), facts.text(env, "GITHUB_RUN_ID")
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def _fork(head: Node, base: str | None, key: str = "repo") -> bool | None:
    """Whether the head lives elsewhere: no ``repo`` key is unknown (local runners), ``null`` is a fork that was deleted."""
    if key not in head:
        return None
    if head[key] is None:
        return True
    name = _text(_node(head, key), "full_name")
    return None if name is None or base is None else name.lower() != base.lower()


def _of_pull_request(env: Mapping[str, str], event: Node) -> dict[str, Any]:
    pull = _node(event, "pull_request")
    head, base = _node(pull, "head"), _node(pull, "base")
    in_ref = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", env.get("GITHUB_REF", ""))
    number = (
        facts.number(pull.get("number"))
        or facts.number(event.get("number"))
        or (facts.number(in_ref[1]) if in_ref else None)
    )
    home = _text(_node(base, "repo"), "full_name") or facts.text(env, "GITHUB_REPOSITORY")
    return {
        "pull_request": number,
        "base_branch": facts.branch(facts.text(env, "GITHUB_BASE_REF") or base.get("ref")),
        "head_branch": facts.branch(facts.text(env, "GITHUB_HEAD_REF") or head.get("ref")),
        "head_sha": facts.sha(head.get("sha")),
        "base_sha": facts.sha(base.get("sha")),
        "is_fork": _fork(head, home),
    }


def _of_comment(env: Mapping[str, str], event: Node) -> dict[str, Any]:
    """A comment names its pull request; GITHUB_SHA and GITHUB_REF are those of the default branch and say nothing of the head."""
    removed = event.get("action") == "deleted"
    asked = None if removed else _ASKED.match(_text(_node(event, "comment"), "body") or "")
    request = {"request": (asked[1] or "lint") if asked else None}
    if "pull_request" in event:
        return {**_of_pull_request(env, event), **request}
    issue = _node(event, "issue")
    if not isinstance(issue.get("pull_request"), dict):
        return {}
    return {"pull_request": facts.number(issue.get("number")), "is_fork": None, **request}


def _of_merge_group(env: Mapping[str, str], event: Node) -> dict[str, Any]:
    group = _node(event, "merge_group")
    return {
        "base_branch": facts.branch(group.get("base_ref")),
        "head_branch": facts.branch(group.get("head_ref")) or facts.branch(facts.text(env, "GITHUB_REF_NAME")),
        "head_sha": facts.sha(group.get("head_sha")) or facts.sha(env.get("GITHUB_SHA")),
        "base_sha": facts.sha(group.get("base_sha")),
    }


def _of_workflow_run(env: Mapping[str, str], event: Node) -> dict[str, Any]:
    """The run that was waited for; its list of pull requests is empty for forks and may hold those of other repositories."""
    run = _node(event, "workflow_run")
    home = _node(event, "repository")
    pulls = [pull for pull in run.get("pull_requests") or () if isinstance(pull, dict)]
    own = [pull for pull in pulls if _node(pull, "base", "repo").get("id", home.get("id")) == home.get("id")]
    pull: Node = own[0] if own else {}
    of_pull = str(run.get("event", "")).startswith("pull_request")
    name = facts.text(env, "GITHUB_REPOSITORY") or _text(home, "full_name")
    return {
        "pull_request": facts.number(pull.get("number")),
        "base_branch": facts.branch(_node(pull, "base").get("ref")),
        "head_branch": facts.branch(run.get("head_branch")),
        "head_sha": facts.sha(run.get("head_sha")),
        "base_sha": facts.sha(_node(pull, "base").get("sha")),
        "is_fork": _fork(run, name, "head_repository") if of_pull or "event" not in run else False,
    }


def _of_ref(env: Mapping[str, str], event: Node) -> dict[str, Any]:
    """Runs for a branch or a tag, where GITHUB_SHA is the commit itself."""
    tag = _is_tag(env)
    name = facts.text(env, "GITHUB_REF_NAME") or env.get("GITHUB_REF", "").removeprefix("refs/tags/").removeprefix(
        "refs/heads/"
    )
    in_pull = env.get("GITHUB_REF", "").startswith("refs/pull/")
    return {
        "tag": name if tag else None,
        "head_branch": None if tag or in_pull else facts.branch(name),
        "head_sha": None if in_pull or event.get("deleted") is True else facts.sha(env.get("GITHUB_SHA")),
    }
