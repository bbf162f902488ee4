"""Trying a store out: sound ones pass, and each way of being unsound is found before a registry is trusted to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ci_runner import registry, stores
from ci_runner.errors import PilotageError, RefusedError, SetupError
from ci_runner.registry import checking
from ci_runner.stores import AmbiguousError, Created, Store
from ci_runner.stores.memory import MemoryStore
from tests.fakes.objects import CLOUDS, Fault, Objects
from tests.registry.world import Counting, Job, files, snapshot

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
NONCE = "0" * 32


def checked(store: Store) -> tuple[str, ...]:
    return registry.check(store, NOW, NONCE).problems


@pytest.fixture(params=CLOUDS)
def kind(request: pytest.FixtureRequest) -> type[Objects]:
    return CLOUDS[request.param]


def test_a_sound_store_passes_and_the_result_is_kept_in_it(tmp_path: Path, kind: type[Objects]) -> None:
    with kind() as cloud:
        for store in (
            MemoryStore(),
            stores.open(f"file://{tmp_path}/registry"),
            stores.open(cloud.address, cloud.environ),
        ):
            found = registry.check(store, NOW, NONCE)
            assert found.problems == ()
            assert found.rights == {"overwrite hints": "yes", "remove from an inbox": "yes"}
            kept = json.loads(store.get(f"checks/20260105T090000Z-{NONCE}.json", 1000) or b"")
            assert kept["problems"] == []


def test_a_store_that_ignores_the_condition_is_found(kind: type[Objects]) -> None:
    with kind(overwrites=True) as cloud:
        problems = checked(stores.open(cloud.address, cloud.environ))
    assert any("writes over" in problem for problem in problems)


def test_a_store_in_which_two_writers_win_is_found(kind: type[Objects]) -> None:
    with kind(racy=True) as cloud:
        problems = checked(stores.open(cloud.address, cloud.environ))
    assert any("writers of one object" in problem for problem in problems)


class Forgetful(MemoryStore):
    """Takes everything and keeps every second object."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def create(self, key: str, content: bytes) -> Created:
        self._count += 1
        return super().create(key, content) if self._count % 2 == 0 else Created.CREATED


class Mangling(MemoryStore):
    """Changes what it takes."""

    def create(self, key: str, content: bytes) -> Created:
        return super().create(key, content.replace(b"\r\n", b"\n").replace(b"\x00", b""))


class StaleList(MemoryStore):
    """Lists what it held at first."""

    def list(self, prefix: str) -> Iterator[str]:
        return iter(())


@pytest.mark.parametrize(
    ("make", "says"), [(Forgetful, "writes over"), (Mangling, "give back"), (StaleList, "list leaves out")]
)
def test_a_store_that_loses_or_changes_what_it_took_is_found(make: Callable[[], Store], says: str) -> None:
    assert any(says in problem for problem in checked(make()))


class Unsure(MemoryStore):
    """Loses every third answer."""

    def __init__(self) -> None:
        super().__init__()
        self._answers = 0
        self._counting = threading.Lock()

    def create(self, key: str, content: bytes) -> Created:
        created = super().create(key, content)
        with self._counting:
            self._answers += 1
            lost = self._answers % 3 == 0
        if lost:
            raise AmbiguousError("lost")
        return created


def test_lost_answers_are_no_fault_of_the_store() -> None:
    assert checked(Unsure()) == ()


def test_missing_rights_are_reported_and_no_right_at_all_is_an_error(kind: type[Objects]) -> None:
    with kind() as cloud:
        store = stores.open(cloud.address, cloud.environ)
        cloud.faults = [
            Fault("hints/", "status", 99, 403, "AccessDenied"),
            Fault("^(DELETE|POST)", "status", 99, 403, "AccessDenied"),
        ]
        found = registry.check(store, NOW, NONCE)
        assert found.problems == ()
        assert found.rights == {"overwrite hints": "no", "remove from an inbox": "no"}
        cloud.faults = [Fault("^PUT", "status", 99, 403, "AccessDenied")]
        with pytest.raises(SetupError):
            registry.check(store, NOW, NONCE[1:])


def test_the_first_push_tries_the_store_out_and_no_later_one_does() -> None:
    store = Counting(MemoryStore())
    job = Job(registry.FirstUse(store, lambda: NOW, lambda: NONCE))
    assert job.push(snapshot(files(1))).outcome == "ok"
    assert any(key.startswith("checks/") for _, key, _ in store.requests)
    store.requests.clear()
    job.push(snapshot(files(2)))
    assert not any(key.startswith("checks/") for _, key, _ in store.requests)
    assert len(store.requests) <= 11


def test_the_first_push_to_an_unsound_store_is_refused_and_leaves_no_registry(kind: type[Objects]) -> None:
    with kind(racy=True) as cloud:
        store = stores.open(cloud.address, cloud.environ)
        with pytest.raises(RefusedError, match="--unsafe-single-writer"):
            Job(registry.FirstUse(store, lambda: NOW, lambda: NONCE)).push(snapshot(files(1)))
        assert store.get("format.json", 100) is None


def test_what_a_check_leaves_behind_does_not_disturb_verify() -> None:
    store = MemoryStore()
    Job(registry.FirstUse(store, lambda: NOW, lambda: NONCE)).push(snapshot(files(2)))
    assert registry.verify(store).damages == ()


def test_a_check_that_takes_any_number_of_winners_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: races that are not run."""
    monkeypatch.setattr(checking, "_races", lambda _store, _place: [])
    with CLOUDS["s3"](racy=True) as cloud:
        store = stores.open(cloud.address, cloud.environ)
        assert not any("writers" in problem for problem in checked(store))


def test_an_outage_is_not_taken_for_an_unsound_store(kind: type[Objects]) -> None:
    with kind() as cloud:
        cloud.faults = [Fault("^GET", "status", 10**6, 503, "SlowDown")]
        with pytest.raises(PilotageError) as caught:
            checked(stores.open(cloud.address, cloud.environ))
    assert caught.value.exit_code == 5
