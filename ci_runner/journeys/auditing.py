"""Read the record: what was pushed and deployed, by whom, when; which version each environment is on; whether the record holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from ci_runner import registry, stores
from ci_runner.errors import UsageError
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.versions import every_store
from ci_runner.model.events import Recorded
from ci_runner.model.registry import Entry
from ci_runner.registry import chain, entries, events, names

GOOD = "ok"


def history(ground: Ground, name: str | None, env: str | None, most: int) -> list[dict[str, Any]]:
    """What was done to databases, newest first: of one directory or all, one environment or all."""
    store = every_store(ground)[0]
    found = []
    for each, where in _chains(store, name, env):
        for count, entry in enumerate(events.backwards(store, each, where)):
            if count == most:
                break
            found.append(events.document(entry))
    return sorted(found, key=_when, reverse=True)[:most]


def audit(ground: Ground, since: datetime) -> list[dict[str, Any]]:
    """Every push and everything done to databases since then, oldest first."""
    store = every_store(ground)[0]
    start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = [
        events.document(entry)
        for name, env in _chains(store, None, None)
        for entry in _since(events.backwards(store, name, env), start)
    ]
    for name in registry.list_names(store):
        head = chain.head(store, name)
        if head:
            found += [_pushed(entry) for entry in chain.backwards(store, name, head.last) if entry.time >= start]
    return sorted(found, key=_when)


def verify(ground: Ground) -> dict[str, Any]:
    """What recomputing every hash found: the history of each directory and the chain of each environment."""
    store = every_store(ground)[0]
    found = [
        {
            "what": f"pushes of {name}" if name else "the registry",
            "entries": checked.entries,
            "damages": _damages(checked.damages),
        }
        for name, checked in registry.verify_each(store).items()
        if name or checked.damages
    ]
    for name, env in _chains(store, None, None):
        count, damages = events.verify(store, name, env)
        found.append({"what": f"deployments of {name} in {env}", "entries": count, "damages": _damages(damages)})
    return {"ok": not any(each["damages"] for each in found), "chains": found}


def environments(ground: Ground, name: str | None) -> list[dict[str, Any]]:
    """Each environment of each directory: the version it is on, since when, by whom, how its last run ended, and what the registry has since."""
    store = every_store(ground)[0]
    return [_standing(store, each, env) for each, env in _chains(store, name, None)]


def _standing(store: stores.Store, name: str, env: str) -> dict[str, Any]:
    last = events.last(store, name, env)
    good = next((entry for entry in events.backwards(store, name, env) if _good(entry)), None)
    head = chain.head(store, name)
    deployed = int(good.data.get("source", {}).get("seq", 0)) if good else 0
    return {
        "dir": name,
        "env": env,
        "version": good.data.get("to", "") if good else "",
        "seq": deployed,
        "latest": head.latest.seq if head else 0,
        "behind": max(0, head.latest.seq - deployed) if head and deployed else None,
        "time": good.time if good else "",
        "actor": dict(good.actor) if good else {},
        "last": {"outcome": last.data.get("outcome", ""), "kind": last.kind, "time": last.time} if last else None,
    }


def _good(entry: Recorded) -> bool:
    return entry.data.get("outcome") == GOOD


def _chains(store: stores.Store, name: str | None, env: str | None) -> list[tuple[str, str]]:
    """(directory, environment) of every chain that is asked for; UsageError for a name that is not there."""
    known = registry.list_names(store)
    if not known and not registry.is_registry(store):
        raise UsageError(f"there is no registry at {store.address}: check the address, or push a directory there first")
    if name is not None and name not in known:
        raise UsageError(f"{store.address} has no directory {name!r}: {names.did_you_mean(name, known)}")
    found = [(each, where) for each in ([name] if name else known) for where in events.environments(store, each)]
    if env is not None and not any(where == env for _, where in found):
        raise UsageError(f"nothing was deployed to {env!r}: {names.did_you_mean(env, {where for _, where in found})}")
    return [(each, where) for each, where in found if env in (None, where)]


def _since(found: Iterator[Recorded], start: str) -> Iterator[Recorded]:
    for entry in found:
        if entry.time < start:
            return
        yield entry


def _pushed(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "dir": entry.name,
        "env": "",
        "seq": entry.seq,
        "time": entry.time,
        "id": entry.id,
        "actor": dict(entry.actor),
        "outcome": GOOD,
        "to": f"sha256:{entry.manifest}",
        "git": entries.git_value(entry.git),
        "tags": list(entry.tags),
        **({"reason": entry.reason} if entry.reason else {}),
        "prev": entry.prev,
        "hash": entry.hash,
    }


def _damages(damages: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"seq": each.seq, "where": each.where, "what": each.what} for each in damages]


def _when(document: dict[str, Any]) -> tuple[str, str, str, int]:
    return document["time"], document["dir"], document["env"], document["seq"]
