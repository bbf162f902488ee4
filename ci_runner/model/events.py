"""What webhooks, the audit log and telemetry hear of: one event, and what became of sending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from ci_runner.model.registry import GitFacts

TYPES = (
    "lint.passed", "lint.failed",
    "push.succeeded", "push.degraded", "push.rejected",
    "deploy.started", "deploy.succeeded", "deploy.failed", "deploy.in_doubt", "deploy.waiting_approval",
    "drift.detected",
    "registry.integrity_failed", "registry.backup_behind",
    "hook.test",
)  # fmt: skip


class Event(Struct, frozen=True):
    """Something that happened and is recorded already.

    ``time`` is RFC 3339 in UTC, ``id`` 32 hex digits that stay the same wherever the event is told. ``before`` and ``after`` are the
    versions a run led from and to, ``files`` the migrations it was about, ``findings`` severity → count, ``error`` and ``sql`` (the
    statement that failed) redacted. "" and empty where something does not apply.
    """

    type: str
    time: str
    id: str
    dir: str = ""
    env: str = ""
    outcome: str = ""
    exit_code: int = 0
    before: str = ""
    after: str = ""
    files: tuple[str, ...] = ()
    findings: Mapping[str, int] = field(default_factory=dict)
    run_url: str = ""
    git: GitFacts = GitFacts()
    actor: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    digest: str = ""
    error: str = ""
    sql: str = ""

    @property
    def family(self) -> str:
        """The part of the type before the point: outcomes are compared within it."""
        return self.type.partition(".")[0]


class Delivery(Struct, frozen=True):
    """One attempt to hand a message to a hook.

    ``id`` is that of the message and stays the same over all attempts. ``status`` is the HTTP status, 0 when there was no answer,
    and ``answer`` its first 512 bytes or why there was none. ``state``: ``delivered``, ``failed`` (to be tried again until it expires),
    ``refused`` (permanently) or ``gone`` (410: the hook rests until its address changes). ``place`` is the host with the address's last
    four characters, ``time`` RFC 3339 with milliseconds, ``next_try`` RFC 3339 or "". ``body`` is what was sent, ``body_hash`` its SHA-256 in hex.
    """

    id: str
    event_id: str
    type: str
    hook: str
    place: str
    attempt: int
    time: str
    state: Literal["delivered", "failed", "refused", "gone"]
    status: int = 0
    milliseconds: int = 0
    answer: str = ""
    next_try: str = ""
    body_hash: str = ""
    body: str = ""
    dir: str = ""
    env: str = ""
    outcome: str = ""


class Recorded(Struct, frozen=True):
    """One entry of an environment's own chain: what a run did to its databases.

    ``kind``: deploy, down, baseline, adopt, resolve. ``data`` is the audit record: outcome, exit code, from and to,
    files with hashes, statements and their times, source, plan, tool, database. ``hash`` is the SHA-256 (hex) of the ``raw`` bytes.
    """

    seq: int
    prev: str
    name: str
    env: str
    kind: str
    time: str
    id: str
    actor: Mapping[str, Any]
    data: Mapping[str, Any]
    hash: str = ""
    raw: bytes = b""
