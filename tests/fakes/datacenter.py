"""A Bitbucket Data Center that remembers: pull requests, comments with versions, builds and Code Insights over real HTTP, with faults on demand.

Usable in a test (``with DataCenter() as fake:``) and from a shell (``python -m tests.fakes.datacenter --port 8080 --state state.json``).
Every request and every answer is held against schemas written after Atlassian's reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from ci_runner.scm.diff import hunks, old_lines
from tests.fakes.datacenter_schema import OPERATIONS
from tests.fakes.github import first_state as github_state
from tests.fakes.gitlab_schema import problem
from tests.fakes.server import Asked, Fake, Fault, Reply, serve

__all__ = ["BOT_TOKEN", "OWNER_TOKEN", "READ_TOKEN", "DataCenter", "Fault"]

OWNER_TOKEN = "BBDC-owner000000000000000"
BOT_TOKEN = "BBDC-bot00000000000000000"
READ_TOKEN = "BBDC-read0000000000000000"
BOT = "shop bot"
LIMIT = 32_768


def first_state() -> dict[str, Any]:
    """The same repository and pull request as in the other fakes; projects have keys in capitals."""
    tokens = {
        OWNER_TOKEN: {"login": "mira", "writes": True},
        BOT_TOKEN: {"login": BOT, "writes": True},
        READ_TOKEN: {"login": BOT, "writes": False},
    }
    made = {**github_state(), "tokens": tokens, "repository": "ACME/shop", "reports": {}, "annotations": {}}
    for side in ("head", "base"):
        made["pulls"]["7"][side]["repo"] = "ACME/shop"
    return made


class DataCenter(Fake):
    """The fake; ``context`` is the path it lives below, as on servers that hold other programs, too."""

    def __init__(self, port: int = 0, state_file: Path | None = None, context: str = ""):
        super().__init__(first_state(), None, port, state_file)
        self.context = context
        self.limit = LIMIT

    @property
    def url(self) -> str:
        return f"{self.origin}{self.context}/rest/api/1.0"

    def place(self, asked: Asked) -> str:
        inline = isinstance(asked.body, dict) and "anchor" in asked.body
        return super().place(asked) + (" (inline)" if inline else "")

    def headers(self, asked: Asked, status: int, answer: Any) -> dict[str, str]:
        """Whoever asked is named in every answer, encoded as in an address."""
        who = self.who(asked)
        return {"X-AUSERNAME": quote(who["login"])} if who else {}

    def who(self, asked: Asked) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.state["tokens"].get(
            asked.headers.get("authorization", "").removeprefix("Bearer ")
        )
        return found

    def answer(self, asked: Asked) -> Reply:
        who = self.who(asked)
        if who is None:
            return 401, _errors("Authentication failed. Please check your credentials and try again.", "IncorrectPasswordAuthenticationException")  # fmt: skip  # noqa: E501
        key, slug = self.state["repository"].split("/")
        home = f"/projects/{key}/repos/{slug}"
        path = re.sub(rf"\A{self.context}/rest/(api|insights)/(1\.0|latest)", "", unquote(asked.path))
        if not (path == home or path.startswith(home + "/")):
            return 404, _errors(f"Repository {path} does not exist.", "NoSuchRepositoryException", "repository")
        for (verb, pattern), handle in _HANDLERS.items():
            match = re.fullmatch(pattern, path.removeprefix(home))
            if match and verb == asked.method:
                return self.handled(verb, re.sub(r"[()]", "", pattern), handle, match, asked, who)
        return 404, {"message": "null for uri: " + asked.path, "status-code": 404}

    def handled(
        self, verb: str, pattern: str, handle: Callable[..., Reply], match: Any, asked: Asked, who: dict[str, Any]
    ) -> Reply:
        wanted, given = OPERATIONS[verb, pattern]
        wrong = problem(wanted, asked.body)
        if wrong:
            self.violations.append(f"request {verb} {asked.path}: {wrong}")
        if verb != "GET" and asked.headers.get("x-atlassian-token") != "no-check":
            self.violations.append(f"request {verb} {asked.path}: taken for one of a foreign page")
        if verb != "GET" and not who["writes"]:
            return 401, _errors("You are not permitted to access this resource", "AuthorisationException")
        if len((asked.body or {}).get("text") or "") >= self.limit:
            return 400, _errors(f"Please enter a non-empty value less than {self.limit} characters", None, "text")
        status, answer = handle(self, match, asked, who["login"])
        answer = self.paged(asked, answer) if verb == "GET" and isinstance(answer, list) else answer
        wrong = problem(given, answer) if status < 400 else None
        if wrong:
            self.violations.append(f"answer {verb} {asked.path}: {wrong}")
        return status, answer

    def paged(self, asked: Asked, rows: list[Any]) -> dict[str, Any]:
        """At most a hundred a page, whatever is asked for."""
        size, start = min(100, int(asked.query.get("limit", "25"))), int(asked.query.get("start", "0"))
        last = start + size >= len(rows)
        values = rows[start : start + size]
        made = {"size": len(values), "limit": size, "isLastPage": last, "values": values, "start": start}
        return {**made, "nextPageStart": None if last else start + size}

    # --- objects ------------------------------------------------------------------------------------------------------

    def user(self, login: str) -> dict[str, Any]:
        slug = login.replace(" ", "-") or "gone"
        name = {"name": login or "gone", "id": sum(login.encode()), "slug": slug, "displayName": login}
        return {**name, "type": "SERVICE" if login == BOT else "NORMAL"}

    def comment(self, one: dict[str, Any]) -> dict[str, Any]:
        answers = [each for each in self.state["notes"] if each.get("in_reply_to_id") == one["id"]]
        return {
            "id": one["id"],
            "version": one.get("version", 0),
            "text": one["body"],
            "author": self.user(one["login"]),
            "createdDate": 1767603600000,
            "updatedDate": 1767603600000,
            "comments": [self.comment(each) for each in answers],
            "severity": "NORMAL",
            "state": "OPEN",
            "threadResolved": one.get("resolved", False),
        }

    def repository(self, name: str | None) -> dict[str, Any]:
        """A fork that was deleted is still named, in the project that keeps its remains."""
        key, slug = (name or "GONE/fork-1").split("/")
        return {"slug": slug, "id": 1, "name": slug, "project": {"key": key}}

    def pull(self, number: str) -> dict[str, Any]:
        pull = self.state["pulls"][number]
        state = {"open": "OPEN", "closed": "DECLINED"}[pull["state"]]
        made = {"id": int(number), "version": 3, "title": "Add a migration", "state": state}
        for side, name in (("head", "fromRef"), ("base", "toRef")):
            ref = pull[side]["ref"]
            where = self.repository(pull[side]["repo"])
            made[name] = {"id": f"refs/heads/{ref}", "displayId": ref, "latestCommit": pull[side]["sha"], "repository": where}  # fmt: skip
        return {**made, "open": state == "OPEN", "closed": state != "OPEN"}


def _errors(message: str, kind: str | None, context: str | None = None) -> dict[str, Any]:
    name = f"com.atlassian.bitbucket.{kind}" if kind else None
    return {"errors": [{"context": context, "message": message, "exceptionName": name}]}


_STALE = 409, _errors("You are attempting to modify a comment based on out-of-date information.", "comment.CommentOutOfDateException")  # fmt: skip
_NO_COMMENT = 404, _errors("The comment does not exist.", "comment.NoSuchCommentException")
_NO_PULL = 404, _errors("Pull request does not exist.", "pull.NoSuchPullRequestException")


def _repository(fake: DataCenter, *_: Any) -> Reply:
    return 200, fake.repository(fake.state["repository"])


def _default(fake: DataCenter, *_: Any) -> Reply:
    name = fake.state["default_branch"]
    return 200, {"id": f"refs/heads/{name}", "displayId": name, "type": "BRANCH"}


def _merge_base(fake: DataCenter, *_: Any) -> Reply:
    sha = fake.state["merge_base"]
    return (200, {"id": sha, "displayId": sha[:11]}) if sha else (204, None)


def _pulls(fake: DataCenter, _: Any, asked: Asked, *__: Any) -> Reply:
    wanted = asked.query.get("state", "OPEN")
    return 200, [one for one in map(fake.pull, fake.state["pulls"]) if one["state"] == wanted]


def _pull(fake: DataCenter, match: Any, *_: Any) -> Reply:
    return (200, fake.pull(match[1])) if match[1] in fake.state["pulls"] else _NO_PULL


def _changes(fake: DataCenter, match: Any, *_: Any) -> Reply:
    kinds = {"added": "ADD", "modified": "MODIFY", "removed": "DELETE"}
    made = []
    for each in fake.state["pulls"][match[1]]["files"]:
        *parents, name = each["filename"].split("/")
        path = {"components": [*parents, name], "parent": "/".join(parents), "name": name, "toString": each["filename"]}
        made.append({"path": path, "type": kinds[each["status"]], "nodeType": "FILE"})
    return 200, made


def _patch(fake: DataCenter, number: str, path: str) -> str:
    files = fake.state["pulls"][number]["files"]
    return next((str(each.get("patch", "")) for each in files if each["filename"] == path), "")


def _diff(fake: DataCenter, match: Any, *_: Any) -> Reply:
    """Each hunk in segments of one kind, as the page draws it."""
    patch, pull = _patch(fake, match[1], match[2]), fake.state["pulls"][match[1]]
    old, made = old_lines(patch), []
    for span in hunks(patch):
        segments: list[dict[str, Any]] = []
        for line in span:
            kind = "ADDED" if old.get(line) is None else "CONTEXT"
            row = {"source": old.get(line) or 0, "destination": line, "line": "x", "truncated": False}
            if not segments or segments[-1]["type"] != kind:
                segments.append({"type": kind, "lines": [], "truncated": False})
            segments[-1]["lines"].append(row)
        removed = {
            "type": "REMOVED",
            "lines": [{"source": 1, "destination": span.start, "line": "y", "truncated": False}],
        }
        where = {"sourceLine": 1, "sourceSpan": 1, "destinationLine": span.start, "destinationSpan": len(span)}
        made.append({**where, "segments": [{**removed, "truncated": False}, *segments], "truncated": False})
    ends = {"fromHash": pull["base"]["sha"], "toHash": pull["head"]["sha"], "contextLines": 10}
    return 200, {**ends, "diffs": [{"hunks": made, "truncated": False}]}


def _activities(fake: DataCenter, match: Any, *_: Any) -> Reply:
    """All that happened, the newest first; an answer is an activity of its own and stands within what it answers."""
    every = sorted((*fake.state["comments"], *fake.state["notes"]), key=lambda one: -one["id"])
    made: list[dict[str, Any]] = []
    for one in every:
        if one["pull"] != match[1]:
            continue
        row = {
            "id": 1000 + one["id"],
            "createdDate": 1767603600000,
            "user": fake.user(one["login"]),
            "action": "COMMENTED",
        }
        said = {"commentAction": "REPLIED" if one.get("in_reply_to_id") else "ADDED", "comment": fake.comment(one)}
        place = {"commentAnchor": {"orphaned": False, **one["anchor"]}} if one.get("anchor") else {}
        made.append({**row, **said, **place})
    opened = {"id": 1, "createdDate": 1767603600000, "user": fake.user("mira"), "action": "OPENED"}
    return 200, [*made, opened]


def _add(fake: DataCenter, match: Any, asked: Asked, login: str) -> Reply:
    if match[1] not in fake.state["pulls"]:
        return _NO_PULL
    one = {"id": fake.number(), "pull": match[1], "login": login, "body": asked.body["text"], "version": 0}
    anchor = asked.body.get("anchor")
    if anchor is None:
        fake.state["comments"].append(one)
        return 201, fake.comment(one)
    patch = _patch(fake, match[1], anchor["path"])
    kind = "ADDED" if old_lines(patch).get(anchor["line"]) is None else "CONTEXT"
    shown = any(anchor["line"] in span for span in hunks(patch))
    if not shown or (anchor["lineType"], anchor["fileType"]) != (kind, "TO"):
        return 400, _errors("The line is not part of the diff.", "comment.CommentAnchorException", "anchor")
    fake.state["notes"].append({**one, "anchor": anchor, "path": anchor["path"], "line": anchor["line"]})
    return 201, fake.comment(fake.state["notes"][-1])


def _found(fake: DataCenter, number: str) -> tuple[str, dict[str, Any]] | None:
    every = ((kind, one) for kind in ("comments", "notes") for one in fake.state[kind])
    return next(((kind, one) for kind, one in every if one["id"] == int(number)), None)


def _show(fake: DataCenter, match: Any, *_: Any) -> Reply:
    found = _found(fake, match[2])
    return (200, fake.comment(found[1])) if found else _NO_COMMENT


def _change(fake: DataCenter, match: Any, asked: Asked, login: str) -> Reply:
    found = _found(fake, match[2])
    if found is None:
        return _NO_COMMENT
    one = found[1]
    if one["login"] != login:
        return 401, _errors("You may only change comments of your own.", "AuthorisationException")
    if asked.body["version"] != one.get("version", 0):
        return _STALE
    one["version"] = one.get("version", 0) + 1
    one["body"] = asked.body.get("text", one["body"])
    one["resolved"] = asked.body.get("threadResolved", one.get("resolved", False))
    return 200, fake.comment(one)


def _remove(fake: DataCenter, match: Any, asked: Asked, login: str) -> Reply:
    found = _found(fake, match[2])
    if found is None:
        return _NO_COMMENT
    if found[1]["login"] != login:
        return 401, _errors("You may only delete comments of your own.", "AuthorisationException")
    answered = any(each.get("in_reply_to_id") == found[1]["id"] for each in fake.state["notes"])
    if answered or int(asked.query.get("version", "-1")) != found[1].get("version", 0):
        return _STALE
    fake.state[found[0]].remove(found[1])
    return 204, None


def _build(fake: DataCenter, match: Any, asked: Asked, *_: Any) -> Reply:
    wanted = (match[1], asked.query.get("key"))
    for one in reversed(fake.state["statuses"]):
        if (one["sha"], one["key"]) == wanted:
            return 200, {name: value for name, value in one.items() if name != "sha"}
    return 404, _errors("The build status does not exist.", "build.NoSuchBuildStatusException")


def _add_build(fake: DataCenter, match: Any, asked: Asked, *_: Any) -> Reply:
    fake.state["statuses"].append({**asked.body, "sha": match[1]})
    return 204, None


def _put_report(fake: DataCenter, match: Any, asked: Asked, *_: Any) -> Reply:
    fake.state["reports"][f"{match[1]}/{match[2]}"] = asked.body
    fake.state["annotations"].setdefault(f"{match[1]}/{match[2]}", [])
    return 200, {"key": match[2], **asked.body}


def _remove_report(fake: DataCenter, match: Any, *_: Any) -> Reply:
    """The annotations go with their report; there being none is no error."""
    for kind in ("reports", "annotations"):
        fake.state[kind].pop(f"{match[1]}/{match[2]}", None)
    return 204, None


def _add_annotations(fake: DataCenter, match: Any, asked: Asked, *_: Any) -> Reply:
    there = fake.state["annotations"].get(f"{match[1]}/{match[2]}")
    if there is None:
        return 404, _errors("The report does not exist.", "codeinsights.report.NoSuchInsightReportException")
    if len(there) + len(asked.body["annotations"]) > 1000:
        return 400, _errors("A report may have at most 1000 annotations.", "validation.ArgumentValidationException")
    there.extend(asked.body["annotations"])
    return 204, None


_PR, _COMMIT = r"/pull-requests/(\d+)", r"/commits/(\w+)"
_HANDLERS: dict[tuple[str, str], Callable[..., Reply]] = {
    ("GET", r""): _repository,
    ("GET", r"/default-branch"): _default,
    ("GET", _COMMIT + r"/merge-base"): _merge_base,
    ("GET", r"/pull-requests"): _pulls,
    ("GET", _PR): _pull,
    ("GET", _PR + r"/changes"): _changes,
    ("GET", _PR + r"/diff/(.+)"): _diff,
    ("GET", _PR + r"/activities"): _activities,
    ("POST", _PR + r"/comments"): _add,
    ("GET", _PR + r"/comments/(\d+)"): _show,
    ("PUT", _PR + r"/comments/(\d+)"): _change,
    ("DELETE", _PR + r"/comments/(\d+)"): _remove,
    ("GET", _COMMIT + r"/builds"): _build,
    ("POST", _COMMIT + r"/builds"): _add_build,
    ("PUT", _COMMIT + r"/reports/([\w.-]+)"): _put_report,
    ("DELETE", _COMMIT + r"/reports/([\w.-]+)"): _remove_report,
    ("POST", _COMMIT + r"/reports/([\w.-]+)/annotations"): _add_annotations,
}


if __name__ == "__main__":
    serve(DataCenter, "python -m tests.fakes.datacenter")
