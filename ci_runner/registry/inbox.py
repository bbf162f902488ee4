"""The inbox of a backup: pushes it keeps while the primary is down, without inventing a sequence number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_runner.errors import IntegrityError
from ci_runner.model.registry import GitFacts
from ci_runner.registry import canonical, chain, commit, entries, keys
from ci_runner.registry.commit import Pause
from ci_runner.registry.pushing import Request
from ci_runner.stores import Store


@dataclass(frozen=True, slots=True)
class Waiting:
    """One push in an inbox."""

    key: str
    name: str
    manifest: str
    tags: tuple[str, ...]
    git: GitFacts
    actor: Mapping[str, Any]
    time: str
    id: str
    raw: bytes = field(repr=False)


def put(store: Store, wanted: Request, pause: Pause) -> None:
    """Keep a push: files, manifest, and then the inbox entry that makes it count."""
    commit.put_format(store, pause)
    head = chain.head(store, wanted.name)
    there = [file.sha256 for file in chain.manifest(store, head.latest.manifest).files] if head else []
    commit.put_state(store, wanted.snapshot, wanted.manifest, there, pause)
    raw = canonical.dumps(
        {
            "v": 1,
            "name": wanted.name,
            "manifest": wanted.manifest.digest,
            "tags": list(wanted.tags),
            "git": entries.git_value(wanted.git),
            "actor": dict(wanted.actor),
            "time": wanted.time,
            "id": wanted.id,
        }
    )
    key = f"{keys.inbox(wanted.name)}{canonical.sha256(raw)}.json"
    if commit.settle(store, key, raw, pause) != raw:
        raise IntegrityError(
            f"{key} in {store.address} is damaged: its bytes are not what its name says; verify the registry"
        )


def waiting(store: Store, name: str) -> tuple[Waiting, ...]:
    """The pushes that wait for the primary; IntegrityError for one whose bytes are not what its key says."""
    return tuple(_read(store, name, key) for key in sorted(store.list(keys.inbox(name))))


def _read(store: Store, name: str, key: str) -> Waiting:
    raw = store.get(key, keys.TEXT_LIMIT) or b""
    if key != f"{keys.inbox(name)}{canonical.sha256(raw)}.json":
        raise IntegrityError(f"{key} in {store.address} is damaged: its bytes are not what its name says")
    # An inbox entry is a log entry without its place in a log: read as the first of an empty one, it gets the same strict checks.
    value = canonical.loads(raw, key) | {"seq": 1, "prev": keys.NO_ENTRY, "kind": "push"}
    entry = entries.decode(canonical.dumps(value), 1, name)
    return Waiting(key, name, entry.manifest, entry.tags, entry.git, entry.actor, entry.time, entry.id, raw)
