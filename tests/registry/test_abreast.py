"""Many objects at once come back in their order, and the first failure ends them all."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_runner import registry, stores
from ci_runner.errors import IntegrityError, TemporaryError
from ci_runner.model.registry import Selector
from ci_runner.registry import abreast, canonical, keys
from tests.registry.world import NAME, Editable, Job, files, snapshot


def far() -> Callable[[], float]:
    """A clock by which everything takes a second."""
    return itertools.count(0.0, 1.0 * abreast.FEW).__next__


@pytest.mark.parametrize("count", [0, 1, 7, 32, 33, 40, 1000])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    for clock in (far(), lambda: 0.0):
        assert abreast.each(lambda item: item * 2, range(count), clock) == [item * 2 for item in range(count)]


def test_many_items_of_a_store_that_is_near_are_done_one_after_the_other() -> None:
    threads = set(abreast.each(lambda _item: threading.get_ident(), range(200), lambda: 0.0))
    assert threads == {threading.get_ident()}


def test_many_items_of_a_store_that_is_far_away_are_done_by_eight_threads_at_once() -> None:
    barrier = threading.Barrier(abreast.THREADS, timeout=30)
    seen: set[int] = set()

    def work(_item: int) -> None:
        if threading.get_ident() not in seen | {threading.main_thread().ident}:
            seen.add(threading.get_ident())
            barrier.wait()

    abreast.each(work, range(200), far())
    assert len(seen) == abreast.THREADS


def test_a_failure_is_raised_and_the_rest_is_left_undone() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 40:
            raise TemporaryError("gone")
        done.append(item)

    with pytest.raises(TemporaryError, match="gone"):
        abreast.each(work, range(100_000), far())
    assert len(done) < 99_999


@pytest.mark.parametrize("threshold", [-1.0, 1000.0])
def test_a_large_directory_is_pushed_copied_and_pulled_whole(
    threshold: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abreast, "FAR", threshold)
    state = snapshot(files(300))
    primary, backup = (stores.open(f"file://{tmp_path}/{name}") for name in ("primary", "backup"))
    Job(primary).push(state, "1", backups=[backup])
    for store in (primary, backup):
        assert registry.pull(store, NAME, Selector())[0] == state
        assert registry.verify(store).damages == ()


def test_one_damaged_file_of_many_is_named() -> None:
    store = Editable()
    Job(store).push(snapshot(files(300)), "1")
    store.edit(keys.blob(canonical.sha256(files(300)["0250.sql"])), b"?")
    with pytest.raises(IntegrityError, match=r"0250\.sql"):
        registry.pull(store, NAME, Selector())
