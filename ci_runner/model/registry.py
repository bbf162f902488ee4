"""A registry's values: snapshot, entry, outcome of a push."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One file of a snapshot; ``kind``: up, down, repeatable, aux."""

    name: str
    kind: Literal["up", "down", "repeatable", "aux"]
    content: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One immutable directory state, ready to be pushed or just pulled."""

    dialect: str
    format: str
    sum: str
    files: tuple[SnapshotFile, ...]


@dataclass(frozen=True, slots=True)
class GitFacts:
    """Where a push came from; ``ancestry`` answers whether the first commit is an ancestor of the second (None = unknown)."""

    repo: str = ""
    sha: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One log entry as read; ``raw`` are its bytes, ``hash`` their SHA-256 (hex)."""

    seq: int
    prev: str
    kind: str
    manifest: str
    tags: tuple[str, ...]
    git: GitFacts
    actor: Mapping[str, Any]
    time: str
    id: str
    hash: str
    raw: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Pushed:
    """``outcome`` ok, noop, stale or diverged; ``head`` is "<seq>:<sha256 of the entry>"; ``stores`` address → state (ok, behind, failed: …)."""

    outcome: Literal["ok", "noop", "stale", "diverged"]
    seq: int
    digest: str
    head: str
    stores: Mapping[str, str]
    differences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """Something ``verify`` found: where (seq, or None for a blob outside the log) and what."""

    seq: int | None
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """``head`` is the last good head."""

    entries: int
    blobs: int
    head: str
    damages: tuple[Damage, ...] = ()
