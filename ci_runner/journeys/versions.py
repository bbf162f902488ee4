"""Read the registry: pull a version, list versions, verify everything."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from ci_runner import registry, stores
from ci_runner.errors import ConfigError, UsageError
from ci_runner.journeys import publishing
from ci_runner.journeys.ground import Ground
from ci_runner.model.registry import Entry, Reference, Snapshot, Synced

T = TypeVar("T")


def pull(
    ground: Ground, reference: str, folder: Path, *, seq: int | None, digest: str | None, version: str | None
) -> dict[str, Any]:
    """Write a version to ``folder``; what was written, as JSON values."""
    flags = {"seq": seq, "digest": digest, "version": version}
    if reference.startswith("oci://"):
        return publishing.pulled(ground, reference, folder, flags)
    asked = _asked(reference, flags)

    def bring(store: stores.Store) -> tuple[Snapshot, Entry]:
        if asked.selector.kind == "latest":
            registry.refuse_yanked_latest(store, asked.name)
        return registry.pull(store, asked.name, asked.selector)

    snapshot, entry = _read(ground, asked.name, bring)
    registry.write(snapshot, folder)
    files = [file.name for file in snapshot.files]
    tags = list(entry.tags)
    return {"name": asked.name, "seq": entry.seq, "digest": f"sha256:{entry.manifest}", "tags": tags, "files": files}


def _asked(reference: str, flags: Mapping[str, object]) -> Reference:
    """NAME[:TAG] or an address, with one of the flags in place of the tag."""
    given = [(key, value) for key, value in flags.items() if value is not None]
    asked = registry.parse_reference(reference)
    if not given:
        return asked
    if len(given) > 1 or asked.selector.kind != "latest":
        raise UsageError("a version is named once: by TAG, --seq, --digest or --version")
    key, value = given[0]
    return registry.parse_address(f"pilotage://{asked.name}?{urlencode({key: str(value)})}")


def log(ground: Ground, name: str) -> list[dict[str, Any]]:
    """Every entry, oldest first, as JSON values."""
    return _read(ground, name, lambda store: registry.log_document(store, name))


def show(ground: Ground, reference: str) -> dict[str, Any]:
    """One state and its files, as JSON values."""
    asked = registry.parse_reference(reference)
    return _read(ground, asked.name, lambda store: registry.state_document(store, asked.name, asked.selector))


def tags(ground: Ground, name: str) -> list[dict[str, Any]]:
    """The tags that stand, as JSON values."""
    return _read(ground, name, lambda store: registry.tags_document(store, name))


def snapshot(ground: Ground, reference: str) -> tuple[str, Snapshot]:
    """What ``reference`` means, whole: its name with the number of the entry, and its files."""
    asked = registry.parse_reference(reference)
    found, entry = _read(ground, asked.name, lambda store: registry.pull(store, asked.name, asked.selector))
    return f"{asked.name}@{entry.seq}", found


def names(ground: Ground) -> list[str]:
    """The directories the registry holds."""
    return list(registry.list_names(every_store(ground)[0]))


def verify(ground: Ground, name: str | None, anchor: str | None) -> dict[str, Any]:
    """What recomputing every hash found; the directory "" is what belongs to none: format, names that collide, stray blobs."""
    store = every_store(ground)[0]
    if anchor and name is None:
        raise ConfigError("--anchor is the head of one directory: name it")
    found = {name: registry.verify(store, name, anchor)} if name else registry.verify_each(store)
    directories = [
        {
            "name": one,
            "entries": verified.entries,
            "blobs": verified.blobs,
            "head": verified.head,
            "damages": [{"seq": d.seq, "where": d.where, "what": d.what} for d in verified.damages],
        }
        for one, verified in found.items()
        if one or verified.damages
    ]
    return {"ok": not any(one["damages"] for one in directories), "directories": directories}


def sync(ground: Ground) -> Synced:
    """Bring pushes that wait in backups to the primary, and every backup level with it."""
    primary, *backups = every_store(ground)
    return registry.sync(primary, backups, ancestry(ground), registry.jitter(time.sleep, random.random))


def ancestry(ground: Ground) -> Callable[[str, str], bool | None]:
    """Whether the first commit is an ancestor of the second, as far as this clone knows."""
    return ground.git.is_ancestor if ground.git else lambda _older, _newer: None


def every_store(ground: Ground) -> list[stores.Store]:
    """The primary, then the backups in the order of the configuration."""
    return [stores.open(address, ground.environ) for address in addresses(ground)]


def addresses(ground: Ground) -> list[str]:
    """The addresses of the primary and of the backups."""
    if ground.config.registry is None:
        raise ConfigError("which registry? give --registry URL, PILOTAGE_REGISTRY or 'registry:' in pilotage.yml")
    return [ground.config.registry, *ground.config.backups]


def _read(ground: Ground, name: str, action: Callable[[stores.Store], T]) -> T:
    """``action`` on the primary, or on the first backup that can answer, which is said."""
    result, source = registry.read(every_store(ground), name, action)
    for warning in source.warnings:
        ground.note(f"read from {source.address}: {warning}")
    return result
