"""GitHub and GitHub Enterprise, by PyGithub on our own transport."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ci_runner.http import Limits, Patience, Web, adapter, web
from ci_runner.model.ci import Comment, Note, PullRequest, Scan, Status, Trigger
from ci_runner.scm.bodies import same_text, shorten, suggestion
from ci_runner.scm.diff import Hunks, hunks, place
from ci_runner.scm.failure import ScmError
from ci_runner.scm.github_errors import call

if TYPE_CHECKING:
    from github import Github
    from github.Repository import Repository

PUBLIC_API = "https://api.github.com"
COMMENT_CHARACTERS = 65_536
DESCRIPTION_CHARACTERS = 140
# https://docs.github.com/rest/code-scanning: 10 MB packed
SARIF_CHARACTERS = 10 << 20
ACTIONS_BOT = "github-actions[bot]"
# Pages never end by themselves when a server's links go in a circle.
MOST_ITEMS = 50_000
MOST_FILES = 3_000
MOST_PULLS = 500

_WRITE = "pull-requests: write"
_OPEN = {"state": "open", "sort": "updated", "direction": "desc"}
Row = dict[str, Any]


class _Item:
    """One item of a list as GitHub sent it."""

    def __init__(self, _requester: object, _headers: object, row: Row):
        self.row = row


@dataclass(frozen=True, slots=True)
class GitHub:
    """One repository on GitHub."""

    repository: str
    client: Github = field(repr=False)
    installation: bool
    name: str = "github"
    comment_limit: int = COMMENT_CHARACTERS

    @property
    def _repo(self) -> Repository:
        return self.client.get_repo(self.repository)

    def _rows(self, path: str, most: int = MOST_ITEMS, **parameters: str) -> Iterator[Row]:
        """Every item of a list, page after page. PyGithub's own items would ask again for each field a list leaves out."""
        from github.PaginatedList import PaginatedList

        url = f"/repos/{self.repository}{path}"
        pages: Any = PaginatedList(_Item, self.client.requester, url, dict(parameters))
        return (each.row for each in islice(pages, most))

    def author(self) -> str:
        """The token's user; an installation token has none it may ask for by REST, but GraphQL's viewer is its bot."""
        if not self.installation:
            return call("who the token belongs to", "", lambda: self.client.get_user().login)
        try:
            query = "query { viewer { login } }"
            _, answer = call("who the token belongs to", "", lambda: self.client.requester.graphql_query(query, {}))
            login = answer["data"]["viewer"]["login"]
        except (ScmError, KeyError, TypeError):
            return ACTIONS_BOT
        return login if str(login).endswith("[bot]") else f"{login}[bot]"

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of this number."""
        return call(
            f"pull request #{number}", "pull-requests: read", lambda: _pull(self._repo.get_pull(number).raw_data)
        )

    def pull_requests_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Open pull requests with this head; where GitHub knows none by the commit (forks), all open ones are looked through."""

        def found() -> tuple[PullRequest, ...]:
            by_commit = _ours(self._rows(f"/commits/{sha}/pulls"), sha)
            return by_commit or _ours(self._rows("/pulls", MOST_PULLS, **_OPEN), sha)

        return call(f"pull requests of commit {sha[:12]}", "pull-requests: read", found)

    def open_pull_requests(self, most: int) -> tuple[PullRequest, ...]:
        """Open pull requests, the most lately updated first."""

        def listed() -> tuple[PullRequest, ...]:
            return tuple(_pull(row) for row in self._rows("/pulls", most, **_OPEN))

        return call("the open pull requests", "pull-requests: read", listed)

    def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths of the files that are there after the change; GitHub lists 3,000 at most."""

        def listed() -> tuple[str, ...]:
            rows = self._rows(f"/pulls/{number}/files", MOST_FILES)
            return tuple(str(row["filename"]) for row in rows if row["status"] != "removed")

        return call("the changed files", "pull-requests: read", listed)

    def merge_base(self, base: str, head: str) -> str | None:
        """The merge base by GitHub's comparison; None where it says the two have nothing in common."""
        try:
            return call(
                f"the merge base of {base[:12]} and {head[:12]}", "contents: read", lambda: self._compared(base, head)
            )
        except ScmError as error:
            if error.kind == "missing" and "common ancestor" in str(error):
                return None
            raise

    def _compared(self, base: str, head: str) -> str:
        return self._repo.compare(base, head).merge_base_commit.sha

    def default_branch(self) -> str:
        """The repository's default branch."""
        return call("the default branch", "metadata: read", lambda: self._repo.default_branch)

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments of the conversation."""

        def listed() -> tuple[Comment, ...]:
            return tuple(_comment(row) for row in self._rows(f"/issues/{number}/comments"))

        return call("the comments", "pull-requests: read", listed)

    def create_comment(self, number: int, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Add a comment."""
        call("a new comment", _WRITE, lambda: self._repo.get_issue(number).create_comment(body), writes=True)

    def update_comment(self, number: int, comment: Comment, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Replace a comment's text."""
        call("a change of the comment", _WRITE, lambda: self._repo.get_issue(number).get_comment(comment.id).edit(body))

    def delete_comment(self, number: int, comment: Comment) -> None:
        """Remove a comment; one that is gone already is fine."""
        _gone_is_fine(
            lambda: call(
                "the removal of a comment", _WRITE, self._repo.get_issue(number).get_comment(comment.id).delete
            )
        )

    def notes(self, number: int) -> tuple[Comment, ...]:
        """All comments on lines that begin a thread."""

        def listed() -> tuple[Comment, ...]:
            rows = list(self._rows(f"/pulls/{number}/comments"))
            answered = {row.get("in_reply_to_id") for row in rows}
            first = (row for row in rows if row.get("in_reply_to_id") is None)
            return tuple(_note(row, replied=row["id"] in answered) for row in first)

        return call("the line notes", "pull-requests: read", listed)

    def create_notes(self, number: int, head_sha: str, notes: Sequence[Note]) -> tuple[Note, ...]:
        """One review holds all notes, which is one notification; a review GitHub refuses is tried again without what may be the cause."""
        shown = call(
            "the changed files", "pull-requests: read", lambda: self._shown(number, {note.file for note in notes})
        )
        placed = tuple(note for note in (place(note, shown.get(note.file, ())) for note in notes) if note)
        simple = tuple(_simply(note) for note in placed)
        if not placed:
            return ()
        try:
            self._review(number, head_sha, placed)
            return placed
        except ScmError as error:
            if error.kind != "invalid" or simple == placed:
                raise
        self._review(number, head_sha, simple)
        return simple

    def _shown(self, number: int, wanted: set[str]) -> Mapping[str, Hunks]:
        rows = self._rows(f"/pulls/{number}/files", MOST_FILES)
        return {row["filename"]: hunks(row.get("patch") or "") for row in rows if row["filename"] in wanted}

    def _review(self, number: int, head_sha: str, notes: Sequence[Note]) -> None:
        from github.Commit import Commit

        def posted() -> object:
            commit = Commit(self.client.requester, {}, {"sha": head_sha})
            comments: Any = [_review_comment(note) for note in notes]
            return self._repo.get_pull(number).create_review(commit=commit, event="COMMENT", comments=comments)

        call("notes on lines", _WRITE, posted, writes=True)

    def update_note(self, number: int, comment: Comment, note: Note) -> None:
        """Replace a note's text; a suggestion stays only where the note stands on the very lines it replaces."""
        stands = (comment.start_line or comment.line, comment.line)
        fits = note.suggestion is not None and stands == (note.suggestion.line, note.suggestion.end_line)
        body = _note_body(note if fits else _simply(note))
        if not same_text(body, comment.body):
            pull = self._repo.get_pull(number)
            call("a change of a line note", _WRITE, lambda: pull.get_review_comment(comment.id).edit(body))

    def retire_note(self, number: int, comment: Comment, body: str) -> None:
        """Delete the note, unless people answered it: then its text changes and their words stay."""
        mine = self._repo.get_pull(number).get_review_comment(comment.id)
        if not comment.replied:
            _gone_is_fine(lambda: call("the removal of a line note", _WRITE, mine.delete))
        elif not same_text(body, comment.body):
            call("a change of a line note", _WRITE, lambda: mine.edit(body))

    def set_status(self, sha: str, status: Status) -> None:
        """Set the status, unless the newest of its context says the same."""
        wanted = {
            "state": status.state,
            "description": shorten(status.description, DESCRIPTION_CHARACTERS),
            "context": status.context,
        }
        if status.url:
            wanted["target_url"] = status.url

        def newest() -> Row:
            return next((row for row in self._rows(f"/commits/{sha}/statuses") if row["context"] == status.context), {})

        there = call("the commit statuses", "statuses: read", newest)
        if any(there.get(key) != value for key, value in wanted.items()):
            send = self.client.requester.requestJsonAndCheck
            url = f"/repos/{self.repository}/statuses/{sha}"
            call("a commit status", "statuses: write", lambda: send("POST", url, input=wanted), writes=True)

    def upload_scan(self, sha: str, scan: Scan) -> None:
        """Hand code scanning the SARIF; GitHub takes it packed, and reads it later: what it thinks of it shows on its own page."""
        packed = base64.b64encode(gzip.compress(scan.sarif.encode(), mtime=0)).decode()
        if len(packed) > SARIF_CHARACTERS:
            message = f"the SARIF document is larger than the {SARIF_CHARACTERS >> 20} MB that GitHub takes"
            raise ScmError(message, "too_long")
        body = {"commit_sha": sha, "ref": scan.ref, "sarif": packed, "tool_name": "pilotage"}
        send, url = self.client.requester.requestJsonAndCheck, f"/repos/{self.repository}/code-scanning/sarifs"
        call("code scanning", "security-events: write", lambda: send("POST", url, input=body), writes=True)

    def close(self) -> None:
        """Let the connections go."""
        self.client.close()


def open(  # noqa: A001
    trigger: Trigger, token: str, patience: Patience, limits: Limits | None = None, between_writes: float = 1.0
) -> GitHub:
    """GitHub as ``trigger`` names it; ``between_writes`` are the seconds GitHub asks clients to leave between two writes."""
    import github

    client = _connected(
        web(limits, patience),
        lambda: github.Github(
            auth=github.Auth.Token(token),
            base_url=(trigger.api_url or PUBLIC_API).rstrip("/"),
            per_page=100,
            retry=0,  # ours are the only retries: PyGithub's own would repeat a POST that may have been done
            seconds_between_requests=0,
            seconds_between_writes=between_writes,
            user_agent="pilotage",
            lazy=True,
        ),
    )
    return GitHub(trigger.repository or "", client, token.startswith("ghs_"))


def _connected(http: Web, make: Callable[[], Github]) -> Github:
    """A client whose connections carry our transport; PyGithub takes connection classes while a client is made."""
    from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

    ours = adapter(http, moved=True)  # PyGithub follows a renamed repository on the same host only

    class Plain(HTTPRequestsConnectionClass):
        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **kwargs)
            self.session.mount("http://", ours)

    class Secure(HTTPSRequestsConnectionClass):
        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **kwargs)
            self.session.mount("https://", ours)

    Requester.injectConnectionClasses(Plain, Secure)
    try:
        return make()
    finally:
        Requester.resetConnectionClasses()


