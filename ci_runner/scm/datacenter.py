"""Bitbucket Data Center, by its REST API 1.0: comments have versions, and an account is known by a header of every answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

from msgspec.structs import replace

from ci_runner.errors import UsageError
from ci_runner.http import Answer, Limits, Patience, authorization, web
from ci_runner.model.ci import Comment, Note, PullRequest, Status, Trigger
from ci_runner.scm.bitbucket import STATES
from ci_runner.scm.bodies import fitted, plain, same_text, shorten, suggestion, unveiled, veiled
from ci_runner.scm.diff import place, post_each, still_head
from ci_runner.scm.failure import Kind, ScmError
from ci_runner.scm.rest import Repository, Rest, Row

# "less than 32768", and our marker line is two characters longer there
COMMENT_CHARACTERS = 32_767 - 2
WORDS = 255
PAGE = 1000
MOST_PAGES = 500
SUFFIX = "/rest/api/1.0"

_READ, _WRITE = "Repository read", "Repository read, of an account that may comment"


@dataclass(frozen=True, slots=True)
class DataCenter(Repository):
    """One repository on Bitbucket Data Center, ``KEY/slug`` (``~name/slug`` for a person's own)."""

    def _rows(self, path: str, **query: Any) -> Iterator[Row]:
        """Every item of a list; each page says where the next one starts."""
        start = 0
        for _ in range(MOST_PAGES):
            page = self.get(path, limit=PAGE, start=start, **query)
            yield from page["values"]
            if page["isLastPage"] or int(page["nextPageStart"] or 0) <= start:
                return
            start = int(page["nextPageStart"])

    def author(self) -> str:
        """The account of the token, an access token's as well: nothing tells it but a header that comes with every answer."""

        def asked() -> str:
            answer = self.rest.answer("GET", self.rest.root + self.home)
            return unquote(answer.headers["x-ausername"])

        return self.ask("who the token belongs to", _READ, asked)

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of this number."""
        return self.ask(f"pull request #{number}", _READ, lambda: _pull(self.get(f"/pull-requests/{number}")))

    def pull_requests_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Open pull requests with this head, also from forks."""

        def found() -> tuple[PullRequest, ...]:
            pulls = (_pull(row) for row in self._rows("/pull-requests", state="OPEN"))
            return tuple(pull for pull in pulls if pull.head_sha == sha)

        return self.ask("the open pull requests", _READ, found)

    def open_pull_requests(self, most: int) -> tuple[PullRequest, ...]:
        """Open pull requests, the newest first."""
        return self.ask(
            "the open pull requests",
            _READ,
            lambda: tuple(
                _pull(row) for row in islice(self._rows("/pull-requests", state="OPEN", order="NEWEST"), most)
            ),
        )

    def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths of the files that are there after the change."""

        def listed() -> tuple[str, ...]:
            rows = self._rows(f"/pull-requests/{number}/changes")
            return tuple(str(row["path"]["toString"]) for row in rows if row.get("type") != "DELETE")

        return self.ask("the changed files", _READ, listed)

    def merge_base(self, base: str, head: str) -> str | None:
        """The merge base, None where there is none."""

        def found() -> str | None:
            answer = self.get(f"/commits/{quote(head, safe='')}/merge-base", otherCommitId=base)
            return str(answer["id"]) if answer else None

        return self.ask(f"the merge base of {base[:12]} and {head[:12]}", _READ, found)

    def default_branch(self) -> str:
        """The repository's default branch."""
        return self.ask("the default branch", _READ, lambda: str(self.get("/default-branch")["displayId"]))

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments of the conversation, oldest first."""

        def listed() -> tuple[Comment, ...]:
            return tuple(_comment(row["comment"]) for row in self._remarks(number) if not row.get("commentAnchor"))

        return self.ask("the comments", _READ, listed)

    def _remarks(self, number: int) -> list[Row]:
        """What was said at first hand; the API lists comments of no file only among all that happened, the newest first."""
        said: dict[int, Row] = {}
        for row in self._rows(f"/pull-requests/{number}/activities"):
            if row.get("action") == "COMMENTED" and row.get("commentAction") == "ADDED":
                said.setdefault(int(row["comment"]["id"]), row)
        return [said[key] for key in sorted(said)]

    def create_comment(self, number: int, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Add a comment."""
        self.write("a new comment", "POST", f"/pull-requests/{number}/comments", {"text": veiled(body)})

    def update_comment(self, number: int, comment: Comment, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Replace a comment's text, unless it differs in nothing but what Bitbucket cannot show."""
        if not same_text(plain(body), comment.body):
            self._rewrite(number, comment, {"text": veiled(body)})

    def _rewrite(self, number: int, comment: Comment, change: Row) -> None:
        """A change names the version it is of; where somebody was faster, or a repeated request was done before, look once more."""
        path = f"/pull-requests/{number}/comments/{comment.id}"
        try:
            self.write("a change of a comment", "PUT", path, {**change, "version": comment.version})
        except ScmError as error:
            if error.kind != "stale":
                raise
            there = self.ask("the comment", _READ, lambda: self.get(path))
            if any(there.get(name) != value for name, value in change.items()):
                self.write("a change of a comment", "PUT", path, {**change, "version": int(there["version"])})

    def delete_comment(self, number: int, comment: Comment) -> None:
        """Remove a comment; one that is gone already is fine, one that changed meanwhile goes all the same."""
        path = f"/pull-requests/{number}/comments/{comment.id}"
        try:
            self.remove("the removal of a comment", f"{path}?version={comment.version}")
        except ScmError as error:
            if error.kind != "stale":
                raise
            there = self.ask("the comment", _READ, lambda: self.get(path))
            self.remove("the removal of a comment", f"{path}?version={int(there['version'])}")

    def notes(self, number: int) -> tuple[Comment, ...]:
        """All comments on lines that answer no other."""

        def listed() -> tuple[Comment, ...]:
            return tuple(
                replace(
                    _comment(row["comment"]),
                    file=str(row["commentAnchor"]["path"]),
                    line=None if row["commentAnchor"].get("orphaned") else row["commentAnchor"].get("line"),
                )
                for row in self._remarks(number)
                if row.get("commentAnchor")
            )

        return self.ask("the line notes", _READ, listed)

    def create_notes(self, number: int, head_sha: str, notes: Sequence[Note]) -> tuple[Note, ...]:
        """A comment for each note on a line that the change shows."""
        still_head(head_sha, self.pull_request(number).head_sha, f"#{number}")
        changed = frozenset(self.changed_files(number))
        files = sorted({note.file for note in notes} & changed)
        shown = dict(zip(files, (self._lines(number, file) for file in files), strict=True))
        placed = [each for note in notes if note.file in shown and (each := place(note, _hunks(shown[note.file])))]

        def post(note: Note) -> None:
            kind = shown[note.file][note.end_line]
            anchor = {
                "path": note.file,
                "line": note.end_line,
                "lineType": kind,
                "fileType": "TO",
                "diffType": "EFFECTIVE",
            }
            body = {"text": veiled(_note_body(note)), "anchor": anchor}
            self.write("a note on a line", "POST", f"/pull-requests/{number}/comments", body)

        return post_each(placed, post)

    def _lines(self, number: int, file: str) -> dict[int, str]:
        """Lines of the new file that the change shows → ``ADDED`` or ``CONTEXT``, which a comment's anchor has to name."""

        def read() -> dict[int, str]:
            diffs = self.get(f"/pull-requests/{number}/diff/{quote(file)}", whitespace="show", withComments="false")[
                "diffs"
            ]
            segments = (part for diff in diffs for hunk in diff.get("hunks") or () for part in hunk["segments"])
            return {
                int(line["destination"]): str(part["type"])
                for part in segments
                if part["type"] in ("ADDED", "CONTEXT")
                for line in part["lines"]
            }

        return self.ask("the lines of the change", _READ, read)

    def update_note(self, number: int, comment: Comment, note: Note) -> None:
        """Replace a note's text; its suggestion stays only where the note stands on the last line that it replaces."""
        body = _note_body(fitted(note, comment))
        if not same_text(plain(body), comment.body):
            self._rewrite(number, comment, {"text": veiled(body)})

    def retire_note(self, number: int, comment: Comment, body: str) -> None:
        """Delete the note, unless people answered it: then it says ``body`` and its thread is resolved."""
        if not comment.replied:
            self.delete_comment(number, comment)
        elif not same_text(body, comment.body):
            self._rewrite(number, comment, {"text": veiled(body), "threadResolved": True})

    def set_status(self, sha: str, status: Status) -> None:
        """Set the build status of the context's key, unless it says the same; Bitbucket wants an address, so the repository's stands in."""
        wanted = {
            "key": _key(status.context),
            "name": shorten(status.context, WORDS),
            "state": STATES[status.state],
            "description": shorten(status.description, WORDS),
            "url": status.url or f"{self.rest.root.removesuffix(SUFFIX)}{self.home}",
        }
        path = f"/commits/{sha}/builds"

        def newest() -> Row:
            there = self.get(path, key=wanted["key"])
            return there if isinstance(there, dict) else {}

        there = self._unless_missing("the build status", newest)
        if any(there.get(name) != value for name, value in wanted.items()):
            self.write("a build status", "POST", path, wanted, _READ)

    def _unless_missing(self, what: str, get: Any) -> Row:
        try:
            found: Row = self.ask(what, _READ, get)
        except ScmError as error:
            if error.kind != "missing":
                raise
            return {}
        return found


def open(trigger: Trigger, token: str, patience: Patience, limits: Limits | None = None) -> DataCenter:  # noqa: A001
    """Bitbucket Data Center as ``trigger`` names it; ``token`` is an HTTP access token, or ``user:token``."""
    name = trigger.repository or ""
    key, _, slug = name.partition("/")
    if not slug or "/" in slug:
        raise UsageError(f"a repository on Bitbucket Data Center is named KEY/slug, not {name!r}")
    root = (trigger.api_url or "").rstrip("/")
    # a header without which changes are taken for those of a foreign web page
    headers = {"Authorization": authorization(token), "X-Atlassian-Token": "no-check"}
    rest = Rest("Bitbucket Data Center", root, web(limits, patience), headers, refusal=_peculiar)
    home = f"/projects/{quote(key, safe='~')}/repos/{quote(slug, safe='')}"
    return DataCenter(name, rest, home, _WRITE, "bitbucket", COMMENT_CHARACTERS)


def _peculiar(answer: Answer, said: str) -> Kind | None:  # noqa: ARG001
    """401 stands for missing rights as well, 409 for a version that has passed; the class of the error tells."""
    if answer.status == 401 and b"AuthorisationException" in answer.body:
        return "forbidden"
    return "stale" if answer.status == 409 else None


def _key(context: str) -> str:
    if len(context) <= WORDS:
        return context
    return f"{context[:200]}-{hashlib.sha256(context.encode()).hexdigest()[:12]}"


def _note_body(note: Note) -> str:
    """A suggestion can be taken over where it replaces the one line its note stands on; else it stands there as the SQL it is."""
    wanted = note.suggestion
    return suggestion(note, "suggestion" if wanted and wanted.line == wanted.end_line else "sql")


def _hunks(lines: dict[int, str]) -> list[range]:
    """The lines as runs without gaps."""
    runs: list[range] = []
    for line in sorted(lines):
        if runs and runs[-1].stop == line:
            runs[-1] = range(runs[-1].start, line + 1)
        else:
            runs.append(range(line, line + 1))
    return runs


def _comment(row: Row) -> Comment:
    author = str((row.get("author") or {}).get("name") or "")
    replied = bool(row.get("comments"))
    return Comment(int(row["id"]), author, unveiled(str(row.get("text") or "")), replied, version=int(row["version"]))


def _pull(row: Row) -> PullRequest:
    source, target = row["fromRef"], row["toRef"]
    return PullRequest(
        number=int(row["id"]),
        head_sha=str(source["latestCommit"]),
        head_branch=str(source["displayId"]),
        base_branch=str(target["displayId"]),
        base_sha=str(target["latestCommit"]),
        is_fork=_where(source) != _where(target),
        open=row.get("state") == "OPEN",
    )


def _where(ref: Row) -> tuple[str, str]:
    repository = ref.get("repository") or {}
    return str((repository.get("project") or {}).get("key")), str(repository.get("slug"))
