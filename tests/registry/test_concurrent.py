"""Many pushers at once get one order, whatever they push."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_runner import registry, stores
from ci_runner.model.registry import Pushed, Selector
from ci_runner.stores import Store
from tests.registry.world import NAME, Job, files, snapshot

STORES: dict[str, Callable[[Path], str]] = {
    "file": lambda folder: f"file://{folder}/registry",
    "memory": lambda _folder: "memory:",
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return stores.open(STORES[request.param](tmp_path))


class Hasty(Job):
    """A job that really waits between rounds, for a moment."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pauses = _Sleeping()


class _Sleeping(list[int]):
    def append(self, repetition: int) -> None:
        time.sleep(random.random() * min(0.05, 0.001 * 2 ** min(repetition, 6)))


def at_once(store: Store, count: int, push: Callable[[Job, int], Pushed]) -> list[Pushed]:
    barrier, results = threading.Barrier(count), dict[int, Pushed]()

    def run(number: int) -> None:
        barrier.wait()
        results[number] = push(Hasty(store, seed=number + 1), number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(count)]


@pytest.mark.parametrize("count", [2, 8, 16])
def test_equal_pushes_at_once_become_one_entry(store: Store, count: int) -> None:
    pushed = at_once(store, count, lambda job, _number: job.push(snapshot(files(3)), "1", tags=["v1"]))
    assert Counter(result.outcome for result in pushed) == {"ok": 1, "noop": count - 1}
    assert {result.head for result in pushed} == {f"1:{registry.log(store, NAME)[0].hash}"}
    assert registry.verify(store).damages == ()


@pytest.mark.parametrize("count", [2, 8, 16])
def test_successive_states_at_once_get_one_order_and_the_newest_stays_latest(store: Store, count: int) -> None:
    pushed = at_once(
        store,
        count,
        lambda job, number: job.push(snapshot(files(number + 1)), str(number + 1), tags=[f"v{number + 1}"]),
    )
    assert {result.outcome for result in pushed} <= {"ok", "stale"}
    assert len(registry.pull(store, NAME, Selector())[0].files) == count
    for number in range(count):
        assert len(registry.pull(store, NAME, Selector("tag", f"v{number + 1}"))[0].files) == number + 1
    log = registry.log(store, NAME)
    assert [entry.seq for entry in log] == list(range(1, count + 1))
    assert registry.verify(store).damages == ()


@pytest.mark.parametrize("count", [2, 8, 16])
def test_states_that_exclude_each_other_have_one_winner_and_the_rest_are_told(store: Store, count: int) -> None:
    pushed = at_once(store, count, lambda job, number: job.push(snapshot({f"{number}.sql": b"x"}), str(number)))
    assert Counter(result.outcome for result in pushed) == {"ok": 1, "diverged": count - 1}
    assert len(registry.log(store, NAME)) == 1
