"""The log of messages to hooks: one object an attempt, written once, on which nothing rests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from ci_runner.errors import IntegrityError, PilotageError, UsageError
from ci_runner.model.events import Delivery
from ci_runner.registry import canonical, keys, names
from ci_runner.stores import Store

LIMIT = 256 * 1024
_KEY = re.compile(r"([0-9]{8}T[0-9]{9}Z)-(msg_[0-9a-f]{24})-([0-9]{1,6})-(delivered|failed|refused|gone)\.json")
_PLAIN = str.maketrans("", "", "-:.")
# Milliseconds, because two runs a second are no rarity, and which message was the last must be known.
# The state stands in the key, so that what failed is found by listing, without reading a single object.


class Kept(Struct, frozen=True):
    """One attempt as its key tells it."""

    stamp: str
    id: str
    attempt: int
    state: str
    key: str


def keep(store: Store, delivery: Delivery) -> None:
    """Write one attempt; what the store raises goes through."""
    stamp = delivery.time.translate(_PLAIN)
    prefix = keys.deliveries(names.check_name(delivery.hook))
    key = f"{prefix}{stamp}-{delivery.id}-{delivery.attempt}-{delivery.state}.json"
    store.create(key, canonical.dumps({"v": 1, **msgspec.to_builtins(delivery)}))


def try_keep(store: Store, delivery: Delivery) -> str:
    """Write one attempt; why it could not be written, "" when it was."""
    try:
        keep(store, delivery)
    except PilotageError as error:
        return str(error)
    return ""


def hooks(store: Store) -> tuple[str, ...]:
    """The hooks that have attempts, sorted."""
    return tuple(sorted(store.folders(keys.HOOKS)))


def index(store: Store, hook: str, since: datetime | None = None) -> list[Kept]:
    """The attempts of a hook by key alone, newest first; not those before ``since``."""
    prefix = keys.deliveries(names.check_name(hook))
    start = since.astimezone(UTC).strftime("%Y%m%dT%H%M%S000Z") if since else ""
    found = []
    for key in store.list(prefix):
        match = _KEY.fullmatch(key.removeprefix(prefix))
        if match and match[1] >= start:
            found.append(Kept(match[1], match[2], int(match[3]), match[4], key))
    return sorted(found, key=lambda kept: (kept.stamp, kept.attempt), reverse=True)


def newest(kept: list[Kept]) -> list[Kept]:
    """The last attempt at each message, newest first."""
    by_id: dict[str, Kept] = {}
    for each in kept:
        by_id.setdefault(each.id, each)
    return list(by_id.values())


def attempts(store: Store, hook: str, since: datetime | None = None) -> Iterator[Delivery]:
    """The attempts of a hook, newest first; not those before ``since``, nor one that cannot be read: the log proves nothing."""
    for kept in index(store, hook, since):
        found = read(store, kept.key)
        if found:
            yield found


def read(store: Store, key: str) -> Delivery | None:
    """One attempt; None when its object is no such thing."""
    try:
        value = canonical.loads(store.get(key, LIMIT) or b"", key)
        return msgspec.convert({name: each for name, each in value.items() if name != "v"}, Delivery)
    except (IntegrityError, msgspec.ValidationError):
        return None


def one(store: Store, identity: str) -> list[Delivery]:
    """Every attempt at the message whose id begins with ``identity``, oldest first; UsageError when there is none, or several."""
    wanted = identity if identity.startswith("msg_") else f"msg_{identity}"
    kept = [each for hook in hooks(store) for each in index(store, hook) if each.id.startswith(wanted)]
    which = sorted({each.id for each in kept})
    if not which:
        raise UsageError(f"no message's id begins with {identity[:40]!r}: pilotage hooks deliveries lists them")
    if len(which) > 1:
        raise UsageError(
            f"{identity[:40]!r} begins the ids of {len(which)} messages: {', '.join(which[:4])}; give more of it"
        )
    found = [read(store, each.key) for each in sorted(kept, key=lambda each: (each.stamp, each.attempt))]
    return [each for each in found if each]
