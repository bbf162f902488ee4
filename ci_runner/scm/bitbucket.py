"""Bitbucket Cloud, by its REST API 2.0."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from ci_runner.http import Limits, Patience, authorization, web
from ci_runner.model.ci import Comment, Note, PullRequest, Status, Trigger
from ci_runner.scm.bodies import fitted, plain, same_text, shorten, suggestion, unveiled, veiled
from ci_runner.scm.diff import ANYWHERE, place, post_each, still_head
from ci_runner.scm.failure import ScmError
from ci_runner.scm.rest import Repository, Rest, Row

PUBLIC = "https://api.bitbucket.org/2.0"
# our marker line is two characters longer there, see _content
COMMENT_CHARACTERS = 32_768 - 2
DESCRIPTION_CHARACTERS = 255
KEY_CHARACTERS = 40
MOST_PAGES = 500
# what a page of comments has for an access token's user: its type, because such a token may not ask who it is
APP = "app_user"

_READ, _WRITE, _STATUS = "scope pullrequest", "scope pullrequest:write", "scope repository:write"
STATES = {"success": "SUCCESSFUL", "failure": "FAILED", "error": "FAILED", "pending": "INPROGRESS"}


@dataclass(frozen=True, slots=True)
class Bitbucket(Repository):
    """One repository on Bitbucket Cloud, ``workspace/slug``."""

    def _rows(self, path: str, **query: Any) -> Iterator[Row]:
        """Every item of a list; Bitbucket names the address of the page that follows."""
        page = self.get(path, pagelen=100, **query)
        for _ in range(MOST_PAGES):
            yield from page["values"]
            if not page.get("next"):
                return
            page = self.rest.follow(page["next"])

    def author(self) -> str:
        """The token's user; the access tokens of repositories, projects and workspaces have one they may not ask for."""
        try:
            return self.ask("who the token belongs to", "scope account", lambda: _account(self.rest.get("/user")))
        except ScmError as error:
            if error.kind != "forbidden":
                raise
            return APP

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of this number; Bitbucket shortens the names of its commits."""
        return self.ask(f"pull request #{number}", _READ, lambda: _pull(self.get(f"/pullrequests/{number}")))

    def pull_requests_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Open pull requests with this head; where Bitbucket knows none by the commit (forks), all open ones are looked through."""
        try:
            by_commit = self.ask(
                "pull requests of a commit", _READ, lambda: _ours(self._rows(f"/commit/{sha}/pullrequests"), sha)
            )
        except ScmError as error:
            if error.kind != "missing":
                raise
            by_commit = ()
        return by_commit or self.ask(
            "the open pull requests", _READ, lambda: _ours(self._rows("/pullrequests", state="OPEN"), sha)
        )

    def open_pull_requests(self, most: int) -> tuple[PullRequest, ...]:
        """Open pull requests whose head is still there."""

        def listed() -> tuple[PullRequest, ...]:
            rows = self._rows("/pullrequests", state="OPEN")
            there = (row for row in rows if (row["source"].get("commit") or {}).get("hash"))
            return tuple(_pull(row) for row in islice(there, most))

        return self.ask("the open pull requests", _READ, listed)

    def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths of the files that are there after the change."""

        def listed() -> tuple[str, ...]:
            head = str(self.get(f"/pullrequests/{number}")["source"]["commit"]["hash"])
            return tuple(sorted(self._changed(number, head)))

        return self.ask("the changed files", "scope repository", listed)

    def merge_base(self, base: str, head: str) -> str | None:
        """The merge base, None where Bitbucket finds none."""
        path = f"/merge-base/{quote(f'{base}..{head}', safe='')}"
        what = f"the merge base of {base[:12]} and {head[:12]}"
        try:
            return self.ask(what, "scope repository", lambda: str(self.get(path)["hash"]))
        except ScmError as error:
            if error.kind == "missing" and "common ancestor" in str(error).lower():
                return None
            raise

    def default_branch(self) -> str:
        """The repository's main branch."""
        return self.ask("the default branch", "scope repository", lambda: str(self.get("")["mainbranch"]["name"]))

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments of the conversation that nobody deleted."""

        def listed() -> tuple[Comment, ...]:
            return tuple(_comment(row) for row in self._comment_rows(number) if not row.get("inline"))

        return self.ask("the comments", _READ, listed)

    def _comment_rows(self, number: int) -> Iterator[Row]:
        rows = self._rows(f"/pullrequests/{number}/comments")
        return (row for row in rows if not row.get("deleted"))

    def create_comment(self, number: int, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Add a comment."""
        self.write("a new comment", "POST", f"/pullrequests/{number}/comments", _content(body))

    def update_comment(self, number: int, comment: Comment, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Replace a comment's text, unless it differs in nothing but what Bitbucket cannot show."""
        if not same_text(plain(body), comment.body):
            path = f"/pullrequests/{number}/comments/{comment.id}"
            self.write("a change of the comment", "PUT", path, _content(body))

    def delete_comment(self, number: int, comment: Comment) -> None:
        """Remove a comment; one that is gone already is fine."""
        self.remove("the removal of a comment", f"/pullrequests/{number}/comments/{comment.id}")

    def notes(self, number: int) -> tuple[Comment, ...]:
        """All comments on lines that answer no other."""

        def listed() -> tuple[Comment, ...]:
            rows = list(self._comment_rows(number))
            answered = {row["parent"]["id"] for row in rows if row.get("parent")}
            first = (row for row in rows if row.get("inline") and not row.get("parent"))
            return tuple(_note(row, replied=row["id"] in answered) for row in first)

        return self.ask("the line notes", _READ, listed)

    def create_notes(self, number: int, head_sha: str, notes: Sequence[Note]) -> tuple[Note, ...]:
        """A comment for each note on a changed file; Bitbucket tells no lines of the change here, and takes any line of its files."""
        still_head(head_sha, self.pull_request(number).head_sha, f"#{number}")
        changed = self.ask("the changed files", "scope repository", lambda: self._changed(number, head_sha))
        placed = [each for note in notes if note.file in changed and (each := place(note, ANYWHERE))]

        def post(note: Note) -> None:
            body = {**_content(_note_body(note)), "inline": {"path": note.file, "to": note.end_line}}
            self.write("a note on a line", "POST", f"/pullrequests/{number}/comments", body)

        return post_each(placed, post)

    def _changed(self, number: int, head: str) -> frozenset[str]:
        """Paths on the new side; the pull request's own diffstat answers with a redirect, so the commits are named instead."""
        row = self.get(f"/pullrequests/{number}")
        spec = quote(f"{head}..{row['destination']['commit']['hash']}", safe="")
        rows = self._rows(f"/diffstat/{spec}", topic="true")
        return frozenset(str(each["new"]["path"]) for each in rows if each.get("new"))

    def update_note(self, number: int, comment: Comment, note: Note) -> None:
        """Replace a note's text; its suggestion stays only where the note stands on the last line that it replaces."""
        body = _note_body(fitted(note, comment))
        if not same_text(plain(body), comment.body):
            self.write(
                "a change of a line note", "PUT", f"/pullrequests/{number}/comments/{comment.id}", _content(body)
            )

    def retire_note(self, number: int, comment: Comment, body: str) -> None:
        """Delete the note, unless people answered it: then it says ``body`` and its thread is resolved."""
        if not comment.replied:
            self.delete_comment(number, comment)
        elif not same_text(body, comment.body):
            path = f"/pullrequests/{number}/comments/{comment.id}"
            self.write("a change of a line note", "PUT", path, _content(body))
            self.write("resolving a thread", "POST", f"{path}/resolve")

    def set_status(self, sha: str, status: Status) -> None:
        """Set the build status of the context's key, unless it says the same; Bitbucket wants an address, so the repository's stands in."""
        wanted = {
            "key": _key(status.context),
            "name": status.context,
            "state": STATES[status.state],
            "description": shorten(status.description, DESCRIPTION_CHARACTERS),
            "url": status.url or f"https://bitbucket.org/{self.repository}",
        }
        path = f"/commit/{sha}/statuses"

        def newest() -> Row:
            return next((row for row in self._rows(path) if row.get("key") == wanted["key"]), {})

        there = self.ask("the commit statuses", "scope repository", newest)
        if any(there.get(name) != value for name, value in wanted.items()):
            self.write("a commit status", "POST", f"{path}/build", wanted, _STATUS)


def open(trigger: Trigger, token: str, patience: Patience, limits: Limits | None = None) -> Bitbucket:  # noqa: A001
    """Bitbucket Cloud as ``trigger`` names it; ``token`` is an access token, or ``user:token`` for a person's API token."""
    root = (trigger.api_url or PUBLIC).rstrip("/")
    rest = Rest("Bitbucket", root, web(limits, patience), {"Authorization": authorization(token)})
    name = trigger.repository or ""
    return Bitbucket(name, rest, f"/repositories/{quote(name)}", _WRITE, "bitbucket", COMMENT_CHARACTERS)


def _key(context: str) -> str:
    """The context as Bitbucket's key; a long one keeps its beginning and ends in a hash of the whole."""
    if len(context) <= KEY_CHARACTERS:
        return context
    return f"{context[:27]}-{hashlib.sha256(context.encode()).hexdigest()[:12]}"


def _content(body: str) -> Row:
    return {"content": {"raw": veiled(body)}}


def _note_body(note: Note) -> str:
    """Bitbucket has no button that takes a suggestion over, so it stands there as the SQL it is."""
    return suggestion(note, "sql")


def _account(user: Row | None) -> str:
    """How an account is told from others; people may share a name and change it. "" once it was deleted."""
    if not user:
        return ""
    return APP if user.get("type") == APP else str(user["uuid"])


def _comment(row: Row) -> Comment:
    body = str((row.get("content") or {}).get("raw") or "")
    return Comment(int(row["id"]), _account(row.get("user")), unveiled(body))


def _note(row: Row, *, replied: bool) -> Comment:
    inline = row["inline"]
    return replace(_comment(row), replied=replied, file=inline["path"], line=inline.get("to"))


def _pull(row: Row) -> PullRequest:
    source, target = row["source"], row["destination"]
    home = (target.get("repository") or {}).get("full_name")
    there = (source.get("repository") or {}).get("full_name")
    return PullRequest(
        number=int(row["id"]),
        head_sha=str(source["commit"]["hash"]),
        head_branch=str(source["branch"]["name"]),
        base_branch=str(target["branch"]["name"]),
        base_sha=str(target["commit"]["hash"]),
        is_fork=there != home,
        open=row.get("state") == "OPEN",
    )


def _ours(rows: Iterator[Row], sha: str) -> tuple[PullRequest, ...]:
    pulls = (_pull(row) for row in rows if (row["source"].get("commit") or {}).get("hash"))
    return tuple(pull for pull in pulls if pull.open and sha.startswith(pull.head_sha))
