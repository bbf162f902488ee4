"""The registry: every merged state of a migration directory, in a store, in one verifiable order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ci_runner.model.registry import Entry, GitFacts, Pushed, Selector, Snapshot
from ci_runner.registry import chain, pushing, syncing
from ci_runner.registry import tags as tags_
from ci_runner.registry.anchors import applied_bytes, deployable, digest, holds, taken_away
from ci_runner.registry.chain import is_registry, list_names, log, manifest
from ci_runner.registry.checking import FirstUse, check, refuse
from ci_runner.registry.commit import Pause, jitter, put_format
from ci_runner.registry.marking import mark, refuse_yanked_latest, yank
from ci_runner.registry.mirroring import Copy, copied, mirror
from ci_runner.registry.names import file_names_fault
from ci_runner.registry.output import write
from ci_runner.registry.policies import CLOUDS, ROLES, policy
from ci_runner.registry.prefix import Ancestry
from ci_runner.registry.reading import find, pull
from ci_runner.registry.references import parse_address, parse_reference
from ci_runner.registry.snapshots import snapshot, tree
from ci_runner.registry.syncing import read, sync
from ci_runner.registry.verification import parse_anchor, verify, verify_each
from ci_runner.stores import Store

__all__ = [
    "CLOUDS",
    "ROLES",
    "Copy",
    "FirstUse",
    "applied_bytes",
    "check",
    "copied",
    "deployable",
    "digest",
    "file_names_fault",
    "holds",
    "is_registry",
    "jitter",
    "list_names",
    "log",
    "log_document",
    "manifest",
    "mirror",
    "parse_address",
    "parse_anchor",
    "parse_reference",
    "policy",
    "pull",
    "push",
    "put_format",
    "read",
    "refuse",
    "refuse_yanked_latest",
    "snapshot",
    "state_document",
    "sync",
    "tags_document",
    "taken_away",
    "tree",
    "verify",
    "verify_each",
    "write",
    "yank",
]


def push(
    store: Store,
    name: str,
    snapshot: Snapshot,
    *,
    tags: Iterable[str] = (),
    git: GitFacts,
    ancestry: Ancestry,
    actor: Mapping[str, Any],
    clock: Callable[[], datetime],
    nonce: Callable[[], str],
    pause: Pause,
    backups: Sequence[Store] = (),
    allow_rewrite: bool = False,
    move_tag: bool = False,
) -> Pushed:
    """Put a state of the directory ``name`` into the registry in ``store``.

    ``ancestry(a, b)`` says whether commit a is an ancestor of commit b (None = not known here), ``actor`` is any JSON object,
    ``clock`` gives an aware time (for the record only), ``nonce`` 32 hex digits, ``pause`` waits between rounds (``jitter``).
    ``backups`` get a copy in their order; while the primary cannot be used they keep the push, which is then ``degraded``.
    A diverged push writes nothing and is returned, with exit code 3. Raises UsageError and RefusedError before anything is read,
    ConflictError for a tag that may not move or a name that collides, TemporaryError, SetupError and IntegrityError from the store.
    """
    wanted = pushing.request(
        name,
        snapshot,
        tags=tags,
        git=git,
        ancestry=ancestry,
        actor=actor,
        clock=clock,
        nonce=nonce,
        allow_rewrite=allow_rewrite,
        move_tag=move_tag,
    )
    return syncing.push(store, backups, wanted, pause)


def log_document(store: Store, name: str) -> list[dict[str, Any]]:
    """The log as plain values, oldest first: seq, kind, digest, tags, files, time, git, actor, id, prev, hash."""
    known: dict[str, list[dict[str, Any]]] = {}
    document = []
    for entry in log(store, name):
        if entry.manifest not in known:
            files = manifest(store, entry.manifest).files
            known[entry.manifest] = [
                {"name": file.name, "kind": file.kind, "sha256": file.sha256, "size": file.size} for file in files
            ]
        document.append(_entry_document(entry, known[entry.manifest]))
    return document


def tags_document(store: Store, name: str) -> list[dict[str, Any]]:
    """The tags that stand, sorted: tag, seq, digest, time."""
    head = chain.existing(store, name)
    return [
        {"tag": tag, "seq": at.seq, "digest": f"sha256:{at.manifest}", "time": at.time}
        for tag, at in tags_.read(store, name, head.last).every().items()
    ]


def state_document(store: Store, name: str, selector: Selector) -> dict[str, Any]:
    """One state as plain values: its entry as in the log, dialect, format, all tags that stand for it, and why it was yanked, if it was."""
    entry = find(store, name, selector)
    head = chain.existing(store, name)
    found = manifest(store, entry.manifest)
    files = [{"name": each.name, "kind": each.kind, "sha256": each.sha256, "size": each.size} for each in found.files]
    every = tags_.read(store, name, head.last).every()
    standing = [tag for tag, at in every.items() if at.manifest == entry.manifest]
    yanked = mark(store, name, head.last, entry)
    more = {"yanked": yanked.reason} if yanked else {}
    facts = {"name": name, "dialect": found.dialect, "format": found.format, "sum": found.sum}
    return _entry_document(entry, files) | facts | {"tags": standing} | more


def _entry_document(entry: Entry, files: list[dict[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "seq": entry.seq,
        "kind": entry.kind,
        "digest": f"sha256:{entry.manifest}",
        "tags": list(entry.tags),
        "files": files,
        "time": entry.time,
        "git": {"repo": entry.git.repo, "sha": entry.git.sha, "ref": entry.git.ref},
        "actor": dict(entry.actor),
        "id": entry.id,
        "prev": entry.prev,
        "hash": entry.hash,
    }
    return document | ({"reason": entry.reason} if entry.reason else {})
