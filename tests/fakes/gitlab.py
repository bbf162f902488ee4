"""A GitLab that remembers: merge requests, notes, discussions and statuses over real HTTP, with faults on demand.

Usable in a test (``with GitLab() as fake:``) and from a shell (``python -m tests.fakes.gitlab --port 8080 --state state.json``).
Every request and every answer is held against schemas written after GitLab's reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ci_runner.scm.diff import hunks, old_lines
from tests.fakes.github import first_state as github_state
from tests.fakes.gitlab_schema import OPERATIONS, problem
from tests.fakes.server import Asked, Fake, Fault, Reply, serve

__all__ = ["BOT_TOKEN", "OWNER_TOKEN", "READ_TOKEN", "Fault", "GitLab"]

OWNER_TOKEN = "glpat-owner000000000000000"
BOT_TOKEN = "glpat-bot00000000000000000"
READ_TOKEN = "glpat-read0000000000000000"
WHEN = "2026-01-05T09:00:00.000Z"


def first_state() -> dict[str, Any]:
    """The same project and merge request as in the other fakes, with tokens of GitLab's kind."""
    tokens = {
        OWNER_TOKEN: {"login": "mira", "writes": True},
        BOT_TOKEN: {"login": "project_1_bot_c0ffee", "writes": True},
        READ_TOKEN: {"login": "project_1_bot_decaf0", "writes": False},
    }
    return {**github_state(), "tokens": tokens, "repository": "acme/db/shop"}


