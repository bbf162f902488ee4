"""Azure Repos, in the cloud and on Azure DevOps Server, by its REST API."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from ci_runner.errors import UsageError
from ci_runner.http import Answer, Limits, Patience, web
from ci_runner.model.ci import Comment, Note, PullRequest, Status, Trigger
from ci_runner.scm.bodies import same_text, shorten, suggestion
from ci_runner.scm.diff import ANYWHERE, place, post_each, still_head
from ci_runner.scm.failure import Kind
from ci_runner.scm.rest import Repository, Rest, Row

COMMENT_CHARACTERS = 150_000
DESCRIPTION_CHARACTERS = 255
MOST_PULLS = 500
MOST_FILES = 10_000
PAGE = 100
GENRE = "pilotage"
# the newest that Azure DevOps Server 2020 speaks too: https://learn.microsoft.com/rest/api/azure/devops/#api-and-tfs-version-mapping
VERSION = "6.0"

_READ, _WRITE, _STATUS = "Read on the repository", "Contribute to pull requests", "Contribute to pull requests"
_STATES = {"success": "succeeded", "failure": "failed", "error": "error", "pending": "pending"}
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True)
class Azure(Repository):
    """One repository on Azure Repos, ``project/name``; ``run_number`` is the pull request this run is for."""

    run_number: int | None = None

    def _values(self, path: str, **query: str) -> list[Row]:
        return list(self.get(path, **query)["value"])

    def author(self) -> str:
        """The identity of the token; for a job's own it is the project's build service."""

        def asked() -> str:
            found = self.rest.get("/_apis/connectionData", **{"api-version": f"{VERSION}-preview"})
            return str(found["authenticatedUser"]["id"])

        return self.ask("who the token belongs to", _READ, asked)

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of this number."""
        return self.ask(f"pull request !{number}", _READ, lambda: _pull(self.get(f"/pullRequests/{number}")))

    def pull_requests_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Active pull requests with this head, also from forks: Azure has no question for that, so all active ones are looked through."""

        def found() -> tuple[PullRequest, ...]:
            pulls = (_pull(row) for row in self._active() if row.get("lastMergeSourceCommit"))
            return tuple(pull for pull in pulls if pull.open and pull.head_sha == sha)

        return self.ask("the active pull requests", _READ, found)

    def open_pull_requests(self, most: int) -> tuple[PullRequest, ...]:
        """Active pull requests, the newest first."""

        def listed() -> tuple[PullRequest, ...]:
            there = (row for row in self._active() if row.get("lastMergeSourceCommit"))
            return tuple(_pull(row) for row in islice(there, most))

        return self.ask("the active pull requests", _READ, listed)

    def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths the last iteration touches, also those it removes: Azure names the kind of a change in words that combine."""
        return self.ask("the changed files", _READ, lambda: tuple(self._changed(number)))

    def _active(self) -> Iterator[Row]:
        for skip in range(0, MOST_PULLS, PAGE):
            query = {"searchCriteria.status": "active", "$top": str(PAGE), "$skip": str(skip)}
            rows = self._values("/pullRequests", **query)
            yield from rows
            if len(rows) < PAGE:
                return

    def merge_base(self, base: str, head: str) -> str | None:
        """The merge base by Azure's comparison, None where the two have nothing in common."""
        query = {**_version("base", base), **_version("target", head), "$top": "1"}

        def found() -> str | None:
            said = self.get("/diffs/commits", **query).get("commonCommit")
            return str(said) if said else None

        return self.ask(f"the merge base of {base[:12]} and {head[:12]}", _READ, found)

    def default_branch(self) -> str:
        """The repository's default branch."""
        return self.ask("the default branch", _READ, lambda: _branch(str(self.get("")["defaultBranch"])))

    def _threads(self, number: int) -> list[tuple[Row, Row]]:
        """Each thread with its first comment, unless that was deleted or is a remark of Azure's own."""
        rows = self._values(f"/pullRequests/{number}/threads")
        firsts = ((row, row["comments"][0]) for row in rows if row.get("comments") and not row.get("isDeleted"))
        return [(row, one) for row, one in firsts if _said_by_somebody(one)]

    def comments(self, number: int) -> tuple[Comment, ...]:
        """The first comment of every thread that is not on a file."""

        def listed() -> tuple[Comment, ...]:
            return tuple(_comment(*each) for each in self._threads(number) if not each[0].get("threadContext"))

        return self.ask("the comments", _READ, listed)

    def create_comment(self, number: int, body: str, *, done: bool = False) -> None:
        """Add a thread; one that asks for nothing is closed, so that it does not hold up the merge where policy wants all resolved."""
        thread = {"comments": [_first(body)], "status": _resolution(done=done)}
        self.write("a new comment", "POST", f"/pullRequests/{number}/threads", thread)

    def update_comment(self, number: int, comment: Comment, body: str, *, done: bool = False) -> None:
        """Replace a comment's text and its thread's status."""
        self._rewrite(number, comment, body, _resolution(done=done))

    def _rewrite(self, number: int, comment: Comment, body: str, status: str) -> None:
        thread = f"/pullRequests/{number}/threads/{comment.id}"
        self.write("a change of a comment", "PATCH", f"{thread}/comments/{comment.thread or 1}", {"content": body})
        self.write("a change of a thread's status", "PATCH", thread, {"status": status})

    def delete_comment(self, number: int, comment: Comment) -> None:
        """Remove a comment, and with its only one the thread; one that is gone already is fine."""
        path = f"/pullRequests/{number}/threads/{comment.id}/comments/{comment.thread or 1}"
        self.remove("the removal of a comment", path)

    def notes(self, number: int) -> tuple[Comment, ...]:
        """The first comment of every thread on a file."""

        def listed() -> tuple[Comment, ...]:
            return tuple(_note(*each) for each in self._threads(number) if each[0].get("threadContext"))

        return self.ask("the line notes", _READ, listed)

    def create_notes(self, number: int, head_sha: str, notes: Sequence[Note]) -> tuple[Note, ...]:
        """A thread for each note on a changed file; Azure tells no lines of the change and takes any line of a file."""
        still_head(head_sha, self.pull_request(number).head_sha, f"!{number}")
        changed = self.ask("the changed files", _READ, lambda: frozenset(self._changed(number)))
        placed = [each for note in notes if note.file in changed and (each := place(note, ANYWHERE))]

        def post(note: Note) -> None:
            thread = {"comments": [_first(_note_body(note))], "status": "active", "threadContext": _context(note)}
            self.write("a note on a line", "POST", f"/pullRequests/{number}/threads", thread)

        return post_each(placed, post)

    def _changed(self, number: int) -> Iterator[str]:
        """Paths of the last iteration, which is the newest push, against where the branch was cut."""
        path = f"/pullRequests/{number}/iterations"
        last = max(int(row["id"]) for row in self._values(path))
        skip = 0
        while skip < MOST_FILES:
            query = {"$top": "2000", "$skip": str(skip), "$compareTo": "0"}
            page = self.get(f"{path}/{last}/changes", **query)
            for entry in page["changeEntries"]:
                yield str(entry["item"]["path"]).removeprefix("/")
            if not page.get("nextSkip") or int(page["nextSkip"]) <= skip:
                return
            skip = int(page["nextSkip"])

    def update_note(self, number: int, comment: Comment, note: Note) -> None:
        """Replace a note's text; a suggestion stays only where the note stands on the very lines it replaces."""
        stands = (comment.start_line or comment.line, comment.line)
        fits = note.suggestion is not None and stands == (note.suggestion.line, note.suggestion.end_line)
        body = _note_body(note if fits else replace(note, suggestion=None))
        if not same_text(body, comment.body):
            self._rewrite(number, comment, body, "active")

    def retire_note(self, number: int, comment: Comment, body: str) -> None:
        """Delete the note, unless people answered it: then it says ``body`` and its thread is fixed."""
        if not comment.replied:
            self.delete_comment(number, comment)
        elif not same_text(body, comment.body):
            self._rewrite(number, comment, body, "fixed")

    def set_status(self, sha: str, status: Status) -> None:
        """Set the status of the run's pull request, where policies look, or of the commit; unless it says the same already."""
        number = self.run_number
        path = f"/pullRequests/{number}/statuses" if number else f"/commits/{sha}/statuses"
        wanted = {
            "state": _STATES[status.state],
            "description": shorten(status.description, DESCRIPTION_CHARACTERS),
            "context": {"name": status.context, "genre": GENRE},
            **({"targetUrl": status.url} if status.url else {}),
        }
        there = self.ask("the statuses", _READ, lambda: _newest(self._values(path), status.context))
        if any(there.get(name) != value for name, value in wanted.items() if name != "context"):
            self.write("a status", "POST", path, wanted, _STATUS)


