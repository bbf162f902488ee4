"""Check a store before a registry is trusted to it: does it keep what it takes, and does only one of many writers win."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

from ci_runner.errors import PilotageError, RefusedError, SetupError
from ci_runner.model.registry import Checked
from ci_runner.registry import canonical, keys
from ci_runner.stores import AmbiguousError, Created, Store

ROUNDS, WRITERS = 5, 8
_BYTES = bytes(range(256)) * 4
_HINT = "hints/check.probe"


def check(store: Store, now: datetime, nonce: str) -> Checked:
    """Try out a store with objects of its own below ``checks/``, and keep the result there; problems are returned.

    ``now`` (aware) and ``nonce`` (hex digits) only name the objects. TemporaryError for a store that cannot be used now, SetupError for
    one that may not be read or written at all.
    """
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{nonce[:32]}"
    place = f"checks/{name}/"
    problems = [*_twice(store, place), *_races(store, place), *_listed(store, place)]
    rights = {
        "overwrite hints": _may(lambda: store.put_hint(_HINT, b"1")),
        "remove from an inbox": _removes(store, place),
    }
    raw = canonical.dumps({"v": 1, "problems": problems, "rights": rights})
    with suppress(PilotageError):
        store.create(f"checks/{name}.json", raw)
    return Checked(store.address, tuple(problems), rights)


def refuse(checked: Checked) -> None:
    """RefusedError when the store has a problem."""
    if checked.problems:
        raise RefusedError(
            f"{checked.store} must not hold a registry: {'; '.join(checked.problems)}. Use another store, or, if nobody else will ever "
            "push here, --unsafe-single-writer, which every version will say"
        )


class FirstUse:
    """A store that is checked before the mark that makes it a registry is written: once in its life, and never by a reader."""

    def __init__(self, inner: Store, now: Callable[[], datetime], nonce: Callable[[], str]) -> None:
        self._inner = inner
        self._now = now
        self._nonce = nonce
        self.address = inner.address

    def create(self, key: str, content: bytes) -> Created:
        """See Store; RefusedError from a store that fails the check."""
        if key == keys.FORMAT:
            refuse(check(self._inner, self._now(), self._nonce()))
        return self._inner.create(key, content)

    def get(self, key: str, limit: int) -> bytes | None:
        """See Store."""
        return self._inner.get(key, limit)

    def list(self, prefix: str) -> Iterator[str]:
        """See Store."""
        return self._inner.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """See Store."""
        return self._inner.folders(prefix)

    def put_hint(self, key: str, content: bytes) -> None:
        """See Store."""
        self._inner.put_hint(key, content)

    def discard(self, key: str) -> None:
        """See Store."""
        self._inner.discard(key)


def _twice(store: Store, place: str) -> list[str]:
    key = f"{place}twice"
    first = _create(store, key, _BYTES)
    second = _create(store, key, b"second")
    found = store.get(key, len(_BYTES))
    problems = []
    if not first or found not in {_BYTES, b"second"}:
        problems.append("it does not give back what it took")
    if second or found == b"second":
        problems.append("it writes over an object that is there, although asked not to")
    return problems


def _races(store: Store, place: str) -> list[str]:
    for round_ in range(ROUNDS):
        key = f"{place}race-{round_}"
        winners = _race(store, key)
        kept = store.get(key, 16)
        if len(winners) != 1 or kept != winners[0]:
            return [f"of {WRITERS} writers of one object {len(winners)} won, in round {round_ + 1} of {ROUNDS}"]
    return []


def _race(store: Store, key: str) -> list[bytes]:
    """The contents of the writers that were told they had won."""
    barrier = threading.Barrier(WRITERS)
    winners: list[bytes] = []
    failures: list[PilotageError] = []

    def write(content: bytes) -> None:
        barrier.wait()
        try:
            if _create(store, key, content):
                winners.append(content)
        except PilotageError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(b"writer %d" % number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures and not winners:
        raise failures[0]
    return winners


def _create(store: Store, key: str, content: bytes) -> bool:
    """Whether this create won; a lost answer is settled by reading."""
    try:
        return store.create(key, content) is Created.CREATED
    except AmbiguousError:
        return store.get(key, keys.TEXT_LIMIT) == content


def _listed(store: Store, place: str) -> list[str]:
    wanted = {f"{place}twice", *(f"{place}race-{round_}" for round_ in range(ROUNDS))}
    missing = wanted - set(store.list(place))
    return [f"its list leaves out what was just written ({len(missing)} of {len(wanted)})"] if missing else []


def _may(action: Callable[[], object]) -> str:
    try:
        action()
    except SetupError:
        return "no"
    except PilotageError:
        return "unknown"
    return "yes"


def _removes(store: Store, place: str) -> str:
    key = f"{place}inbox/probe.json"
    if _may(lambda: _create(store, key, b"1")) != "yes":
        return "unknown"
    answer = _may(lambda: store.discard(key))
    return "no" if answer == "yes" and store.get(key, 1) is not None else answer
