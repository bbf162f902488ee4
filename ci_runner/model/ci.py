"""Why CI ran, and what was posted where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TriggerKind = Literal[
    "pull_request", "push", "tag", "merge_queue", "schedule", "manual", "workflow_run", "comment", "local"
]


@dataclass(frozen=True, slots=True)
class Trigger:
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
    job_url: str | None = None
    api_url: str | None = None
    server_url: str | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """What publishing did: ``done`` in a few words each, ``warnings`` say what could not be posted, why, and what would help."""

    done: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