def open(trigger: Trigger, token: str, patience: Patience, limits: Limits | None = None) -> Azure:  # noqa: A001
    """Azure Repos as ``trigger`` names it; ``token`` is a job's access token or a personal one."""
    if not trigger.api_url:
        raise UsageError("the environment does not name the organisation's address (SYSTEM_COLLECTIONURI)")
    if "/" not in (trigger.repository or ""):
        raise UsageError(f"a repository on Azure Repos is named project/name, not {trigger.repository!r}")
    # Azure's own job tokens are JWTs, which have two dots; personal ones go as a password without a user.
    own = token.count(".") == 2
    said = f"Bearer {token}" if own else f"Basic {base64.b64encode(f':{token}'.encode()).decode()}"
    headers = {"Authorization": said, "X-TFS-FedAuthRedirect": "Suppress"}
    root = trigger.api_url.rstrip("/")
    rest = Rest("Azure DevOps", root, web(limits, patience), headers, {"api-version": VERSION}, _sign_in)
    name = trigger.repository or ""
    project, _, short = name.partition("/")
    home = f"/{quote(project, safe='')}/_apis/git/repositories/{quote(short, safe='')}"
    return Azure(name, rest, home, _WRITE, "azure", COMMENT_CHARACTERS, trigger.pull_request)


