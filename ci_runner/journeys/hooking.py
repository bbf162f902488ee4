"""Tell hooks what happened: find those that want to know, send, keep the log, and try again what failed before."""

from __future__ import annotations

import hashlib
import random
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from itertools import islice
from pathlib import Path

from msgspec import Struct

from ci_runner import notify, stores
from ci_runner.config.hooks import Hook, Place
from ci_runner.errors import ConfigError, PilotageError
from ci_runner.journeys import base
from ci_runner.journeys.ground import Ground
from ci_runner.model.events import Delivery, Event
from ci_runner.registry import deliveries
from ci_runner.text.counting import counted

KEEP = timedelta(days=3)
"""How long a message that failed is tried again."""
BRIEF = 5.0
"""Seconds that telling of a beginning may take."""
_LOOKED_AT = 50
_BEGINNINGS = {"started", "waiting"}  # outcomes that end nothing: what came before them is what an end is compared with
_SECRET_LIMIT = 4096


class Told(Struct, frozen=True):
    """What telling came to: the last attempt at each message, and what a person should know."""

    deliveries: tuple[Delivery, ...] = ()
    warnings: tuple[str, ...] = ()


def hooks(ground: Ground) -> tuple[tuple[Hook, ...], str]:
    """The hooks to tell, and a remark or "": on a pull request those of the base commit, because the head is its author's word."""
    if not base.proposed(ground):
        return ground.config.hooks, ""
    try:
        config = base.configured(ground)
    except PilotageError as error:
        return (), f"no hook is told: hooks come from the base commit, which could not be read ({error})"
    if config is None:
        return (), "no hook is told: the base commit is not known" if ground.config.hooks else ""
    return config.hooks, ""


def tell(
    ground: Ground, found: Sequence[Hook], events: Sequence[Event], *, record: bool = True, brief: bool = False
) -> Told:
    """Tell every hook of ``found`` that wants one of ``events``; ``record`` False where the run may not write to the registry.

    ``brief``: once, and for a few seconds only, because the work itself is still to come.

    What cannot be told is a warning. Messages to the same hooks about the same directories that failed in the last three days are
    tried once more along with them.
    """
    store = _store(ground) if record else None
    messages, warnings = list[notify.Message](), list[str]()
    for hook in found:
        try:
            messages += _messages(ground, hook, events, store)
        except PilotageError as error:
            warnings.append(f"hook '{hook.name}' was not told: {error}")
    sent, faults = send(ground, messages, store, retries=0 if brief else 3, budget=BRIEF if brief else notify.BUDGET)
    return Told(tuple(sent), (*warnings, *map(_warning, filter(_failed, sent)), *faults))


def send(
    ground: Ground,
    messages: Sequence[notify.Message],
    store: stores.Store | None,
    *,
    retries: int = 3,
    budget: float = notify.BUDGET,
) -> tuple[list[Delivery], list[str]]:
    """Send and log; the last attempts, and one line when the log could not be kept."""
    faults: list[str] = []

    def keep(delivery: Delivery) -> None:
        fault = deliveries.try_keep(store, delivery) if store else ""
        if fault and not faults:
            faults.append(f"the log of hooks could not be kept: {fault}")

    return notify.deliver(messages, outside(ground), keep, retries=retries, budget=budget), faults


def compose(ground: Ground, hook: Hook, event: Event) -> notify.Message:
    """The message that tells ``hook`` of ``event``; its id is the same however often it is made."""
    from msgspec.structs import replace

    kept = secrets(ground, hook)
    redact = ground.redact.knowing(kept.url, *kept.signing, kept.proxy)
    folder = Path(ground.config.templates) if ground.config.templates and not base.proposed(ground) else None
    made = notify.compose(hook, kept, event, redact, folder)
    return replace(made, id="msg_" + hashlib.sha256(f"{hook.name}\0{event.id}\0{event.type}".encode()).hexdigest()[:24])


def again(ground: Ground, hook: Hook, failed: Delivery) -> notify.Message:
    """The message of an attempt that failed, byte for byte, to be sent once more under the same id."""
    event = Event(failed.type, failed.time, failed.event_id, failed.dir, failed.env, failed.outcome)
    return notify.Message(hook, secrets(ground, hook), failed.id, event, failed.body.encode(), failed.attempt + 1)


