"""Read the registry: pull a version, list versions, verify everything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ci_runner import registry, stores
from ci_runner.errors import ConfigError, UsageError
from ci_runner.journeys.ground import Ground
from ci_runner.model.registry import Reference


def pull(
    ground: Ground, reference: str, folder: Path, *, seq: int | None, digest: str | None, version: str | None
) -> dict[str, Any]:
    """Write a version to ``folder``; what was written, as JSON values."""
    asked = _asked(reference, {"seq": seq, "digest": digest, "version": version})
    snapshot, entry = registry.pull(_store(ground), asked.name, asked.selector)
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
    return registry.log_document(_store(ground), name)


def names(ground: Ground) -> list[str]:
    """The directories the registry holds."""
    return list(registry.list_names(_store(ground)))


def verify(ground: Ground, name: str | None, anchor: str | None) -> dict[str, Any]:
    """What recomputing every hash found."""
    store = _store(ground)
    if anchor and name is None:
        raise ConfigError("--anchor is the head of one directory: name it")
    wanted = [name] if name else list(registry.list_names(store))
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
