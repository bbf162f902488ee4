"""An Azure Repos that remembers: pull requests, threads and statuses over real HTTP, with faults on demand.

Usable in a test (``with Azure() as fake:``) and from a shell (``python -m tests.fakes.azure --port 8080 --state state.json``).
Every request and every answer is held against Azure's description; who it does not know gets its sign-in page.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.fakes.description import Description
from tests.fakes.github import first_state as github_state
from tests.fakes.server import Asked, Fake, Fault, Reply, serve

__all__ = ["BOT_TOKEN", "OWNER_TOKEN", "READ_TOKEN", "Azure", "Fault"]

OWNER_TOKEN = "personalowner0000000000000000000000000000000000000000"
BOT_TOKEN = "eyJhbGciOiJub25lIn0.eyJib3QiOjF9.c2ln"
READ_TOKEN = "eyJhbGciOiJub25lIn0.eyJyZWFkIjoxfQ.c2ln"
HOME = "/acme/Web Shop/_apis/git/repositories/shop"


def first_state() -> dict[str, Any]:
    """The same repository and pull request as in the other fakes, in project Web Shop of organisation acme."""
    tokens = {
        OWNER_TOKEN: {"login": "11111111-0000-4000-8000-00000000cafe", "writes": True},
        BOT_TOKEN: {"login": "22222222-0000-4000-8000-00000000cafe", "writes": True},
        READ_TOKEN: {"login": "22222222-0000-4000-8000-00000000cafe", "writes": False},
    }
    return {**github_state(), "tokens": tokens, "repository": "Web Shop/shop"}


@cache
def described() -> Description:
    """One description for all fakes."""
    return Description("azure-git.json", "https://dev.azure.com")


class Azure(Fake):
    """The fake; each comment and each note is a thread, answers are further comments in it."""

    description: Description

    def __init__(self, port: int = 0, state_file: Path | None = None):
        super().__init__(first_state(), described(), port, state_file)
        self.limit = 150_000

    @property
    def url(self) -> str:
        return f"{self.origin}/acme"

    def place(self, asked: Asked) -> str:
        inline = isinstance(asked.body, dict) and "threadContext" in asked.body
        return super().place(asked) + (" (inline)" if inline else "")

    def described(self, asked: Asked) -> bool:
        return not asked.path.endswith("/connectionData")

    def who(self, asked: Asked) -> dict[str, Any] | None:
        kind, _, said = asked.headers.get("authorization", "").partition(" ")
        token = said if kind == "Bearer" else base64.b64decode(said).decode().removeprefix(":")
        known: dict[str, Any] | None = self.state["tokens"].get(token)
        return known

    def headers(self, asked: Asked, status: int, answer: Any) -> dict[str, str]:
        return {"Content-Type": "text/html; charset=utf-8"} if status == 203 else {}

    def answer(self, asked: Asked) -> Reply:
        who = self.who(asked)
        if who is None:
            return 203, "<html><title>Azure DevOps Services | Sign In</title></html>"
        path = unquote(asked.path)
        if "api-version" not in asked.query:
            return 400, _error("No api-version was supplied", "VssVersionNotSpecifiedException")
        if path == "/acme/_apis/connectionData":
            return 200, {"authenticatedUser": {"id": who["login"]}, "instanceId": "x"}
        if not (path == HOME or path.startswith(HOME + "/")):
            return 404, _error("TF401019: The Git repository does not exist or you do not have permissions", "GitRepo")
        for (verb, pattern), handle in _HANDLERS.items():
            match = re.fullmatch(pattern, path.removeprefix(HOME))
            if match and verb == asked.method:
                if verb != "GET" and not who["writes"]:
                    message = "TF401027: You need the Git 'PullRequestContribute' permission to perform this action."
                    return 403, _error(message, "GitNeedsPermissionException")
                return handle(self, match, asked, who["login"])
        return 404, _error("The controller for path was not found", "HttpResourceNotFoundException")

    # --- objects ------------------------------------------------------------------------------------------------------

    def thread(self, one: dict[str, Any]) -> dict[str, Any]:
        answers = [each for each in self.state["notes"] if each.get("in_reply_to_id") == one["id"]]
        made: dict[str, Any] = {
            "id": one["id"],
            "status": one.get("status", "active"),
            "isDeleted": False,
            "comments": [_comment(number, each) for number, each in enumerate((one, *answers), 1)],
            "threadContext": None,
            "pullRequestThreadContext": None,
        }
        if "path" in one:
            start = {"line": one.get("start_line") or one["line"], "offset": 1}
            end = {"line": one["line"], "offset": 1}
            made["threadContext"] = {"filePath": f"/{one['path']}", "rightFileStart": start, "rightFileEnd": end}
        return made

    def pull(self, number: str) -> dict[str, Any]:
        pull = self.state["pulls"][number]
        head, base = pull["head"], pull["base"]
        made = {
            "pullRequestId": int(number),
            "status": {"open": "active", "closed": "abandoned"}[pull["state"]],
            "sourceRefName": f"refs/heads/{head['ref']}",
            "targetRefName": f"refs/heads/{base['ref']}",
            "lastMergeSourceCommit": {"commitId": head["sha"]},
            "lastMergeTargetCommit": {"commitId": base["sha"]},
        }
        if head["repo"] != base["repo"]:
            made["forkSource"] = {"name": made["sourceRefName"], "repository": None}
        return made

    def too_long(self, content: str) -> Reply | None:
        if len(content) <= self.limit:
            return None
        return 400, _error(f"The comment is longer than {self.limit} characters.", "ArgumentException")


def _comment(number: int, one: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": number,
        "parentCommentId": 0 if number == 1 else 1,
        "content": one["body"],
        "commentType": "system" if one.get("system") else "text",
        "isDeleted": False,
    }
    return {**made, "author": {"id": one["login"], "displayName": one["login"]}} if one["login"] else made


def _error(message: str, kind: str) -> dict[str, Any]:
    return {"$id": "1", "message": message, "typeName": kind, "typeKey": kind, "errorCode": 0, "eventId": 3000}


def _listed(rows: list[Any]) -> Reply:
    return 200, {"count": len(rows), "value": rows}


def _repository(fake: Azure, *_: Any) -> Reply:
    return 200, {
        "id": "33333333-0000-4000-8000-00000000cafe",
        "name": "shop",
        "defaultBranch": f"refs/heads/{fake.state['default_branch']}",
    }


def _compare(fake: Azure, *_: Any) -> Reply:
    return 200, {"commonCommit": fake.state["merge_base"], "changes": []}


def _pulls(fake: Azure, _: Any, asked: Asked, *__: Any) -> Reply:
    wanted = asked.query.get("searchCriteria.status", "active")
    skip, top = int(asked.query.get("$skip", "0")), int(asked.query.get("$top", "100"))
    rows = [one for one in map(fake.pull, fake.state["pulls"]) if one["status"] == wanted]
    return _listed(rows[skip : skip + top])


def _pull(fake: Azure, match: Any, *_: Any) -> Reply:
    if match[1] not in fake.state["pulls"]:
        return 404, _error("TF401180: The requested pull request was not found.", "GitPullRequestNotFoundException")
    return 200, fake.pull(match[1])


def _iterations(fake: Azure, *_: Any) -> Reply:
    return _listed([{"id": 1}, {"id": 2}])


def _changes(fake: Azure, match: Any, asked: Asked, *_: Any) -> Reply:
    skip, top = int(asked.query.get("$skip", "0")), int(asked.query.get("$top", "100"))
    files = fake.state["pulls"][match[1]]["files"]
    kinds = {"added": "add", "modified": "edit"}
    rows = [
        {"changeTrackingId": number, "changeType": kinds[f["status"]], "item": {"path": f"/{f['filename']}"}}
        for number, f in enumerate(files, 1)
    ]
    more = skip + top < len(rows)
    answer = {"changeEntries": rows[skip : skip + top], "nextSkip": skip + top if more else 0}
    return 200, {**answer, "nextTop": top if more else 0}


def _threads(fake: Azure, match: Any, *_: Any) -> Reply:
    """Azure lists its own remarks among the threads, and what was deleted as well."""
    remark = {"id": 1, "login": "", "body": "mira joined as a reviewer", "system": True}
    every = (*fake.state["comments"], *(one for one in fake.state["notes"] if not one.get("in_reply_to_id")))
    there = [one for one in every if one["pull"] == match[1]]
    gone = {**fake.thread(remark), "id": 2, "isDeleted": True}
    return _listed([fake.thread(remark), gone, *map(fake.thread, sorted(there, key=lambda one: int(one["id"])))])


def _add_thread(fake: Azure, match: Any, asked: Asked, login: str) -> Reply:
    if match[1] not in fake.state["pulls"]:
        return 404, _error("TF401180: The requested pull request was not found.", "GitPullRequestNotFoundException")
    (first,) = asked.body["comments"]
    refused = fake.too_long(first["content"])
    if refused:
        return refused
    one = {"id": fake.number(), "pull": match[1], "login": login, "body": first["content"]}
    one["status"] = asked.body["status"]
    context = asked.body.get("threadContext")
    if context:
        lines = {"line": context["rightFileEnd"]["line"], "start_line": context["rightFileStart"]["line"]}
        fake.state["notes"].append({**one, **lines, "path": context["filePath"].removeprefix("/")})
    else:
        fake.state["comments"].append(one)
    return 200, fake.thread(fake.state["notes" if context else "comments"][-1])


def _found(fake: Azure, number: str) -> tuple[str, dict[str, Any]] | None:
    for kind in ("comments", "notes"):
        for one in fake.state[kind]:
            if one["id"] == int(number):
                return kind, one
    return None


def _set_thread(fake: Azure, match: Any, asked: Asked, _: str) -> Reply:
    found = _found(fake, match[2])
    if found is None:
        return 404, _error("The thread does not exist", "CommentThreadNotFoundException")
    found[1]["status"] = asked.body["status"]
    return 200, fake.thread(found[1])


def _change(fake: Azure, match: Any, asked: Asked, login: str) -> Reply:
    found = _found(fake, match[2])
    if found is None or match[3] != "1":
        return 404, _error("The comment does not exist", "CommentNotFoundException")
    if found[1]["login"] != login:
        return 403, _error("Only the author may change a comment", "CommentCannotBeUpdatedException")
    refused = fake.too_long(asked.body["content"])
    if refused:
        return refused
    found[1]["body"] = asked.body["content"]
    return 200, _comment(1, found[1])


def _remove(fake: Azure, match: Any, _: Asked, login: str) -> Reply:
    found = _found(fake, match[2])
    if found is None or match[3] != "1":
        return 404, _error("The comment does not exist", "CommentNotFoundException")
    if found[1]["login"] != login:
        return 403, _error("Only the author may remove a comment", "CommentCannotBeUpdatedException")
    fake.state[found[0]].remove(found[1])
    return 200, None


def _statuses(fake: Azure, match: Any, *_: Any) -> Reply:
    return _listed([one["row"] for one in fake.state["statuses"] if one["of"] == match[1]])


def _add_status(fake: Azure, match: Any, asked: Asked, _: str) -> Reply:
    row = {"id": fake.number(), "targetUrl": None, **asked.body}
    fake.state["statuses"].append({"of": match[1], "row": row})
    return 200, row


_PULL = r"/pullRequests/(\d+)"
_HANDLERS: dict[tuple[str, str], Callable[..., Reply]] = {
    ("GET", r""): _repository,
    ("GET", r"/diffs/commits"): _compare,
    ("GET", r"/pullRequests"): _pulls,
    ("GET", _PULL): _pull,
    ("GET", _PULL + "/iterations"): _iterations,
    ("GET", _PULL + r"/iterations/2/changes"): _changes,
    ("GET", _PULL + "/threads"): _threads,
    ("POST", _PULL + "/threads"): _add_thread,
    ("PATCH", _PULL + r"/threads/(\d+)"): _set_thread,
    ("PATCH", _PULL + r"/threads/(\d+)/comments/(\d+)"): _change,
    ("DELETE", _PULL + r"/threads/(\d+)/comments/(\d+)"): _remove,
    ("GET", _PULL + "/statuses"): _statuses,
    ("POST", _PULL + "/statuses"): _add_status,
    ("GET", r"/commits/(\w+)/statuses"): _statuses,
    ("POST", r"/commits/(\w+)/statuses"): _add_status,
}


if __name__ == "__main__":
    serve(Azure, "python -m tests.fakes.azure")