def _gone_is_fine(remove: Callable[[], object]) -> None:
    try:
        remove()
    except ScmError as error:
        if error.kind != "missing":
            raise


def _comment(row: Row) -> Comment:
    """A comment; accounts that were deleted leave none behind as author."""
    user = row.get("user")
    return Comment(int(row["id"]), str(user["login"]) if user is not None else "", str(row.get("body") or ""))


def _note(row: Row, *, replied: bool) -> Comment:
    return replace(
        _comment(row), replied=replied, file=row["path"], line=row.get("line"), start_line=row.get("start_line")
    )


def _pull(row: Row) -> PullRequest:
    head, base = row["head"], row["base"]
    home = (base.get("repo") or {}).get("full_name")
    source = (head.get("repo") or {}).get("full_name")
    return PullRequest(
        number=int(row["number"]),
        head_sha=str(head["sha"]),
        head_branch=str(head["ref"]),
        base_branch=str(base["ref"]),
        base_sha=str(base["sha"]),
        is_fork=True if source is None else source != home,
        open=row.get("state") == "open",
    )


def _ours(rows: Iterable[Row], sha: str) -> tuple[PullRequest, ...]:
    return tuple(pull for pull in map(_pull, rows) if pull.open and pull.head_sha == sha)


def _review_comment(note: Note) -> dict[str, Any]:
    comment: dict[str, Any] = {"path": note.file, "body": _note_body(note), "line": note.end_line, "side": "RIGHT"}
    if note.line != note.end_line:
        comment |= {"start_line": note.line, "start_side": "RIGHT"}
    return comment


def _note_body(note: Note) -> str:
    return suggestion(note, "suggestion")


def _simply(note: Note) -> Note:
    """The note on one line and without suggestion, which GitHub takes where it refuses more."""
    return replace(note, line=note.end_line, suggestion=None)
