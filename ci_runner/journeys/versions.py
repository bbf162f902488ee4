"""Read the registry: pull a version, list versions, verify everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ci_runner import registry, stores
from ci_runner.errors import ConfigError
from ci_runner.journeys.ground import Ground


def pull(
    ground: Ground, reference: str, folder: Path, *, seq: int | None, digest: str | None, version: str | None
) -> dict[str, Any]:
    """Write a version to ``folder``; what was written, as JSON values."""
    name, tag = registry.parse_reference(reference)
    selector = registry.selector(tag=tag, seq=seq, digest=digest, version=version)
    snapshot, entry = registry.pull(_store(ground), name, selector)
    registry.write(snapshot, folder)
    files = [file.name for file in snapshot.files]
    return {"name": name, "seq": entry.seq, "digest": registry.digest(entry), "tags": list(entry.tags), "files": files}


def log(ground: Ground, name: str) -> list[dict[str, Any]]:
    """Every entry, oldest first, as JSON values."""
    return [registry.described(*pair) for pair in registry.log(_store(ground), name)]


def names(ground: Ground) -> list[str]:
    """The directories the registry holds."""
    return list(registry.names(_store(ground)))


def verify(ground: Ground, name: str | None, anchor: str | None) -> dict[str, Any]:
    """What recomputing every hash found."""
    store = _store(ground)
    if anchor and name is None:
        raise ConfigError("--anchor is the head of one directory: name it")
    wanted = [name] if name else list(registry.names(store))
    found = [(one, registry.verify(store, one, anchor)) for one in wanted]
    directories = [
        {
            "name": one,
            "entries": verified.entries,
            "blobs": verified.blobs,
            "head": verified.head,
            "damages": [{"seq": d.seq, "where": d.where, "what": d.what} for d in verified.damages],
        }
        for one, verified in found
    ]
    return {"ok": not any(one["damages"] for one in directories), "directories": directories}


def _store(ground: Ground) -> stores.Store:
    if ground.config.registry is None:
        raise ConfigError("which registry? give --registry URL, PILOTAGE_REGISTRY or 'registry:' in pilotage.yml")
    return stores.open(ground.config.registry)
