"""Look after hooks by hand: list them, try one out, read what was sent, send it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

import msgspec

from ci_runner import notify, stores
from ci_runner.config.hooks import Hook
from ci_runner.errors import PilotageError, UsageError
from ci_runner.journeys import hooking
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.versions import every_store
from ci_runner.model.events import TYPES, Delivery
from ci_runner.registry import deliveries

_AGE = re.compile(r"([0-9]{1,6})\s?([mhdw])")
_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def listed(ground: Ground) -> list[dict[str, Any]]:
    """Every hook with its events and limits, ``state`` (ready, or why it is not) and its last attempt, as JSON values."""
    store = every_store(ground)[0] if ground.config.registry else None
    return [_listed(ground, hook, store) for hook in ground.config.hooks]


def _listed(ground: Ground, hook: Hook, store: stores.Store | None) -> dict[str, Any]:
    try:
        place, state = notify.place(hooking.secrets(ground, hook).url), "ready"
    except PilotageError as error:
        place, state = "", str(error)
    last = next(deliveries.attempts(store, hook.name), None) if store else None
    return {
        "name": hook.name,
        "kind": hook.kind,
        "events": list(hook.events),
        "dirs": list(hook.dirs),
        "envs": list(hook.envs),
        "place": place,
        "state": state,
        "last": document(last, body=False) if last else None,
    }


def named(ground: Ground, name: str) -> Hook:
    """The hook of that name; UsageError, with the nearest, when there is none."""
    found = {hook.name: hook for hook in ground.config.hooks}
    if name not in found:
        close = get_close_matches(name, found, 1, 0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(found) or 'none'}"
        raise UsageError(f"no hook is called '{name[:80]}' in {ground.config_file or 'the configuration'}: {hint}")
    return found[name]


def sample(ground: Ground, name: str, event_type: str) -> notify.Message:
    """A message such as an event of this type brings."""
    if event_type not in TYPES:
        close = get_close_matches(event_type, TYPES, 1, 0.5)
        raise UsageError(f"unknown event '{event_type}'" + (f" — did you mean '{close[0]}'?" if close else ""))
    time = ground.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return hooking.compose(ground, named(ground, name), notify.sample(event_type, time, ground.nonce()))


def send(ground: Ground, messages: Sequence[notify.Message]) -> tuple[list[Delivery], list[str]]:
    """Send once each and keep the log, where there is a registry."""
    store = every_store(ground)[0] if ground.config.registry else None
    return hooking.send(ground, messages, store, retries=0)


def history(ground: Ground, name: str | None, since: datetime, *, failed: bool) -> list[Delivery]:
    """Attempts since then, newest first; with ``failed`` the last attempts of messages that were not taken."""
    store = every_store(ground)[0]
    found: list[Delivery | None] = []
    for hook in [name] if name else deliveries.hooks(store):
        kept = deliveries.index(store, hook, since)
        chosen = [each for each in deliveries.newest(kept) if each.state != "delivered"] if failed else kept
        found += [deliveries.read(store, each.key) for each in chosen]
    return sorted((each for each in found if each), key=lambda each: (each.time, each.attempt), reverse=True)


def one(ground: Ground, identity: str) -> list[Delivery]:
    """Every attempt at a message, oldest first."""
    return deliveries.one(every_store(ground)[0], identity)


def to_redeliver(ground: Ground, identity: str | None, since: datetime) -> list[notify.Message]:
    """The messages to send again: that one, or all whose last attempt since then failed, oldest first."""
    last = [one(ground, identity)[-1]] if identity else history(ground, None, since, failed=True)[::-1]
    return [hooking.again(ground, named(ground, each.hook), each) for each in last]


def document(delivery: Delivery, *, body: bool) -> dict[str, Any]:
    """An attempt as JSON values."""
    found: dict[str, Any] = msgspec.to_builtins(delivery)
    return found if body else {key: value for key, value in found.items() if key != "body"}


def start(age: str, now: datetime) -> datetime:
    """The moment ``90m``, ``12h``, ``3d`` or ``2w`` before ``now``, or the day or time that is written (ISO 8601, UTC where no zone is said)."""
    match = _AGE.fullmatch(age.strip())
    try:
        if match:
            return now - timedelta(**{_SPANS[match[2]]: int(match[1])})
        said = datetime.fromisoformat(age.strip())
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{age[:40]}' is no time: write 90m, 12h, 3d, 2w, 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None
    return said if said.tzinfo else said.replace(tzinfo=UTC)