def _sign_in(answer: Answer, said: str) -> Kind | None:  # noqa: ARG001
    """Azure answers those it does not know with its sign-in page: 203, 302, or a page where JSON should be."""
    page = 200 <= answer.status < 300 and answer.headers.get("content-type", "").startswith("text/html")
    return "unauthorised" if page or answer.status in {203, 302} else None


def _version(which: str, name: str) -> dict[str, str]:
    kind = "commit" if _COMMIT.match(name) else "branch"
    return {f"{which}Version": name, f"{which}VersionType": kind}


def _resolution(*, done: bool) -> str:
    return "closed" if done else "active"


def _first(body: str) -> Row:
    return {"parentCommentId": 0, "content": body, "commentType": "text"}


def _note_body(note: Note) -> str:
    return suggestion(note, "suggestion")


def _context(note: Note) -> Row:
    """Lines from 1; an offset of 1 is the beginning of a line."""
    ends = {"rightFileStart": note.line, "rightFileEnd": note.end_line}
    return {"filePath": f"/{note.file}", **{name: {"line": line, "offset": 1} for name, line in ends.items()}}


def _said_by_somebody(comment: Mapping[str, Any]) -> bool:
    return not comment.get("isDeleted") and comment.get("commentType") != "system"


def _comment(thread: Row, first: Row) -> Comment:
    author = (first.get("author") or {}).get("id") or ""
    return Comment(int(thread["id"]), str(author), str(first.get("content") or ""), thread=str(first["id"]))


def _note(thread: Row, first: Row) -> Comment:
    context = thread["threadContext"]
    start, end = context.get("rightFileStart") or {}, context.get("rightFileEnd") or {}
    return replace(
        _comment(thread, first),
        replied=any(_said_by_somebody(each) for each in thread["comments"][1:]),
        file=str(context["filePath"]).removeprefix("/"),
        line=end.get("line"),
        start_line=start.get("line"),
    )


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def _pull(row: Row) -> PullRequest:
    return PullRequest(
        number=int(row["pullRequestId"]),
        head_sha=str(row["lastMergeSourceCommit"]["commitId"]),
        head_branch=_branch(str(row["sourceRefName"])),
        base_branch=_branch(str(row["targetRefName"])),
        base_sha=str((row.get("lastMergeTargetCommit") or {}).get("commitId") or ""),
        is_fork=row.get("forkSource") is not None,
        open=row.get("status") == "active",
    )


def _newest(rows: Iterable[Row], context: str) -> Row:
    ours = (row for row in rows if (row.get("context") or {}) == {"name": context, "genre": GENRE})
    return max(ours, key=lambda row: int(row.get("id") or 0), default={})