def secrets(ground: Ground, hook: Hook) -> notify.Secrets:
    """What a hook keeps in variables and files; ConfigError, naming the place, when it is not there."""
    signing = tuple(_secret(ground, hook, place) for place in (hook.secret, hook.old_secret) if place)
    proxy = _secret(ground, hook, hook.proxy) if hook.proxy else ""
    return notify.Secrets(_secret(ground, hook, hook.url), signing, proxy)


def outside(ground: Ground) -> notify.Outside:
    """The world as sending sees it."""
    return notify.Outside(_lookup, ground.now, time.monotonic, time.sleep, random.random)


def _lookup(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def _secret(ground: Ground, hook: Hook, place: Place) -> str:
    where = f"variable {place.name}" if place.kind == "env" else f"file {place.name}"
    value = ground.environ.get(place.name, "") if place.kind == "env" else ""
    if place.kind == "file":
        try:
            with (ground.root / place.name).open("rb") as stream:
                value = stream.read(_SECRET_LIMIT).decode("utf-8", "replace")
        except OSError as error:
            raise ConfigError(f"the {where} of hook '{hook.name}' cannot be read: {error.strerror}") from None
    if not value.strip():
        raise ConfigError(f"hook '{hook.name}' takes a secret from the {where}, which is not set or empty")
    return value.strip()


def _store(ground: Ground) -> stores.Store | None:
    """The registry, where the log of hooks is kept; None where none can be opened."""
    try:
        return stores.open(ground.config.registry, ground.environ) if ground.config.registry else None
    except PilotageError:
        return None


def _messages(ground: Ground, hook: Hook, events: Sequence[Event], store: stores.Store | None) -> list[notify.Message]:
    wanted = [event for event in events if notify.wants(hook, event, _last_outcome(ground, hook, event, store))]
    if not wanted:
        return []
    failed = list(_failed_before(ground, hook, {event.dir for event in wanted}, store))
    return [*(again(ground, hook, each) for each in failed), *(compose(ground, hook, event) for event in wanted)]


def _failed_before(ground: Ground, hook: Hook, dirs: set[str], store: stores.Store | None) -> Iterator[Delivery]:
    """Messages of the last three days whose last attempt failed, oldest first; ConfigError when the hook said 410 and still lives there."""
    if store is None:
        return
    try:
        kept = deliveries.newest(deliveries.index(store, hook.name, ground.now().astimezone(UTC) - KEEP))
        gone = next((each for each in kept if each.state == "gone"), None)
        last = deliveries.read(store, gone.key) if gone else None
        found = [deliveries.read(store, each.key) for each in kept if each.state == "failed"][:_LOOKED_AT]
    except PilotageError as error:
        ground.detail(f"the log of hook '{hook.name}' cannot be read: {error}")
        return
    if last and last.place == notify.place(secrets(ground, hook).url):
        raise ConfigError("its address answered 410 Gone; give the hook a new one")
    yield from (each for each in reversed(found) if each and each.dir in dirs)


def _last_outcome(ground: Ground, hook: Hook, event: Event, store: stores.Store | None) -> str | None:
    """The outcome this hook was last told of for the same directory, environment and family of events."""
    if not hook.only_on_change or store is None or event.outcome in _BEGINNINGS:
        return None
    same = (event.dir, event.env, event.family)
    try:
        looked_at = islice(deliveries.attempts(store, hook.name), _LOOKED_AT)
        ended = (d for d in looked_at if d.outcome not in _BEGINNINGS)
        return next((d.outcome for d in ended if (d.dir, d.env, d.type.partition(".")[0]) == same), None)
    except PilotageError as error:
        ground.detail(f"the log of hook '{hook.name}' cannot be read: {error}")
        return None


def _failed(delivery: Delivery) -> bool:
    return delivery.state != "delivered"


def _warning(delivery: Delivery) -> str:
    said = f"HTTP {delivery.status}" if delivery.status else "no answer"
    more = f": {' '.join(delivery.answer.split())[:160]}" if delivery.answer else ""
    then = {
        "failed": f"; it is tried again, or by hand: pilotage hooks redeliver {delivery.id}",
        "refused": "; it is not tried again",
        "gone": "; the hook rests until its address changes",
    }[delivery.state]
    tries = counted(delivery.attempt, "attempt")
    return f"hook '{delivery.hook}' ({delivery.place}) did not take {delivery.type}, {tries}, {said}{more}{then}"
