"""A registry's values: snapshot, entry, outcome of a push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field


class SnapshotFile(Struct, frozen=True):
    """One file of a snapshot; ``kind``: up, down, repeatable, aux."""

    name: str
    kind: Literal["up", "down", "repeatable", "aux"]
    content: bytes


class Snapshot(Struct, frozen=True):
    """One immutable directory state, ready to be pushed or just pulled."""

    dialect: str
    format: str
    sum: str
    files: tuple[SnapshotFile, ...]


class ManifestFile(Struct, frozen=True):
    """One line of a manifest: name, kind, hash (hex) and size in bytes, without the content."""

    name: str
    kind: Literal["up", "down", "repeatable", "aux"]
    sha256: str
    size: int


class Manifest(Struct, frozen=True):
    """A snapshot without its bytes; ``digest`` is the SHA-256 (hex) of the manifest's own ``raw`` bytes."""

    dialect: str
    format: str
    sum: str
    files: tuple[ManifestFile, ...]
    digest: str
    raw: bytes


class Selector(Struct, frozen=True):
    """Which state of a name is meant; ``value`` is the tag, the migration version, the digest (hex) or the sequence number."""

    kind: Literal["latest", "tag", "version", "digest", "seq"] = "latest"
    value: str = ""


class Reference(Struct, frozen=True):
    """A directory in a registry and the state of it that is meant."""

    name: str
    selector: Selector = Selector()


class GitFacts(Struct, frozen=True):
    """Where a push came from: repository, commit, ref; "" where it is not known."""

    repo: str = ""
    sha: str = ""
    ref: str = ""


class Latest(Struct, frozen=True):
    """The entry that ``latest`` stands for: the last push or rewrite, its manifest and the commit it came from."""

    seq: int
    manifest: str
    git: GitFacts


class TagAt(Struct, frozen=True):
    """What a tag stands for: the entry that last named it, that entry's manifest (hex) and time."""

    seq: int
    manifest: str
    time: str


class TagIndex(Struct, frozen=True):
    """All tags of a log as they stand after an entry, spread over 256 buckets by the first two hex digits of their SHA-256.

    ``at``: bucket → the entry that holds it as it is now; a bucket that is not there is empty. ``tags``: what the buckets hold that are
    held by this very entry.
    """

    at: Mapping[str, int]
    tags: Mapping[str, TagAt]


class Entry(Struct, frozen=True):
    """One log entry as read; ``raw`` are its bytes, ``hash`` their SHA-256 (hex), ``name`` the directory whose log it is in.

    ``latest`` is what the last push or rewrite was (None in those themselves, and in entries that do not say). No entry after
    ``tagged`` and before this one names tags, none after ``yanked`` is a yank, none after ``rewritten`` a rewrite (None = not said).
    ``index`` are the tags that stand (None = not said). ``differences`` are what a rewrite removed or changed.
    """

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
    raw: bytes = b""
    latest: Latest | None = None
    tagged: int | None = None
    yanked: int | None = None
    rewritten: int | None = None
    index: TagIndex | None = None
    differences: tuple[str, ...] = ()
    reason: str = ""
    name: str = ""


class Pushed(Struct, frozen=True):
    """What a push came to: ``outcome`` ok, noop, stale or diverged (nothing written).

    ``seq`` is the entry that holds this state: written now, or found; for a stale or diverged push without an entry of its own,
    that of the registry's latest. ``digest`` is this state's, "sha256:<hex>". ``head`` is "<seq>:<sha256>" of the last entry of the log.
    ``stores``: address → ok, inbox (kept there until the primary is back), or failed: why. ``degraded``: the primary could not be
    used and a backup took the push; ``seq`` is 0 and ``head`` "" then. ``reason``: one sentence on why it is not ok and what to do.
    ``tagged``: the tags that this push set.
    """

    outcome: Literal["ok", "noop", "stale", "diverged"]
    seq: int
    digest: str
    head: str
    stores: Mapping[str, str]
    differences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str = ""
    degraded: bool = False
    tagged: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0, or 3 (conflict) for a diverged push."""
        return 3 if self.outcome == "diverged" else 0


class Source(Struct, frozen=True):
    """Where something was read: the store's address, and what a reader must know (a store that was passed over, pushes not yet in it)."""

    address: str
    warnings: tuple[str, ...] = ()


class Synced(Struct, frozen=True):
    """What reconciling did: ``stores`` address → ok or failed: why, ``replayed`` pushes brought to the primary, ``kept`` those that could not be."""

    stores: Mapping[str, str]
    replayed: int = 0
    kept: tuple[str, ...] = ()


class Damage(Struct, frozen=True):
    """Something ``verify`` found: where (seq, or None for a blob outside the log) and what."""

    seq: int | None
    where: str
    what: str


class Verified(Struct, frozen=True):
    """What ``verify`` read: counts, and in ``heads`` for each name "<seq>:<sha256>" of the last entry up to which all is well ("" = none).

    ``head`` is that of the name asked for, or of the only one.
    """

    entries: int
    blobs: int
    head: str
    damages: tuple[Damage, ...] = ()
    heads: Mapping[str, str] = field(default_factory=dict)


class Checked(Struct, frozen=True):
    """What trying out a store found: ``problems`` that forbid a registry in it, ``rights`` → yes, no or unknown."""

    store: str
    problems: tuple[str, ...] = ()
    rights: Mapping[str, str] = field(default_factory=dict)
