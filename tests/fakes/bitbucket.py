"""A Bitbucket Cloud that remembers: pull requests, comments, build statuses and Code Insights over real HTTP, with faults on demand.

Usable in a test (``with Bitbucket() as fake:``) and from a shell (``python -m tests.fakes.bitbucket --port 8080 --state state.json``).
Every request and every answer is held against Bitbucket's description. Asked through its proxy address, it needs no token for
Code Insights, as the proxy beside a step of Pipelines does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.fakes.description import Description
from tests.fakes.github import first_state as github_state
from tests.fakes.server import Asked, Fake, Fault, Reply, serve

__all__ = ["BOT_TOKEN", "OWNER_TOKEN", "READ_TOKEN", "Bitbucket", "Fault"]

OWNER_TOKEN = "ATATTowner0000000000000000"
BOT_TOKEN = "ATCTTbot000000000000000000"
READ_TOKEN = "ATCTTread00000000000000000"
BOT = "app_user"


def first_state() -> dict[str, Any]:
    """The same repository and pull request as in the other fakes; access tokens of repositories belong to app users."""
    tokens = {
        OWNER_TOKEN: {"login": "{mira}", "writes": True},
        BOT_TOKEN: {"login": BOT, "writes": True},
        READ_TOKEN: {"login": BOT, "writes": False},
    }
    return {**github_state(), "tokens": tokens, "reports": {}, "annotations": {}}


@cache
def described() -> Description:
    """One description for all fakes. It calls a data point's value an object, where the guide's own examples have numbers and texts."""
    made = Description("bitbucket.json", "https://api.bitbucket.org")
    if made.spec:
        made.spec["components"]["schemas"]["report_data"]["properties"]["value"] = {}
    return made


class Bitbucket(Fake):
    """The fake; commits are named by their first twelve characters, as Bitbucket does in pull requests."""

    prefix = ""
    description: Description

    def __init__(self, port: int = 0, state_file: Path | None = None):
        super().__init__(first_state(), described(), port, state_file)
        self.limit = 32_768

    @property
    def url(self) -> str:
        return f"{self.origin}/2.0"

    def place(self, asked: Asked) -> str:
        inline = isinstance(asked.body, dict) and "inline" in asked.body
        return super().place(asked) + (" (inline)" if inline else "")

    def answer(self, asked: Asked) -> Reply:
        who = self.state["tokens"].get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        proxied = asked.absolute and "/reports" in asked.path
        if who is None and not proxied:
            return 401, _error("Token is invalid, expired, or not supported for this endpoint.")
        who = who or {"login": BOT, "writes": True}
        path = asked.path.removeprefix("/2.0")
        if path == "/user":
            return self._user(who)
        home = f"/repositories/{self.state['repository']}"
        if not (path == home or path.startswith(home + "/")):
            return 404, _error("Repository not found")
        for (verb, pattern), handle in _HANDLERS.items():
            match = re.fullmatch(pattern, unquote(path.removeprefix(home)))
            if match and verb == asked.method:
                if verb != "GET" and not who["writes"]:
                    return 403, _error("Your credentials lack one or more required privilege scopes.")
                return handle(self, match, asked, who["login"])
        return 404, _error("Resource not found")

    def _user(self, who: dict[str, Any]) -> Reply:
        if who["login"] == BOT:
            return 403, _error("This API is not accessible by this authentication mechanism.")
        return 200, self.user(who["login"])

    def page(self, asked: Asked, answer: Any) -> tuple[Any, dict[str, str]]:
        if not isinstance(answer, list) or asked.method != "GET":
            return answer, {}
        size, number = int(asked.query.get("pagelen", "10")), int(asked.query.get("page", "1"))
        made: dict[str, Any] = {"size": len(answer), "page": number, "pagelen": size}
        if number * size < len(answer):
            made["next"] = f"{self.origin}{asked.path}?pagelen={size}&page={number + 1}"
        return {**made, "values": answer[(number - 1) * size : number * size]}, {}

    # --- objects ------------------------------------------------------------------------------------------------------

    def user(self, login: str) -> dict[str, Any] | None:
        if not login:
            return None
        kind = BOT if login == BOT else "user"
        return {"type": kind, "uuid": "{bot}" if kind == BOT else login, "display_name": login}

    def comment(self, one: dict[str, Any]) -> dict[str, Any]:
        made = {
            "type": "pullrequest_comment",
            "id": one["id"],
            "content": {"raw": one["body"], "markup": "markdown", "html": ""},
            "deleted": one.get("deleted", False),
        }
        user = self.user(one["login"])
        if user is not None:
            made["user"] = user
        if "path" in one:
            made["inline"] = {"path": one["path"], "to": one["line"]}
        if one.get("in_reply_to_id"):
            made["parent"] = {"id": one["in_reply_to_id"]}
        return made

    def pull(self, number: str) -> dict[str, Any]:
        pull = self.state["pulls"][number]
        state = {"open": "OPEN", "closed": "DECLINED"}[pull["state"]]
        made = {"type": "pullrequest", "id": int(number), "title": "Add a migration", "state": state}
        for side, name in (("head", "source"), ("base", "destination")):
            end: dict[str, Any] = {
                "branch": {"name": pull[side]["ref"]},
                "commit": {"hash": pull[side]["sha"][:12]},
            }
            if pull[side]["repo"]:
                end["repository"] = {"type": "repository", "full_name": pull[side]["repo"]}
            made[name] = end
        return made

    def too_long(self, body: Any) -> Reply | None:
        raw = body["content"]["raw"]
        if len(raw) <= self.limit:
            return None
        said = f"Ensure this value has at most {self.limit} characters (it has {len(raw)})."
        return 400, {"type": "error", "error": {"message": "Bad request", "fields": {"content": {"raw": [said]}}}}


def _error(message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"message": message}}


def _repository(fake: Bitbucket, *_: Any) -> Reply:
    branch = {"type": "branch", "name": fake.state["default_branch"]}
    return 200, {"type": "repository", "full_name": fake.state["repository"], "mainbranch": branch}


def _merge_base(fake: Bitbucket, *_: Any) -> Reply:
    sha = fake.state["merge_base"]
    return (200, {"type": "commit", "hash": sha}) if sha else (404, _error("No common ancestor found"))


def _pulls(fake: Bitbucket, _: Any, asked: Asked, *__: Any) -> Reply:
    wanted = asked.query.get("state", "OPEN")
    return 200, [one for one in map(fake.pull, fake.state["pulls"]) if one["state"] == wanted]


def _pull(fake: Bitbucket, match: Any, *_: Any) -> Reply:
    known = match[1] in fake.state["pulls"]
    return (200, fake.pull(match[1])) if known else (404, _error("Pull request not found"))


def _of_commit(fake: Bitbucket, match: Any, *_: Any) -> Reply:
    """Bitbucket does not know the commits of forks here."""
    home = fake.state["repository"]
    pulls = fake.state["pulls"].items()
    return 200, [fake.pull(n) for n, p in pulls if p["head"]["sha"] == match[1] and p["head"]["repo"] == home]


def _diffstat(fake: Bitbucket, match: Any, *_: Any) -> Reply:
    head = match[1].partition("..")[0]
    pull = next(p for p in fake.state["pulls"].values() if p["head"]["sha"].startswith(head))
    return 200, [
        {"type": "diffstat", "status": each["status"], "new": {"type": "commit_file", "path": each["filename"]}}
        for each in pull["files"]
    ]


def _comments(fake: Bitbucket, match: Any, *_: Any) -> Reply:
    every = sorted((*fake.state["comments"], *fake.state["notes"]), key=lambda one: one["id"])
    return 200, [fake.comment(one) for one in every if one["pull"] == match[1]]


def _add_comment(fake: Bitbucket, match: Any, asked: Asked, login: str) -> Reply:
    if match[1] not in fake.state["pulls"]:
        return 404, _error("Pull request not found")
    refused = fake.too_long(asked.body)
    if refused:
        return refused
    one = {"id": fake.number(), "pull": match[1], "login": login, "body": asked.body["content"]["raw"]}
    inline = asked.body.get("inline")
    if inline:
        # with "from" beside it Bitbucket drops "to"
        fake.state["notes"].append({**one, "path": inline["path"], "line": None if "from" in inline else inline["to"]})
    else:
        fake.state["comments"].append(one)
    return 201, fake.comment(fake.state["notes" if inline else "comments"][-1])


def _found(fake: Bitbucket, number: str) -> tuple[str, dict[str, Any]] | None:
    for kind in ("comments", "notes"):
        for one in fake.state[kind]:
            if one["id"] == int(number):
                return kind, one
    return None


def _change(fake: Bitbucket, match: Any, asked: Asked, login: str) -> Reply:
    found = _found(fake, match[2])
    if found is None:
        return 404, _error("Comment not found")
    if found[1]["login"] != login:
        return 403, _error("Only the author may change a comment.")
    refused = fake.too_long(asked.body)
    if refused:
        return refused
    found[1]["body"] = asked.body["content"]["raw"]
    return 200, fake.comment(found[1])


def _remove(fake: Bitbucket, match: Any, _: Asked, login: str) -> Reply:
    found = _found(fake, match[2])
    if found is None:
        return 404, _error("Comment not found")
    if found[1]["login"] != login:
        return 403, _error("Only the author may remove a comment.")
    fake.state[found[0]].remove(found[1])
    return 204, None


def _resolve(fake: Bitbucket, match: Any, _: Asked, login: str) -> Reply:
    found = _found(fake, match[2])
    if found is None:
        return 404, _error("Comment not found")
    found[1]["resolved"] = True
    return 200, {"type": "comment_resolution", "user": fake.user(login)}


def _statuses(fake: Bitbucket, match: Any, *_: Any) -> Reply:
    """The newest of each key: Bitbucket keeps one."""
    newest = {one["key"]: one for one in fake.state["statuses"] if one["sha"] == match[1]}
    return 200, [_status(one) for one in newest.values()]


def _add_status(fake: Bitbucket, match: Any, asked: Asked, _: str) -> Reply:
    if len(asked.body["key"]) > 40 or not asked.body.get("url"):
        return 400, _error("key: at most 40 characters; url: required")
    fake.state["statuses"].append({**asked.body, "sha": match[1]})
    return 201, _status(fake.state["statuses"][-1])


def _status(one: dict[str, Any]) -> dict[str, Any]:
    return {"type": "build", **{name: value for name, value in one.items() if name != "sha"}}


def _insight(message: str) -> dict[str, Any]:
    return {"key": "validation.invalid", "message": message, "arguments": {}}


def _put_report(fake: Bitbucket, match: Any, asked: Asked, _: str) -> Reply:
    if not asked.body.get("details") or not asked.body.get("title") or len(asked.body.get("data", [])) > 10:
        return 400, _insight("title and details are required; data holds at most 10")
    fake.state["reports"][f"{match[1]}/{match[2]}"] = asked.body
    fake.state["annotations"].setdefault(f"{match[1]}/{match[2]}", {})
    return 200, {"type": "report", **asked.body}


def _remove_report(fake: Bitbucket, match: Any, *_: Any) -> Reply:
    """The annotations go with their report."""
    for kind in ("reports", "annotations"):
        fake.state[kind].pop(f"{match[1]}/{match[2]}", None)
    return 204, None


def _add_annotations(fake: Bitbucket, match: Any, asked: Asked, _: str) -> Reply:
    there = fake.state["annotations"].get(f"{match[1]}/{match[2]}")
    if there is None:
        return 404, _insight("no report")
    wrong = any(not 0 < len(each.get("summary", "")) <= 450 for each in asked.body)
    if len(asked.body) > 100 or len({*there, *(each["external_id"] for each in asked.body)}) > 1000 or wrong:
        return 400, _insight("100 a request, 1000 a report, summaries of 1 to 450 characters")
    there.update({each["external_id"]: each for each in asked.body})
    return 200, [{"type": "report_annotation", **each} for each in asked.body]


_HANDLERS: dict[tuple[str, str], Callable[..., Reply]] = {
    ("GET", r""): _repository,
    ("GET", r"/merge-base/(.+)"): _merge_base,
    ("GET", r"/pullrequests"): _pulls,
    ("GET", r"/pullrequests/(\d+)"): _pull,
    ("GET", r"/commit/(\w+)/pullrequests"): _of_commit,
    ("GET", r"/diffstat/(.+)"): _diffstat,
    ("GET", r"/pullrequests/(\d+)/comments"): _comments,
    ("POST", r"/pullrequests/(\d+)/comments"): _add_comment,
    ("PUT", r"/pullrequests/(\d+)/comments/(\d+)"): _change,
    ("DELETE", r"/pullrequests/(\d+)/comments/(\d+)"): _remove,
    ("POST", r"/pullrequests/(\d+)/comments/(\d+)/resolve"): _resolve,
    ("GET", r"/commit/(\w+)/statuses"): _statuses,
    ("POST", r"/commit/(\w+)/statuses/build"): _add_status,
    ("PUT", r"/commit/(\w+)/reports/([\w-]+)"): _put_report,
    ("DELETE", r"/commit/(\w+)/reports/([\w-]+)"): _remove_report,
    ("POST", r"/commit/(\w+)/reports/([\w-]+)/annotations"): _add_annotations,
}


if __name__ == "__main__":
    serve(Bitbucket, "python -m tests.fakes.bitbucket")
