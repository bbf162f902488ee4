"""Eight pushers at once over each cloud's protocol get one order: the fakes, and the real servers as a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ci_runner import registry, stores
from ci_runner.errors import ConflictError
from ci_runner.model.registry import Selector
from ci_runner.stores import Store
from tests.fakes.objects import CLOUDS
from tests.registry.test_concurrent import at_once
from tests.registry.world import NAME, Job, files, snapshot

REAL = ("seaweedfs", "azurite", "fakegcs")
PUSHERS = 8


@pytest.fixture(params=(*CLOUDS, *REAL))
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with ExitStack() as stack:
        if request.param in CLOUDS:
            server = stack.enter_context(CLOUDS[request.param]())
            yield stores.open(server.address, server.environ)
        else:
            real = request.getfixturevalue(request.param)
            yield stores.open(real.fresh(), real.environ)


def test_equal_pushes_at_once_become_one_entry(store: Store) -> None:
    pushed = at_once(store, PUSHERS, lambda job, _number: job.push(snapshot(files(3)), "1", tags=["v1"]))
    assert Counter(result.outcome for result in pushed) == {"ok": 1, "noop": PUSHERS - 1}
    assert registry.verify(store).damages == ()


def test_states_and_tags_pushed_at_once_get_one_order_and_the_newest_stays_latest(store: Store) -> None:
    Job(store).push(snapshot(files(1)), "1")
    pushed = at_once(
        store,
        PUSHERS,
        lambda job, number: job.push(snapshot(files(number + 2)), str(number + 2), tags=[f"v{number}", f"w{number}"]),
    )
    assert {result.outcome for result in pushed} <= {"ok", "stale"}
    assert len({result.head for result in pushed}) == PUSHERS
    assert len(registry.pull(store, NAME, Selector())[0].files) == PUSHERS + 1
    standing = {each["tag"]: each["digest"] for each in registry.tags_document(store, NAME)}
    assert standing == {f"{letter}{at}": result.digest for at, result in enumerate(pushed) for letter in "vw"}
    assert registry.verify(store).damages == ()


def test_of_pushers_that_want_one_tag_for_different_states_one_gets_it(store: Store) -> None:
    Job(store).push(snapshot(files(PUSHERS)), str(PUSHERS))

    def push(job: Job, number: int) -> object:
        try:
            return job.push(snapshot(files(number + 1)), str(number + 1), tags=["release"])
        except ConflictError as error:
            return error

    results = at_once(store, PUSHERS, push)  # type: ignore[arg-type]
    winners = [result for result in results if not isinstance(result, Exception)]
    assert len(winners) == 1
    assert registry.tags_document(store, NAME)[0]["digest"] == winners[0].digest
