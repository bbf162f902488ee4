"""The chain of an environment: one order, whoever writes, and every change found."""

from __future__ import annotations

import json
import threading

import pytest

from ci_runner.errors import IntegrityError, RefusedError, UsageError
from ci_runner.model.events import Recorded
from ci_runner.registry import events, keys
from ci_runner.stores.memory import MemoryStore

NAME, ENV = "app", "prod"


def put(store: MemoryStore, identity: str, **data: object) -> Recorded:
    return events.record(
        store,
        NAME,
        ENV,
        "deploy",
        data=data,
        actor={"name": "ada"},
        time="2026-01-05T09:00:00Z",
        id=identity,
        pause=lambda _: None,
    )


def ids(store: MemoryStore) -> list[str]:
    return [entry.id for entry in events.backwards(store, NAME, ENV)]


def test_events_come_back_newest_first_and_hold_together() -> None:
    store = MemoryStore()
    for number in range(20):
        put(store, f"{number:032d}", outcome="ok", to=str(number))
    assert ids(store) == [f"{number:032d}" for number in reversed(range(20))]
    assert events.verify(store, NAME, ENV) == (20, ())
    assert events.environments(store, NAME) == (ENV,)
    last = events.last(store, NAME, ENV)
    assert last is not None
    assert (last.seq, last.data["to"], last.actor) == (20, "19", {"name": "ada"})


def test_the_same_event_told_twice_is_one() -> None:
    store = MemoryStore()
    assert put(store, "a").seq == put(store, "a").seq == 1
    assert put(store, "b").seq == 2


def test_writers_at_once_get_one_order() -> None:
    store = MemoryStore()
    threads = [threading.Thread(target=put, args=(store, f"{number:032d}")) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids(store)) == [f"{number:032d}" for number in range(24)]
    assert events.verify(store, NAME, ENV) == (24, ())


def changed(store: MemoryStore, seq: int, how: str) -> None:
    key = keys.event(NAME, ENV, seq)
    raw = store._objects[key]
    if how == "missing":
        del store._objects[key]
    elif how == "edited":
        store._objects[key] = raw.replace(b'"to":"3"', b'"to":"4"')
    elif how == "cut":
        store._objects[key] = raw[: len(raw) // 2]
    else:
        store._objects[key] = store._objects[keys.event(NAME, ENV, seq - 1)]


@pytest.mark.parametrize("how", ["missing", "edited", "cut", "swapped"])
def test_every_change_before_the_last_event_is_found_and_stops_the_reader(how: str) -> None:
    store = MemoryStore()
    for number in range(1, 7):
        put(store, f"{number:032d}", to=str(number))
    changed(store, 3, how)
    count, damages = events.verify(store, NAME, ENV)
    assert damages
    assert {damage.seq for damage in damages} & {3, 4}
    assert count in {5, 6}
    if how != "missing":
        with pytest.raises(IntegrityError):
            ids(store)


def test_every_single_byte_counts() -> None:
    store = MemoryStore()
    for number in range(1, 4):
        put(store, f"{number:032d}", to=str(number))
    key = keys.event(NAME, ENV, 2)
    raw = store._objects[key]
    for at in range(len(raw)):
        store._objects[key] = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert events.verify(store, NAME, ENV)[1], at


@pytest.mark.parametrize("env", ["", "../prod", "a/b", "prod\n", "x" * 64, ".."])
def test_a_name_that_is_none_is_refused(env: str) -> None:
    with pytest.raises(UsageError):
        events.record(MemoryStore(), NAME, env, "deploy", data={}, actor={}, time="", id="a", pause=lambda _: None)


def test_a_newer_layout_and_a_foreign_chain_are_refused() -> None:
    store = MemoryStore()
    entry = put(store, "a")
    value = json.loads(entry.raw)
    for wrong, error in (
        ({"v": 2}, RefusedError),
        ({"env": "test"}, IntegrityError),
        ({"seq": 9}, IntegrityError),
        ({"actor": 1}, IntegrityError),
    ):
        store._objects[keys.event(NAME, ENV, 1)] = json.dumps({**value, **wrong}).encode()
        with pytest.raises(error):
            events.last(store, NAME, ENV)
