"""Why CI ran, and what was posted where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from ci_runner.model.report import Severity, Suggestion

TriggerKind = Literal[
    "pull_request", "push", "tag", "merge_queue", "schedule", "manual", "workflow_run", "comment", "local"
]


class Trigger(Struct, frozen=True):
    """A pure reading of environment and event file. None = cannot be known from there; nothing is ever guessed."""

    platform: str  # github gitlab bitbucket azure circleci local
    scm: str | None  # github gitlab bitbucket azure
    kind: TriggerKind
    repository: str | None = None
    pull_request: int | None = None
    base_branch: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    base_sha: str | None = None
    default_branch: str | None = None
    is_fork: bool | None = False
    tag: str | None = None
    actor: str | None = None
    run_url: str | None = None
    api_url: str | None = None
    server_url: str | None = None
    token: str | None = None
    request: str | None = None  # what a comment asks for: the word after /pilotage

    def __repr__(self) -> str:
        return f"Trigger({self.platform}, {self.kind}, {self.repository}, #{self.pull_request}, {self.head_sha})"


StatusState = Literal["success", "failure", "error", "pending"]


class Annotation(Struct, frozen=True):
    """A message the CI system shows beside a line; lines and columns from 1, ``end_column`` one past the last character."""

    level: Severity
    message: str
    title: str = ""
    file: str | None = None
    line: int | None = None
    end_line: int | None = None
    column: int | None = None
    end_column: int | None = None


class Note(Struct, frozen=True):
    """A comment on lines ``line`` … ``end_line`` of a changed file as it is at the head commit.

    ``file`` is the path in the repository. ``fingerprint`` names the finding and stays the same while it lasts, also when its
    line moves. ``body`` is Markdown without the suggestion; the SCM adds that in its own form where it has one.
    """

    fingerprint: str
    file: str
    line: int
    end_line: int
    body: str
    suggestion: Suggestion | None = None


class Status(Struct, frozen=True):
    """A commit status: ``context`` is its stable name, ``url`` where its link leads ("" = nowhere)."""

    context: str
    state: StatusState
    description: str
    url: str = ""


class Scan(Struct, frozen=True):
    """Findings for a host's code scanning: ``sarif`` is the SARIF document, ``ref`` the full name of the ref it is about."""

    sarif: str
    ref: str


class Publication(Struct, frozen=True):
    """Everything one run wants to be seen, as finished text; who posts it adds marker lines and nothing else.

    ``key`` names the comment: one comment a key. ``comment`` is its Markdown, ``brief`` a few lines that stand in for it when the
    host finds it too long, None means no comment at all. ``create`` False only changes a comment that is there already
    (the change touches no migration any more). ``notes`` are all notes of this run: own notes of the key that are not among
    them are taken back. ``outputs`` go to later steps.
    """

    key: str
    comment: str | None = None
    brief: str = ""
    create: bool = True
    notes: tuple[Note, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    summary: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    status: Status | None = None
    scan: Scan | None = None


class PullRequest(Struct, frozen=True):
    """What the SCM knows of a pull request. ``base_sha`` is the tip of the base branch, ``is_fork`` None when its head is gone."""

    number: int
    head_sha: str
    head_branch: str
    base_branch: str
    base_sha: str
    is_fork: bool | None
    open: bool = True


class Comment(Struct, frozen=True):
    """A comment as the SCM shows it.

    ``replied`` says that others answered it, ``thread`` names its thread where the SCM has such, ``version`` counts its changes where a
    change has to say which one it is of. A line note stands on
    ``start_line`` (None = ``line``) to ``line`` of ``file``; ``line`` is None once the lines are gone.
    """

    id: int
    author: str
    body: str
    replied: bool = False
    thread: str = ""
    file: str | None = None
    line: int | None = None
    start_line: int | None = None
    version: int = 0


class Posted(Struct, frozen=True):
    """What publishing did: ``done`` in a few words each, ``warnings`` say what could not be posted, why, and what would help."""

    done: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
