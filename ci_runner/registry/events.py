"""What was done to databases: one hash chain for each directory and environment, beside the history of the directory itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from ci_runner.errors import IntegrityError, RefusedError, TemporaryError, UsageError
from ci_runner.model.events import Recorded
from ci_runner.model.registry import Damage
from ci_runner.registry import canonical, chain, commit, keys, manifests, names
from ci_runner.registry.commit import Pause
from ci_runner.stores import Store

KINDS = ("deploy", "down", "baseline", "adopt", "resolve")


def record(
    store: Store,
    name: str,
    env: str,
    kind: str,
    *,
    data: Mapping[str, Any],
    actor: Mapping[str, Any],
    time: str,
    id: str,  # noqa: A002  # the published key
    pause: Pause,
) -> Recorded:
    """Append an event to the chain of ``env``; the entry as written. The same ``id`` twice in a row is one event.

    UsageError for a name that is none, RefusedError over the cap, and what the store raises.
    """
    _check(name, env)
    for repetition in range(commit.ROUNDS):
        before = last(store, name, env)
        if before and before.id == id:
            return before
        entry = _encode(
            Recorded(
                seq=before.seq + 1 if before else 1,
                prev=before.hash if before else keys.NO_ENTRY,
                name=name,
                env=env,
                kind=kind,
                time=time,
                id=id,
                actor=actor,
                data=data,
            )
        )
        if commit.settle(store, keys.event(name, env, entry.seq), entry.raw, pause) == entry.raw:
            return entry
        pause(repetition)
    raise TemporaryError(
        f"others wrote events of {env!r} in {store.address} first {commit.ROUNDS} times: the next run adds this one"
    )


def last(store: Store, name: str, env: str) -> Recorded | None:
    """The newest event of an environment, None when there is none."""
    seq, raw = chain.newest(_fetch(store, name, env))
    return _decode(raw, seq, name, env) if raw is not None else None


def backwards(store: Store, name: str, env: str) -> Iterator[Recorded]:
    """Events from the newest to the first; IntegrityError where the chain of hashes breaks."""
    found = last(store, name, env)
    while found:
        yield found
        if found.seq == 1:
            return
        raw = _fetch(store, name, env)(found.seq - 1)
        if raw is None or canonical.sha256(raw) != found.prev:
            raise IntegrityError(
                f"the events of {name!r} in {env!r} in {store.address} were changed before event {found.seq}: pilotage audit verify"
            )
        found = _decode(raw, found.seq - 1, name, env)


def environments(store: Store, name: str) -> tuple[str, ...]:
    """The environments of a directory that have events, sorted."""
    return tuple(sorted(each for each in store.folders(keys.deploys(names.check_name(name))) if _is_name(each)))


def verify(store: Store, name: str, env: str) -> tuple[int, tuple[Damage, ...]]:
    """How many events the chain of an environment holds, and what is wrong with it."""
    damages: list[Damage] = []
    previous, seq = keys.NO_ENTRY, 0
    listed = {keys.event_seq(name, env, key): key for key in store.list(keys.event_log(name, env))}
    damages += [Damage(None, key, "is no event") for at, key in listed.items() if at is None]
    for seq in sorted(at for at in listed if at is not None):
        where = keys.event(name, env, seq)
        if keys.event(name, env, seq - 1) not in listed.values() and seq > 1:
            damages.append(Damage(seq - 1, keys.event(name, env, seq - 1), "missing"))
            previous = ""
        try:
            raw = _fetch(store, name, env)(seq)
            found = _decode(raw or b"", seq, name, env)
        except (IntegrityError, RefusedError) as error:
            damages.append(Damage(seq, where, str(error)))
            previous = canonical.sha256(raw) if raw else ""
            continue
        if previous and found.prev != previous:
            damages.append(Damage(seq, where, f"does not follow event {seq - 1}: one of them was changed"))
        previous = found.hash
    return len([at for at in listed if at is not None]), tuple(damages)


def document(entry: Recorded) -> dict[str, Any]:
    """An event as plain values."""
    return {
        "kind": entry.kind,
        "dir": entry.name,
        "env": entry.env,
        "seq": entry.seq,
        "time": entry.time,
        "id": entry.id,
        "actor": dict(entry.actor),
        **entry.data,
        "prev": entry.prev,
        "hash": entry.hash,
    }


def _check(name: str, env: str) -> None:
    names.check_name(name)
    if not _is_name(env):
        raise UsageError(
            f"{env[:80]!r} cannot name an environment: 1 to 63 letters, digits, dashes and underscores, a letter or a digit first"
        )


def _is_name(text: str) -> bool:
    try:
        names.check_name(text)
    except UsageError:
        return False
    return True


def _fetch(store: Store, name: str, env: str) -> Callable[[int], bytes | None]:
    return lambda seq: store.get(keys.event(name, env, seq), keys.TEXT_LIMIT)


def _encode(entry: Recorded) -> Recorded:
    value = {
        "v": 1,
        "name": entry.name,
        "env": entry.env,
        "seq": entry.seq,
        "prev": entry.prev,
        "kind": entry.kind,
        "time": entry.time,
        "id": entry.id,
        "actor": dict(entry.actor),
        "data": dict(entry.data),
    }
    raw = canonical.dumps(value)
    if len(raw) > keys.TEXT_LIMIT:
        raise RefusedError(
            f"the event takes {len(raw)} bytes, the limit is {keys.TEXT_LIMIT}: deploy fewer files at once"
        )
    return replace(entry, raw=raw, hash=canonical.sha256(raw))


def _decode(raw: bytes, seq: int, name: str, env: str) -> Recorded:
    what = f"event {seq} of {name!r} in {env!r}"
    value = canonical.loads(raw, what)
    if not canonical.is_number(value.get("v"), 1):
        raise manifests.newer(what, value.get("v"))
    if not canonical.is_number(value.get("seq"), seq) or (value.get("name"), value.get("env")) != (name, env):
        raise IntegrityError(f"{what} is refused: it says that it belongs elsewhere")
    texts = [value.get(key) for key in ("kind", "time", "id")]
    if not canonical.is_sha256(value.get("prev")) or not all(
        isinstance(text, str) and len(text) < 200 for text in texts
    ):
        raise IntegrityError(f"{what} is refused: it lacks its kind, time, id or the hash of the event before")
    if not isinstance(value.get("actor"), dict) or not isinstance(value.get("data"), dict):
        raise IntegrityError(f"{what} is refused: it does not say who did what")
    kind, time, identity = map(str, texts)
    return Recorded(
        seq, value["prev"], name, env, kind, time, identity, value["actor"], value["data"], canonical.sha256(raw), raw
    )
