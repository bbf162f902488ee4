"""Look after a registry: try its stores out, yank a state, bring in what was exported elsewhere."""

from __future__ import annotations

import random
import time
from typing import Any

from ci_runner import registry, stores
from ci_runner.errors import ConfigError, UsageError
from ci_runner.journeys.acting import actor
from ci_runner.journeys.facts import facts
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.versions import addresses, ancestry, every_store
from ci_runner.model.registry import Entry, Synced


def check(ground: Ground) -> list[dict[str, Any]]:
    """Try out the registry's store and its backups; one object each: store, ok, problems, rights."""
    found = [registry.check(store, ground.now(), ground.nonce()) for store in every_store(ground)]
    return [
        {
            "store": one.store,
            "ok": not one.problems,
            "problems": list(one.problems),
            "rights": dict(one.rights),
        }
        for one in found
    ]


def login(ground: Ground) -> tuple[bool, int]:
    """Make sure that the registry is one: whether it was made now, and how many directories it holds. Its store must pass the check."""
    store = every_store(ground)[0]
    made = not registry.is_registry(store)
    if made:
        checked = registry.FirstUse(store, ground.now, ground.nonce)
        registry.put_format(checked, registry.jitter(time.sleep, random.random))
    return made, len(registry.list_names(store))


def policy(ground: Ground, cloud: str | None, role: str) -> str:
    """The policy of ``role`` for the registry, or for the first backup in ``cloud``; ConfigError when none of them lies there."""
    if cloud is not None and cloud not in registry.CLOUDS.values():
        raise UsageError(f"no cloud is called {cloud[:40]!r}: there are {', '.join(registry.CLOUDS.values())}")
    for address in addresses(ground):
        scheme, bucket, prefix = stores.place(address)
        if registry.CLOUDS.get(scheme) and cloud in {None, registry.CLOUDS[scheme]}:
            return registry.policy(registry.CLOUDS[scheme], role, bucket, prefix)
    raise ConfigError(
        f"neither the registry nor a backup lies in {cloud or 'a cloud'}: give --registry with an address in "
        f"{', '.join(f'{scheme}://' for scheme in registry.CLOUDS)}; a folder's rights are those of the file system"
    )


def yank(ground: Ground, reference: str, reason: str) -> tuple[Entry, Synced]:
    """Mark a state as not to be used (``reason`` "" takes it back), in the registry and then its backups."""
    asked = registry.parse_reference(reference)
    store, *backups = every_store(ground)
    pause = registry.jitter(time.sleep, random.random)
    entry = registry.yank(
        store,
        asked.name,
        asked.selector,
        reason,
        git=facts(ground),
        actor=actor(ground),
        now=ground.now(),
        nonce=ground.nonce(),
        pause=pause,
    )
    return entry, registry.sync(store, backups, ancestry(ground), pause, (asked.name,))
