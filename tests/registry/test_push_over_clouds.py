"""Pushes over the wire: every request of a push fails in every way, on each cloud, and nothing acknowledged is lost or doubled."""

from __future__ import annotations

import pytest

from ci_runner import registry, stores
from ci_runner.errors import TemporaryError
from ci_runner.model.registry import Selector
from tests.fakes.objects import CLOUDS, Fault
from tests.registry.world import NAME, Job, files, snapshot

REQUESTS = 12


@pytest.mark.parametrize("how", ["cut", "drop", "done-then-status", "status"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_request_of_a_push_may_fail_once(cloud: str, how: str) -> None:
    landed = acknowledged = 0
    for number in range(REQUESTS):
        with CLOUDS[cloud]() as fake:
            store = stores.open(f"{fake.address}&timeout=5", fake.environ)
            Job(store).push(snapshot(files(1)))
            fault = Fault("", how, 1, 503, "SlowDown", after=number)
            fake.faults = [fault]
            try:
                pushed = Job(store, seed=1).push(snapshot(files(2)))
                acknowledged += 1
                assert (pushed.outcome, pushed.seq) == ("ok", 2)
            except TemporaryError:
                fake.faults = []
                assert Job(store, seed=2).push(snapshot(files(2))).outcome in {"ok", "noop"}
            landed += fault.times == 0
            assert [entry.seq for entry in registry.log(store, NAME)] == [1, 2]
            assert len(registry.pull(store, NAME, Selector())[0].files) == 2
            assert registry.verify(store).damages == ()
    assert landed >= REQUESTS // 2
    assert acknowledged >= REQUESTS // 2


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_noop_takes_four_requests_and_one_new_file_eleven_over_the_wire_too(cloud: str) -> None:
    with CLOUDS[cloud]() as fake:
        job = Job(stores.open(fake.address, fake.environ))
        job.push(snapshot(files(50)))
        fake.requests.clear()
        assert job.push(snapshot(files(50))).outcome == "noop"
        assert len(fake.requests) <= 4
        fake.requests.clear()
        job.push(snapshot(files(51)))
        assert len(fake.requests) <= 11