class GitLab(Fake):
    """The fake; ids of threads are ``d`` and the id of their first note."""

    prefix = "/api/v4"

    def __init__(self, port: int = 0, state_file: Path | None = None):
        super().__init__(first_state(), None, port, state_file)
        self.limit = 1_000_000

    def answer(self, asked: Asked) -> Reply:
        who = self.state["tokens"].get(asked.headers.get("private-token", ""))
        if who is None:
            return 401, {"message": "401 Unauthorized"}
        if asked.path == "/user":
            return 200, self.user(who["login"])
        home = f"/projects/{quote(self.state['repository'], safe='')}"
        if not (asked.path == home or asked.path.startswith(home + "/")):
            return 404, {"message": "404 Project Not Found"}
        rest = asked.path.removeprefix(home)
        for (verb, pattern), handle in _HANDLERS.items():
            match = re.fullmatch(pattern, rest)
            if match and verb == asked.method:
                return self.handled(verb, pattern, handle, match, asked, who)
        return 404, {"error": "404 Not Found"}

    def handled(
        self, verb: str, pattern: str, handle: Callable[..., Reply], match: Any, asked: Asked, who: dict[str, Any]
    ) -> Reply:
        wanted, given = OPERATIONS[verb, re.sub(r"[()]", "", pattern)]
        wrong = problem(wanted, asked.body)
        if wrong:
            self.violations.append(f"request {verb} {asked.path}: {wrong}")
        if verb != "GET" and not who["writes"]:
            return 403, {"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token.", "scope": "api"}  # fmt: skip  # noqa: E501
        if verb in {"POST", "PUT"} and len((asked.body or {}).get("body") or "") > self.limit:
            return 400, {"message": {"note": [f"is too long (maximum is {self.limit} characters)"]}}
        status, answer = handle(self, match, asked, who["login"])
        wrong = problem(given, answer[:100] if isinstance(answer, list) else answer) if status < 400 else None
        if wrong:
            self.violations.append(f"answer {verb} {asked.path}: {wrong}")
        return status, answer

    def page(self, asked: Asked, answer: Any) -> tuple[Any, dict[str, str]]:
        if not isinstance(answer, list):
            return answer, {}
        size, number = int(asked.query.get("per_page", "20")), int(asked.query.get("page", "1"))
        last = max(1, -(-len(answer) // size))
        address = f"{self.url}{asked.path}?per_page={size}&page="
        headers = {
            "X-Page": str(number),
            "X-Per-Page": str(size),
            "X-Total-Pages": str(last),
            "X-Total": str(len(answer)),
        }
        headers["X-Next-Page"] = str(number + 1) if number < last else ""
        if number < last:
            headers["Link"] = f'<{address}{number + 1}>; rel="next", <{address}{last}>; rel="last"'
        return answer[(number - 1) * size : number * size], headers

    # --- objects ------------------------------------------------------------------------------------------------------

    def user(self, login: str) -> dict[str, Any]:
        return {
            "id": sum(login.encode()),
            "username": login,
            "name": login,
            "state": "active",
            "avatar_url": None,
            "web_url": f"{self.origin}/{login}",
        }

    def note(self, one: dict[str, Any], kind: str | None = None) -> dict[str, Any]:
        made = {
            "id": one["id"],
            "type": kind,
            "body": one["body"],
            "author": self.user(one["login"]),
            "created_at": WHEN,
            "updated_at": WHEN,
            "system": one.get("system", False),
            "noteable_id": 1,
            "noteable_type": "MergeRequest",
            "noteable_iid": int(one["pull"]),
            "resolvable": kind is not None,
        }
        return (
            {**made, "position": one["position"], "resolved": one.get("resolved", False)}
            if kind == "DiffNote"
            else made
        )

    def thread(self, first: dict[str, Any]) -> dict[str, Any]:
        answers = [each for each in self.state["notes"] if each.get("in_reply_to_id") == first["id"]]
        return {
            "id": f"d{first['id']}",
            "individual_note": False,
            "notes": [self.note(each, "DiffNote") for each in (first, *answers)],
        }

    def merge_request(self, number: str, *, whole: bool = False) -> dict[str, Any]:
        pull = self.state["pulls"][number]
        home, source = pull["base"]["repo"], pull["head"]["repo"]
        made = {
            "id": 9000 + int(number),
            "iid": int(number),
            "project_id": 1,
            "title": "Add a migration",
            "author": self.user("mira"),
            "state": {"open": "opened"}.get(pull["state"], pull["state"]),
            "sha": pull["head"]["sha"],
            "target_project_id": 1,
            "source_branch": pull["head"]["ref"],
            "target_branch": pull["base"]["ref"],
            "source_project_id": None if source is None else 1 if source == home else 2,
        }
        return {**made, "diff_refs": self.refs(pull)} if whole else made

    def refs(self, pull: dict[str, Any]) -> dict[str, str]:
        return {"base_sha": self.state["merge_base"], "head_sha": pull["head"]["sha"], "start_sha": pull["base"]["sha"]}

    def status(self, one: dict[str, Any]) -> dict[str, Any]:
        user = self.user(one["login"])
        return {"id": one["id"], "sha": one["sha"], "ref": "risky", "status": one["state"], "name": one["context"], "description": one["description"], "target_url": None, "author": user}  # fmt: skip  # noqa: E501


def _project(fake: GitLab, *_: Any) -> Reply:
    return 200, {
        "id": 1,
        "path_with_namespace": fake.state["repository"],
        "default_branch": fake.state["default_branch"],
    }


def _merge_base(fake: GitLab, *_: Any) -> Reply:
    sha = fake.state["merge_base"]
    return (
        (200, {"id": sha, "short_id": sha[:8], "title": "x", "parent_ids": []})
        if sha
        else (404, {"message": "404 Merge Base Not Found"})
    )


def _of_commit(fake: GitLab, match: Any, *_: Any) -> Reply:
    home = fake.state["pulls"]["7"]["base"]["repo"]
    found = [n for n, p in fake.state["pulls"].items() if p["head"]["sha"] == match[1] and p["head"]["repo"] == home]
    return (
        (200, [fake.merge_request(number) for number in found]) if found else (404, {"message": "404 Commit Not Found"})
    )


def _merge_requests(fake: GitLab, _: Any, asked: Asked, *__: Any) -> Reply:
    wanted = {"opened": "open"}.get(asked.query.get("state", ""), "")
    return 200, [
        fake.merge_request(n) for n, pull in fake.state["pulls"].items() if not wanted or pull["state"] == wanted
    ]


def _merge_request(fake: GitLab, match: Any, *_: Any) -> Reply:
    known = match[1] in fake.state["pulls"]
    return (200, fake.merge_request(match[1], whole=True)) if known else (404, {"message": "404 Not found"})


def _diffs(fake: GitLab, match: Any, *_: Any) -> Reply:
    files = fake.state["pulls"][match[1]]["files"]
    modes = {"a_mode": "100644", "b_mode": "100644", "renamed_file": False, "deleted_file": False}
    return 200, [
        {
            **modes,
            "old_path": f["filename"],
            "new_path": f["filename"],
            "diff": f.get("patch", ""),
            "new_file": f["status"] == "added",
        }
        for f in files
    ]


def _notes(fake: GitLab, match: Any, *_: Any) -> Reply:
    """GitLab lists line notes and its own remarks among the comments."""
    plain = [fake.note(one) for one in fake.state["comments"] if one["pull"] == match[1]]
    lines = [fake.note(one, "DiffNote") for one in fake.state["notes"] if one["pull"] == match[1]]
    remark = fake.note({"id": 1, "pull": match[1], "login": "mira", "body": "added 1 commit", "system": True})
    return 200, [*plain[:2], remark, *plain[2:], *lines] if fake.state.get("remarks", False) else [*plain, *lines]


def _add_note(fake: GitLab, match: Any, asked: Asked, login: str) -> Reply:
    if match[1] not in fake.state["pulls"]:
        return 404, {"message": "404 Not found"}
    one = {"id": fake.number(), "pull": match[1], "login": login, "body": asked.body["body"]}
    fake.state["comments"].append(one)
    return 201, fake.note(one)


def _all(fake: GitLab, number: str) -> tuple[str, dict[str, Any]] | None:
    for kind in ("comments", "notes"):
        for one in fake.state[kind]:
            if one["id"] == int(number):
                return kind, one
    return None


def _change(fake: GitLab, match: Any, asked: Asked, login: str) -> Reply:
    found = _all(fake, match[match.lastindex])
    if found is None:
        return 404, {"message": "404 Note Not Found"}
    if found[1]["login"] != login:
        return 403, {"message": "403 Forbidden"}
    found[1]["body"] = asked.body["body"]
    return 200, fake.note(found[1], "DiffNote" if found[0] == "notes" else None)


def _remove(fake: GitLab, match: Any, _: Asked, login: str) -> Reply:
    found = _all(fake, match[2])
    if found is None:
        return 404, {"message": "404 Note Not Found"}
    if found[1]["login"] != login:
        return 403, {"message": "403 Forbidden"}
    fake.state[found[0]].remove(found[1])
    return 204, None


def _threads(fake: GitLab, match: Any, *_: Any) -> Reply:
    single = [
        {"id": f"c{one['id']}", "individual_note": True, "notes": [fake.note(one)]}
        for one in fake.state["comments"]
        if one["pull"] == match[1]
    ]
    firsts = (one for one in fake.state["notes"] if one["pull"] == match[1] and not one.get("in_reply_to_id"))
    return 200, [*single, *(fake.thread(one) for one in firsts)]


def _add_thread(fake: GitLab, match: Any, asked: Asked, login: str) -> Reply:
    pull, position = fake.state["pulls"][match[1]], asked.body["position"]
    patch = next((f.get("patch", "") for f in pull["files"] if f["filename"] == position["new_path"]), "")
    line = position["new_line"]
    shown = any(line in hunk for hunk in hunks(patch)) and old_lines(patch).get(line) == position.get("old_line")
    if not shown or {name: position[name] for name in ("base_sha", "start_sha", "head_sha")} != fake.refs(pull):
        return 400, {"message": '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'}
    one = {
        "id": fake.number(),
        "pull": match[1],
        "login": login,
        "body": asked.body["body"],
        "path": position["new_path"],
        "line": line,
    }
    fake.state["notes"].append({**one, "position": position})
    return 201, fake.thread(fake.state["notes"][-1])


def _resolve(fake: GitLab, match: Any, asked: Asked, _: str) -> Reply:
    first = next((one for one in fake.state["notes"] if f"d{one['id']}" == match[2]), None)
    if first is None:
        return 404, {"message": "404 Discussion Not Found"}
    first["resolved"] = asked.body["resolved"]
    return 200, fake.thread(first)


def _statuses(fake: GitLab, match: Any, asked: Asked, *_: Any) -> Reply:
    """The newest of each name."""
    name = asked.query.get("name")
    newest = {
        one["context"]: one
        for one in fake.state["statuses"]
        if one["sha"] == match[1] and name in {None, one["context"]}
    }
    return 200, [fake.status(one) for one in newest.values()]


def _add_status(fake: GitLab, match: Any, asked: Asked, login: str) -> Reply:
    body = asked.body
    last = next(
        (one for one in reversed(fake.state["statuses"]) if (one["sha"], one["context"]) == (match[1], body["name"])),
        None,
    )
    if last and last["state"] == body["state"]:
        return 400, {"message": f"Cannot transition status via :{body['state']} from :{body['state']}"}
    one = {"id": fake.number(), "sha": match[1], "login": login, "context": body["name"], "state": body["state"]}
    fake.state["statuses"].append({**one, "description": body.get("description")})
    return 201, fake.status(fake.state["statuses"][-1])


_HANDLERS: dict[tuple[str, str], Callable[..., Reply]] = {
    ("GET", r""): _project,
    ("GET", r"/repository/merge_base"): _merge_base,
    ("GET", r"/repository/commits/(\w+)/merge_requests"): _of_commit,
    ("GET", r"/repository/commits/(\w+)/statuses"): _statuses,
    ("GET", r"/merge_requests"): _merge_requests,
    ("GET", r"/merge_requests/(\d+)"): _merge_request,
    ("GET", r"/merge_requests/(\d+)/diffs"): _diffs,
    ("GET", r"/merge_requests/(\d+)/notes"): _notes,
    ("POST", r"/merge_requests/(\d+)/notes"): _add_note,
    ("PUT", r"/merge_requests/(\d+)/notes/(\d+)"): _change,
    ("DELETE", r"/merge_requests/(\d+)/notes/(\d+)"): _remove,
    ("GET", r"/merge_requests/(\d+)/discussions"): _threads,
    ("POST", r"/merge_requests/(\d+)/discussions"): _add_thread,
    ("PUT", r"/merge_requests/(\d+)/discussions/(\w+)"): _resolve,
    ("PUT", r"/merge_requests/(\d+)/discussions/(\w+)/notes/(\d+)"): _change,
    ("POST", r"/statuses/(\w+)"): _add_status,
}


if __name__ == "__main__":
    serve(GitLab, "python -m tests.fakes.gitlab")
