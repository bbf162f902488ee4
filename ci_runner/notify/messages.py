"""Makes the body of a message: canonical JSON for generic hooks, Block Kit for Slack."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.config.hooks import Hook
from ci_runner.model.events import Event
from ci_runner.model.registry import GitFacts
from ci_runner.text import Redactor

LIMIT = 20_000
"""Bytes of a body stay below this."""
_TEXT = 2_000


class Secrets(Struct, frozen=True):
    """What a hook keeps elsewhere, as found: its address, signing secrets (the new one first), a proxy."""

    url: str
    signing: tuple[str, ...] = ()
    proxy: str = ""

    def __repr__(self) -> str:
        return "Secrets(…)"


class Message(Struct, frozen=True):
    """One message to one hook. ``id`` stays the same over retries and redelivery; ``attempt`` counts from 1 over all of them."""

    hook: Hook
    secrets: Secrets
    id: str
    event: Event
    body: bytes
    attempt: int = 1

    @property
    def body_hash(self) -> str:
        """SHA-256 of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()


def compose(hook: Hook, secrets: Secrets, event: Event, redact: Redactor, templates: Path | None = None) -> Message:
    """The message that tells ``hook`` of ``event``, with every secret ``redact`` knows taken out."""
    clean = redact.value(event if hook.include_sql else replace(event, sql=""))
    if hook.kind == "slack":
        from ci_runner import render

        body = json.dumps(render.slack(clean, templates), ensure_ascii=False, separators=(",", ":")).encode()
    else:
        body = _canonical(document(clean))
    return Message(hook, secrets, event.id, clean, body)


def document(event: Event) -> dict[str, Any]:
    """The event as generic hooks get it, under the limit: long texts and lists are cut, and ``truncated`` says by how many files."""
    data: dict[str, Any] = {
        "dir": event.dir,
        "env": event.env,
        "outcome": event.outcome,
        "exit_code": event.exit_code,
        "from": event.before,
        "to": event.after,
        "files": list(event.files),
        "findings": dict(event.findings),
        "run_url": event.run_url,
        "git": {"repo": event.git.repo, "sha": event.git.sha, "ref": event.git.ref},
        "actor": dict(event.actor),
        "source": event.source,
        "digest": event.digest,
        "event_id": event.id,
        "error": event.error[:_TEXT],
    }
    if event.sql:
        data["sql"] = event.sql[:_TEXT]
    found = {"type": event.type, "timestamp": event.time, "data": data}
    while len(_canonical(found)) >= LIMIT and data["files"]:
        data["files"] = data["files"][: len(data["files"]) // 2]
        data["truncated"] = len(event.files) - len(data["files"])
    return found if len(_canonical(found)) < LIMIT else _bare(event)


def _bare(event: Event) -> dict[str, Any]:
    """What is left when even a message without files is too long: facts of bounded length."""
    data = {"dir": event.dir, "env": event.env, "outcome": event.outcome, "exit_code": event.exit_code}
    more = {"event_id": event.id, "truncated": len(event.files), "error": event.error[:_TEXT]}
    return {"type": event.type, "timestamp": event.time, "data": {**data, **more}}


def place(url: str) -> str:
    """An address as it may be kept: host and its last four characters."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return f"{host or 'unreadable address'} …{url[-4:]}" if len(url) > len(host) + 24 else host or "unreadable address"


def sample(event_type: str, time: str, event_id: str) -> Event:
    """An event such as ``event_type`` brings, to see what a message looks like."""
    outcome = event_type.partition(".")[2]
    deploy = event_type.startswith(("deploy.", "drift."))
    failed = outcome in {"failed", "in_doubt", "rejected", "integrity_failed"}
    return Event(
        type=event_type,
        time=time,
        id=event_id,
        dir="app",
        env="prod" if deploy else "",
        outcome="test" if event_type == "hook.test" else outcome,
        exit_code={"failed": 1, "in_doubt": 4, "rejected": 3, "integrity_failed": 6}.get(outcome, 0),
        before="20260105090000" if deploy else "41",
        after="20260107120000" if deploy else "42",
        files=("20260107110000_orders.sql", "20260107120000_order_notes.sql"),
        findings={"error": 1, "warning": 2} if event_type.startswith("lint.") else {},
        git=GitFacts("acme/shop", "3f2a9c1d5b7e8f60a1b2c3d4e5f60718293a4b5c", "main"),
        actor={"name": "octocat", "verified": "no"},
        source="registry",
        digest="sha256:" + "8c1f" * 16,
        error='20260107120000_order_notes.sql:3: relation "order_notes" already exists' if failed else "",
    )


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
