"""GitLab, on gitlab.com and self-managed, by python-gitlab on our own transport."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec.structs import replace

from ci_runner.http import Limits, Patience, adapter, web
from ci_runner.model.ci import Comment, Note, PullRequest, Status, Trigger
from ci_runner.scm.bodies import fitted, same_text, shorten, suggestion
from ci_runner.scm.diff import hunks, old_lines, place, post_each, still_head
from ci_runner.scm.failure import ScmError
from ci_runner.scm.gitlab_errors import call

if TYPE_CHECKING:
    from gitlab import Gitlab

PUBLIC = "https://gitlab.com/api/v4"
COMMENT_CHARACTERS = 1_000_000
DESCRIPTION_CHARACTERS = 255
MOST_ITEMS = 50_000

_STATES = {"success": "success", "failure": "failed", "error": "failed", "pending": "pending"}
# python-gitlab would wait by itself, without a bound for the whole run
_OURS: dict[str, Any] = {"obey_rate_limit": False, "retry_transient_errors": False}
_OPEN = {"state": "opened", "order_by": "updated_at"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GitLab:
    """One project on GitLab; a pull request is a merge request there, known by its number within the project (iid)."""

    repository: str
    client: Gitlab = field(repr=False)
    name: str = "gitlab"
    comment_limit: int = COMMENT_CHARACTERS

    @property
    def _project(self) -> str:
        return f"/projects/{quote(self.repository, safe='')}"

    def _rows(self, path: str, **query: str) -> Iterator[Row]:
        found: Any = self.client.http_list(self._project + path, {"per_page": 100, **query}, iterator=True, **_OURS)
        return islice(found, MOST_ITEMS)

    def _get(self, path: str, **query: Any) -> Row:
        found: Any = self.client.http_get(path, query, **_OURS)
        return dict(found)

    def author(self) -> str:
        """The token's user; the tokens of projects and groups have a bot user of their own."""
        return call("who the token belongs to", lambda: str(self._get("/user")["username"]))

    def pull_request(self, number: int) -> PullRequest:
        """The merge request of this number."""
        return call(
            f"merge request !{number}", lambda: _merge_request(self._get(f"{self._project}/merge_requests/{number}"))
        )

    def pull_requests_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Open merge requests with this head; where GitLab knows none by the commit (forks), all open ones are looked through."""

        def found() -> tuple[PullRequest, ...]:
            by_commit = _ours(self._rows(f"/repository/commits/{sha}/merge_requests"), sha)
            return by_commit or _ours(self._rows("/merge_requests", **_OPEN), sha)

        try:
            return call(f"merge requests of commit {sha[:12]}", found)
        except ScmError as error:
            if error.kind != "missing":
                raise
        return call(
            "the open merge requests",
            lambda: _ours(self._rows("/merge_requests", **_OPEN), sha),
        )

    def open_pull_requests(self, most: int) -> tuple[PullRequest, ...]:
        """Open merge requests, the most lately updated first."""

        def listed() -> tuple[PullRequest, ...]:
            rows = islice(self._rows("/merge_requests", **_OPEN), most)
            return tuple(_merge_request(row) for row in rows)

        return call("the open merge requests", listed)

    def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths of the files that are there after the change."""

        def listed() -> tuple[str, ...]:
            rows = self._rows(f"/merge_requests/{number}/diffs")
            return tuple(str(row["new_path"]) for row in rows if not row.get("deleted_file"))

        return call("the changed files", listed)

    def merge_base(self, base: str, head: str) -> str | None:
        """The merge base, None where GitLab finds none."""

        def found() -> str | None:
            row = self._get(f"{self._project}/repository/merge_base", **{"refs[]": [base, head]})
            return str(row["id"]) if row.get("id") else None

        try:
            return call(f"the merge base of {base[:12]} and {head[:12]}", found)
        except ScmError as error:
            if error.kind == "missing" and "Merge Base" in str(error):
                return None
            raise

    def default_branch(self) -> str:
        """The project's default branch."""
        return call("the default branch", lambda: str(self._get(self._project)["default_branch"]))

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All notes of the conversation that people or programs wrote; GitLab's own remarks are none."""

        def listed() -> tuple[Comment, ...]:
            rows = self._rows(f"/merge_requests/{number}/notes", sort="asc", order_by="created_at")
            return tuple(_comment(row) for row in rows if not row.get("system") and row.get("type") != "DiffNote")

        return call("the comments", listed)

    def create_comment(self, number: int, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Add a note to the conversation."""
        self._write("a new comment", "post", f"/merge_requests/{number}/notes", {"body": body})

    def update_comment(self, number: int, comment: Comment, body: str, *, done: bool = False) -> None:  # noqa: ARG002
        """Replace a note's text."""
        self._write("a change of the comment", "put", f"/merge_requests/{number}/notes/{comment.id}", {"body": body})

    def delete_comment(self, number: int, comment: Comment) -> None:
        """Remove a note; one that is gone already is fine."""
        try:
            self._write("the removal of a comment", "delete", f"/merge_requests/{number}/notes/{comment.id}", None)
        except ScmError as error:
            if error.kind != "missing":
                raise

    def _write(self, what: str, verb: str, path: str, data: Mapping[str, Any] | None) -> None:
        sent = None if data is None else dict(data)
        path = self._project + path
        call(what, lambda: self.client.http_request(verb, path, post_data=sent, **_OURS), writes=verb == "post")

    def notes(self, number: int) -> tuple[Comment, ...]:
        """The first note of each thread on lines."""

        def listed() -> tuple[Comment, ...]:
            rows = list(self._rows(f"/merge_requests/{number}/discussions"))
            return tuple(_line_note(row) for row in rows if row["notes"] and row["notes"][0].get("type") == "DiffNote")

        return call("the line notes", listed)

    def create_notes(self, number: int, head_sha: str, notes: Sequence[Note]) -> tuple[Note, ...]:
        """A thread for each note; one that GitLab refuses for its place is left out."""
        refs = call(
            f"merge request !{number}", lambda: dict(self._get(f"{self._project}/merge_requests/{number}")["diff_refs"])
        )
        still_head(head_sha, str(refs["head_sha"]), f"!{number}")
        shown = call(
            "the changed files", lambda: {row["new_path"]: row for row in self._rows(f"/merge_requests/{number}/diffs")}
        )
        placed = [
            each
            for note in notes
            if note.file in shown and (each := place(note, hunks(shown[note.file].get("diff") or "")))
        ]
        return post_each(placed, lambda note: self._discuss(number, refs, shown[note.file], note))

    def _discuss(self, number: int, refs: Row, row: Row, note: Note) -> None:
        position = {
            "position_type": "text",
            **{name: refs[name] for name in ("base_sha", "start_sha", "head_sha")},
            "old_path": row["old_path"],
            "new_path": row["new_path"],
            "new_line": note.end_line,
        }
        old = old_lines(row.get("diff") or "").get(note.end_line)
        if old is not None:
            position["old_line"] = old
        body = {"body": _note_body(note), "position": position}
        self._write("a note on a line", "post", f"/merge_requests/{number}/discussions", body)

    def update_note(self, number: int, comment: Comment, note: Note) -> None:
        """Replace a note's text; its suggestion stays only where the note stands on the last line that it replaces."""
        body = _note_body(fitted(note, comment))
        if not same_text(body, comment.body):
            path = f"/merge_requests/{number}/discussions/{comment.thread}/notes/{comment.id}"
            self._write("a change of a line note", "put", path, {"body": body})

    def retire_note(self, number: int, comment: Comment, body: str) -> None:
        """Delete the note, unless people answered it: then it says ``body`` and its thread is resolved."""
        if not comment.replied:
            self.delete_comment(number, comment)
        elif not same_text(body, comment.body):
            thread = f"/merge_requests/{number}/discussions/{comment.thread}"
            self._write("a change of a line note", "put", f"{thread}/notes/{comment.id}", {"body": body})
            self._write("resolving a thread", "put", thread, {"resolved": True})

    def set_status(self, sha: str, status: Status) -> None:
        """Set the status, unless it says the same; where only the words would differ, GitLab keeps the first ones."""
        state, words = _STATES[status.state], shorten(status.description, DESCRIPTION_CHARACTERS)
        path = f"/repository/commits/{sha}/statuses"
        there = call("the commit statuses", lambda: list(self._rows(path, name=status.context)))
        says = ((row.get("name"), row.get("status"), row.get("description")) for row in there)
        if (status.context, state, words) in says:
            return
        link = {"target_url": status.url} if status.url else {}
        try:
            self._write(
                "a commit status",
                "post",
                f"/statuses/{sha}",
                {"state": state, "description": words, "name": status.context, **link},
            )
        except ScmError as error:
            if "Cannot transition" not in str(error):
                raise

    def close(self) -> None:
        """Let the connections go."""
        self.client.session.close()


def open(trigger: Trigger, token: str, patience: Patience, limits: Limits | None = None) -> GitLab:  # noqa: A001
    """GitLab as ``trigger`` names it, with a personal, project or group access token."""
    import gitlab
    import requests

    session = requests.Session()
    ours = adapter(web(limits, patience))
    for scheme in ("http://", "https://"):
        session.mount(scheme, ours)
    client = gitlab.Gitlab(
        (trigger.api_url or PUBLIC).rstrip("/").removesuffix("/api/v4"),
        private_token=token,
        user_agent="pilotage",
        keep_base_url=True,
        session=session,
    )
    return GitLab(trigger.repository or "", client)


def _note_body(note: Note) -> str:
    above = note.suggestion.end_line - note.suggestion.line if note.suggestion else 0
    return suggestion(note, f"suggestion:-{above}+0")


def _comment(row: Row) -> Comment:
    return Comment(int(row["id"]), str(row["author"]["username"]), str(row.get("body") or ""))


def _line_note(row: Row) -> Comment:
    first, *answers = row["notes"]
    position = first.get("position") or {}
    replied = any(not each.get("system") for each in answers)
    return replace(
        _comment(first),
        replied=replied,
        thread=str(row["id"]),
        file=position.get("new_path"),
        line=position.get("new_line"),
    )


def _merge_request(row: Row) -> PullRequest:
    """``diff_refs``, and with it the base commit, is only there when one merge request is asked for."""
    return PullRequest(
        number=int(row["iid"]),
        head_sha=str(row["sha"]),
        head_branch=str(row["source_branch"]),
        base_branch=str(row["target_branch"]),
        base_sha=str((row.get("diff_refs") or {}).get("start_sha") or ""),
        is_fork=row.get("source_project_id") != row["target_project_id"],
        open=row.get("state") == "opened",
    )


def _ours(rows: Iterator[Row], sha: str) -> tuple[PullRequest, ...]:
    return tuple(pull for pull in map(_merge_request, rows) if pull.open and pull.head_sha == sha)
