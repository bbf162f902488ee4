"""A GitHub that remembers: users, pull requests, comments, reviews and statuses over real HTTP, with faults on demand.

In a test: ``with GitHub() as fake:``. From a shell: ``python -m tests.fakes.github --port 8080 --state state.json`` reads the state
file if it is there and writes it after each change. Every request and every response is checked against GitHub's description.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ci_runner.scm.diff import hunks
from tests.fakes.description import Description
from tests.fakes.server import Asked, Fake, Fault, Reply, serve

__all__ = ["BOT_TOKEN", "OWNER_TOKEN", "READ_TOKEN", "Fault", "GitHub", "first_state"]

OWNER_TOKEN = "ghp_owner0000000000000000000000000000"
BOT_TOKEN = "ghs_bot000000000000000000000000000000"
READ_TOKEN = "ghs_read00000000000000000000000000000"

WRITE = {"pull_requests": "write", "statuses": "write", "contents": "read", "security_events": "write"}
READ = {"pull_requests": "read", "statuses": "read", "contents": "read"}


def first_state() -> dict[str, Any]:
    """One repository with one open pull request that adds a migration and edits another."""
    return {
        "tokens": {
            OWNER_TOKEN: {"login": "mira", "permissions": WRITE},
            BOT_TOKEN: {"login": "github-actions[bot]", "permissions": WRITE},
            READ_TOKEN: {"login": "github-actions[bot]", "permissions": READ},
        },
        "repository": "acme/shop",
        "default_branch": "main",
        "merge_base": "b" * 40,
        "pulls": {
            "7": {
                "head": {"ref": "risky", "sha": "a" * 40, "repo": "acme/shop"},
                "base": {"ref": "main", "sha": "b" * 40, "repo": "acme/shop"},
                "state": "open",
                "files": [
                    {"filename": "migrations/3_add.sql", "status": "added", "patch": "@@ -0,0 +1,9 @@\n" + "+x\n" * 9},
                    {
                        "filename": "migrations/1_old.sql",
                        "status": "modified",
                        "patch": "@@ -10,3 +10,4 @@ x\n a\n+b\n c\n d",
                    },
                ],
            }
        },
        "comments": [],
        "notes": [],
        "statuses": [],
        "next": 1,
    }


@cache
def described() -> Description:
    """One description for all fakes: reading it takes a second."""
    return Description("github.json", "https://api.github.com")


class GitHub(Fake):
    """The fake; ``prefix`` is ``/api/v3`` for GitHub Enterprise."""

    description: Description

    def __init__(self, port: int = 0, state_file: Path | None = None, prefix: str = ""):
        super().__init__(first_state(), described(), port, state_file)
        self.prefix = prefix
        self.too_long_as_text = False
        self.limit = 65_536

    # --- objects ------------------------------------------------------------------------------------------------------

    def user(self, login: str) -> dict[str, Any]:
        kind = "Bot" if login.endswith("[bot]") else "User"
        return self.description.sample("simple-user", login=login, id=sum(login.encode()), type=kind)

    def comment(self, one: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.url}/repos/{self.state['repository']}/issues/comments/{one['id']}"
        author = self.user(one["login"]) if one["login"] else None
        return self.description.sample("issue-comment", id=one["id"], body=one["body"], url=url, user=author)

    def note(self, one: dict[str, Any]) -> dict[str, Any]:
        made = self.description.sample(
            "pull-request-review-comment",
            id=one["id"],
            body=one["body"],
            user=self.user(one["login"]),
            path=one["path"],
            line=one["line"],
            start_line=one.get("start_line"),
            url=f"{self.url}/repos/{self.state['repository']}/pulls/comments/{one['id']}",
        )
        if one.get("in_reply_to_id"):
            made["in_reply_to_id"] = one["in_reply_to_id"]
        return made

    def pull(self, number: str, schema: str) -> dict[str, Any]:
        pull = self.state["pulls"][number]
        made = self.description.sample(
            schema,
            number=int(number),
            state=pull["state"],
            url=f"{self.url}/repos/{self.state['repository']}/pulls/{number}",
            user=self.user("mira"),
        )
        for side in ("head", "base"):
            name = pull[side]["repo"]
            repo = self.description.sample("repository", full_name=name, owner=self.user("acme")) if name else None
            made[side] = {
                **(made.get(side) or {}),
                "ref": pull[side]["ref"],
                "sha": pull[side]["sha"],
                "repo": repo,
                "user": self.user("acme"),
            }
        return made

    def status(self, one: dict[str, Any]) -> dict[str, Any]:
        return self.description.sample(
            "status", **{key: value for key, value in one.items() if key not in {"sha", "login"}}
        )

    # --- operations ---------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Reply:
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        who = self.state["tokens"].get(token if kind.lower() in {"token", "bearer"} else "")
        if who is None:
            return 401, _error("Bad credentials" if token else "Requires authentication")
        if asked.path == "/user":
            return self._user(who)
        if asked.path.endswith("/graphql"):
            return 200, {"data": {"viewer": {"login": who["login"]}}}
        home = f"/repos/{self.state['repository']}"
        if not (asked.path == home or asked.path.startswith(home + "/")):
            return 404, _error("Not Found")
        for verb, pattern, (name, needed), handle in _ROUTES:
            match = re.fullmatch(pattern, asked.path.removeprefix(home))
            if match and verb == asked.method:
                if needed == "write" and who["permissions"].get(name) != "write":
                    return 403, _error("Resource not accessible by integration")
                return handle(self, match, asked.query, asked.body, who["login"])
        return 404, _error("Not Found")

    def described(self, asked: Asked) -> bool:
        return not asked.path.endswith("/graphql")

    def deviates(self, status: int, answer: Any) -> bool:
        """Errors of a 422 may be plain text, and the head repository of a list's pull requests null once it is deleted."""
        if status == 422:
            return self.too_long_as_text
        pulls = answer if isinstance(answer, list) else []
        return any(isinstance(each.get("head"), dict) and each["head"]["repo"] is None for each in pulls)

    def headers(self, asked: Asked, status: int, answer: Any) -> dict[str, str]:
        if status != 403:
            return {}
        own = {"/statuses": "statuses=write", "/code-scanning": "security_events=write"}
        found = (accepted for part, accepted in own.items() if part in asked.path)
        return {"X-Accepted-GitHub-Permissions": next(found, "issues=write; pull_requests=write")}

    def page(self, asked: Asked, answer: Any) -> tuple[Any, dict[str, str]]:
        if not isinstance(answer, list):
            return answer, {}
        size, number = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        last = max(1, -(-len(answer) // size))
        address = f"{self.url}{asked.path}?per_page={size}&page="
        link = {"Link": f'<{address}{number + 1}>; rel="next", <{address}{last}>; rel="last"'} if number < last else {}
        return answer[(number - 1) * size : number * size], link

    def _user(self, who: dict[str, Any]) -> Reply:
        if who["login"].endswith("[bot]"):
            return 403, _error("Resource not accessible by integration")
        return 200, self.description.sample("public-user", login=who["login"], type="User", user_view_type="public")

    def too_long(self, body: Any) -> Reply | None:
        text = str((body or {}).get("body", ""))
        if len(text) <= self.limit:
            return None
        message = f"body is too long (maximum is {self.limit} characters)"
        if self.too_long_as_text:
            return 422, {**_error("Validation Failed"), "errors": [message]}
        error = {"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": message.capitalize()}
        return 422, {**_error("Validation Failed"), "errors": [error]}


def _error(message: str) -> dict[str, Any]:
    return {"message": message, "documentation_url": "https://docs.github.com/rest"}


def _repository(fake: GitHub, *_: Any) -> Reply:
    branch = fake.state["default_branch"]
    return 200, fake.description.sample("full-repository", full_name=fake.state["repository"], default_branch=branch)


def _compare(fake: GitHub, *_: Any) -> Reply:
    if not fake.state["merge_base"]:
        return 404, _error("No common ancestor between the two commits.")
    base = fake.description.sample("commit", sha=fake.state["merge_base"])
    return 200, fake.description.sample("commit-comparison", merge_base_commit=base, base_commit=base)


def _comments(fake: GitHub, match: re.Match[str], *_: Any) -> Reply:
    return 200, [fake.comment(one) for one in fake.state["comments"] if one["pull"] == match[1]]


def _add_comment(fake: GitHub, match: re.Match[str], _: Any, body: Any, login: str) -> Reply:
    if match[1] not in fake.state["pulls"]:
        return 404, _error("Not Found")
    refused = fake.too_long(body)
    if refused:
        return refused
    one = {"id": fake.number(), "pull": match[1], "login": login, "body": body["body"]}
    fake.state["comments"].append(one)
    return 201, fake.comment(one)


def _one(kind: str, show: Callable[[GitHub, Any], Any]) -> Callable[..., Reply]:
    def one(fake: GitHub, match: re.Match[str], *_: Any) -> Reply:
        found = next((each for each in fake.state[kind] if each["id"] == int(match[1])), None)
        return (200, show(fake, found)) if found else (404, _error("Not Found"))

    return one


def _change(kind: str, show: Callable[[GitHub, Any], Any]) -> Callable[..., Reply]:
    def change(fake: GitHub, match: re.Match[str], _: Any, body: Any, login: str) -> Reply:
        one = next((each for each in fake.state[kind] if each["id"] == int(match[1])), None)
        if one is None:
            return 404, _error("Not Found")
        if one["login"] != login:
            return 403, _error("Resource not accessible by integration")
        refused = fake.too_long(body)
        if refused:
            return refused
        one["body"] = body["body"]
        return 200, show(fake, one)

    return change


def _remove(kind: str) -> Callable[..., Reply]:
    def remove(fake: GitHub, match: re.Match[str], _: Any, __: Any, login: str) -> Reply:
        one = next((each for each in fake.state[kind] if each["id"] == int(match[1])), None)
        if one is None:
            return 404, _error("Not Found")
        if one["login"] != login:
            return 403, _error("Resource not accessible by integration")
        fake.state[kind].remove(one)
        return 204, None

    return remove


def _pulls(fake: GitHub, _: Any, query: dict[str, str], *__: Any) -> Reply:
    wanted = query.get("state", "open")
    numbers = [number for number, pull in fake.state["pulls"].items() if wanted in {"all", pull["state"]}]
    return 200, [fake.pull(number, "pull-request-simple") for number in numbers]


def _pull(fake: GitHub, match: re.Match[str], *_: Any) -> Reply:
    if match[1] not in fake.state["pulls"]:
        return 404, _error("Not Found")
    return 200, fake.pull(match[1], "pull-request")


def _of_commit(fake: GitHub, match: re.Match[str], *_: Any) -> Reply:
    """GitHub does not know the commits of forks here."""
    home = fake.state["repository"]
    found = [
        n for n, pull in fake.state["pulls"].items() if pull["head"]["sha"] == match[1] and pull["head"]["repo"] == home
    ]
    return 200, [fake.pull(number, "pull-request-simple") for number in found]


def _files(fake: GitHub, match: re.Match[str], *_: Any) -> Reply:
    return 200, [fake.description.sample("diff-entry", **each) for each in fake.state["pulls"][match[1]]["files"]]


def _notes(fake: GitHub, match: re.Match[str], *_: Any) -> Reply:
    return 200, [fake.note(one) for one in fake.state["notes"] if one["pull"] == match[1]]


def _review(fake: GitHub, match: re.Match[str], _: Any, body: Any, login: str) -> Reply:
    pull = fake.state["pulls"][match[1]]
    shown = {each["filename"]: hunks(each.get("patch", "")) for each in pull["files"]}
    for each in body["comments"]:
        lines = {each["line"], each.get("start_line", each["line"])}
        outside = not any(lines <= set(hunk) for hunk in shown.get(each["path"], ()))
        refused = fake.state.get("refuse_ranges") and ("start_line" in each or "```suggestion" in each["body"])
        if outside or refused or body.get("commit_id") != pull["head"]["sha"]:
            message = "Pull request review thread line must be part of the diff"
            return 422, {**_error("Unprocessable Entity"), "errors": [message]}
    for each in body["comments"]:
        one = {"id": fake.number(), "pull": match[1], "login": login, "body": each["body"], "path": each["path"]}
        fake.state["notes"].append({**one, "line": each["line"], "start_line": each.get("start_line")})
    return 200, fake.description.sample("pull-request-review", id=fake.number(), user=fake.user(login), body="")


def _statuses(fake: GitHub, match: re.Match[str], *_: Any) -> Reply:
    return 200, [fake.status(one) for one in reversed(fake.state["statuses"]) if one["sha"] == match[1]]


def _add_status(fake: GitHub, match: re.Match[str], _: Any, body: Any, login: str) -> Reply:
    if len(body.get("description") or "") > 140:
        return 422, {
            **_error("Validation Failed"),
            "errors": [{"message": "description is too long (maximum is 140 characters)"}],
        }
    one = {"id": fake.number(), "sha": match[1], "login": login, "target_url": None, "description": None, **body}
    fake.state["statuses"].append(one)
    return 201, fake.status(one)


def _scan(fake: GitHub, _: Any, __: Any, body: Any, login: str) -> Reply:
    sarif = json.loads(gzip.decompress(base64.b64decode(body["sarif"])))
    one = {"sha": body["commit_sha"], "ref": body["ref"], "login": login, "rules": []}
    one["rules"] = [result["ruleId"] for each in sarif["runs"] for result in each["results"]]
    fake.state.setdefault("scans", []).append(one)
    return 202, fake.description.sample("code-scanning-sarifs-receipt")


_PULLS, _CONTENT, _STATUS = "pull_requests", ("contents", "read"), "statuses"
_ROUTES: list[tuple[str, str, tuple[str, str], Callable[..., Reply]]] = [
    ("GET", r"", _CONTENT, _repository),
    ("GET", r"/compare/.+", _CONTENT, _compare),
    ("GET", r"/issues/(\d+)/comments", (_PULLS, "read"), _comments),
    ("POST", r"/issues/(\d+)/comments", (_PULLS, "write"), _add_comment),
    ("GET", r"/issues/comments/(\d+)", (_PULLS, "read"), _one("comments", GitHub.comment)),
    ("PATCH", r"/issues/comments/(\d+)", (_PULLS, "write"), _change("comments", GitHub.comment)),
    ("DELETE", r"/issues/comments/(\d+)", (_PULLS, "write"), _remove("comments")),
    ("GET", r"/pulls", (_PULLS, "read"), _pulls),
    ("GET", r"/pulls/(\d+)", (_PULLS, "read"), _pull),
    ("GET", r"/pulls/(\d+)/files", (_PULLS, "read"), _files),
    ("GET", r"/pulls/(\d+)/comments", (_PULLS, "read"), _notes),
    ("POST", r"/pulls/(\d+)/reviews", (_PULLS, "write"), _review),
    ("GET", r"/pulls/comments/(\d+)", (_PULLS, "read"), _one("notes", GitHub.note)),
    ("PATCH", r"/pulls/comments/(\d+)", (_PULLS, "write"), _change("notes", GitHub.note)),
    ("DELETE", r"/pulls/comments/(\d+)", (_PULLS, "write"), _remove("notes")),
    ("GET", r"/commits/(\w+)/pulls", (_PULLS, "read"), _of_commit),
    ("GET", r"/commits/(\w+)/statuses", (_STATUS, "read"), _statuses),
    ("POST", r"/statuses/(\w+)", (_STATUS, "write"), _add_status),
    ("POST", r"/code-scanning/sarifs", ("security_events", "write"), _scan),
]


if __name__ == "__main__":
    serve(GitHub, "python -m tests.fakes.github")
