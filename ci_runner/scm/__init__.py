"""Where the pull request lives: the door to the SCMs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, runtime_checkable

from ci_runner.errors import UsageError
from ci_runner.http import Patience
from ci_runner.model.ci import Comment, Note, PullRequest, Scan, Status, Trigger
from ci_runner.scm.failure import ScmError

__all__ = ["NAMES", "Scanner", "Scm", "ScmError", "needs", "open", "own_bitbucket"]


class Scm(Protocol):
    """An SCM as one repository on it; every method raises ScmError and nothing else."""

    @property
    def name(self) -> str:
        """The SCM's name, as in the trigger."""

    @property
    def repository(self) -> str:
        """The repository as its people write it."""

    @property
    def comment_limit(self) -> int:
        """The characters a comment may have, marker line included."""

    def author(self) -> str:
        """The account whose comments are our own."""

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of this number."""

    def pull_requests_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Open pull requests whose head is this commit, also those from forks."""

    def open_pull_requests(self, most: int) -> tuple[PullRequest, ...]:
        """Open pull requests, at most so many, the most lately touched first where the SCM sorts them."""

    def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths in the repository that the pull request adds, changes or renames to."""

    def merge_base(self, base: str, head: str) -> str | None:
        """The commit that two commits come from; None when they share none."""

    def default_branch(self) -> str:
        """The branch that merges go to."""

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments of the conversation, oldest first, of everybody."""

    def create_comment(self, number: int, body: str, *, done: bool = False) -> None:
        """Add a comment to the conversation; ``done`` says that it asks nothing of anybody, for SCMs that count open comments."""

    def update_comment(self, number: int, comment: Comment, body: str, *, done: bool = False) -> None:
        """Replace a comment's text; ``done`` as above."""

    def delete_comment(self, number: int, comment: Comment) -> None:
        """Remove a comment."""

    def notes(self, number: int) -> tuple[Comment, ...]:
        """All comments on lines, oldest first, of everybody; answers to them are not among them but make them ``replied``."""

    def create_notes(self, number: int, head_sha: str, notes: Sequence[Note]) -> tuple[Note, ...]:
        """Put notes on lines in one go; returns those that could be placed (their lines are part of the change)."""

    def update_note(self, number: int, comment: Comment, note: Note) -> None:
        """Replace a line comment's text by the note's, if it is not that already."""

    def retire_note(self, number: int, comment: Comment, body: str) -> None:
        """Take a note back: remove it, or where people answered, say ``body`` in its place."""

    def set_status(self, sha: str, status: Status) -> None:
        """Set a commit status, unless the newest of its context says the same."""

    def close(self) -> None:
        """Let connections go."""


@runtime_checkable
class Scanner(Protocol):
    """An SCM that keeps findings across commits by itself."""

    def upload_scan(self, sha: str, scan: Scan) -> None:
        """Hand it the findings of a commit; they replace those of an earlier upload for the same ref."""


_API = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s?#]*)?\Z")
NAMES = ("github", "gitlab", "bitbucket", "azure")
# what a token needs to post everything, and where it comes from
_NEEDS = {
    "github": "one that has pull-requests: write and statuses: write",
    "gitlab": "a project access token with scope api and role Developer in a masked variable; CI_JOB_TOKEN may not comment",
    "bitbucket": "a repository access token with scopes pullrequest:write and repository:write in BITBUCKET_ACCESS_TOKEN",
    "azure": "the job's own with 'env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)'; it may need 'Contribute to pull requests'",
}
_DATA_CENTER = "an HTTP access token with repository read in BITBUCKET_ACCESS_TOKEN, of an account that may comment"


def needs(trigger: Trigger) -> str:
    """What a token for this trigger's SCM has to be able to, and where it comes from."""
    return _DATA_CENTER if own_bitbucket(trigger) else _NEEDS.get(trigger.scm or "", "one that may comment")


def own_bitbucket(trigger: Trigger) -> bool:
    """Whether the SCM is a Bitbucket Data Center, which shares nothing but its name with the one in the cloud."""
    return trigger.scm == "bitbucket" and (trigger.api_url or "").rstrip("/").endswith("/rest/api/1.0")


def open(trigger: Trigger, token: str, patience: Patience | None = None) -> Scm:  # noqa: A001
    """The SCM of a trigger; makes no request. ``patience`` bounds the waiting of the whole run.

    Raises UsageError where the trigger names no SCM that is known here, no repository, or an API address that is none.
    """
    if trigger.scm not in NAMES:
        raise UsageError(
            f"no pull request host is known for platform '{trigger.platform}' and SCM '{trigger.scm}' (known: {', '.join(NAMES)})"
        )
    if not trigger.repository:
        raise UsageError(f"the environment does not name the repository; {trigger.scm} cannot be asked without it")
    if trigger.api_url is not None and not _API.match(trigger.api_url):
        raise UsageError(
            f"the API address of {trigger.scm} in the environment is no http(s) address: {trigger.api_url[:100]!r}"
        )
    module = "datacenter" if own_bitbucket(trigger) else trigger.scm
    made: Scm = import_module(f"ci_runner.scm.{module}").open(trigger, token, patience or Patience())
    return made
