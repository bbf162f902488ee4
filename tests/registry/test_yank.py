"""Yank: a state that nobody should use stays readable and is refused as the latest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ci_runner import registry
from ci_runner.errors import ConflictError, UsageError
from ci_runner.model.registry import Entry, GitFacts, Selector
from ci_runner.stores import Store
from ci_runner.stores.memory import MemoryStore
from tests.registry.world import NAME, Fault, Faulty, Job, files, snapshot

LATEST = Selector()


def yank(store: Store, selector: Selector, reason: str, number: int = 1) -> Entry:
    return registry.yank(
        store,
        NAME,
        selector,
        reason,
        git=GitFacts(),
        actor={"name": "ada"},
        now=datetime(2026, 1, 5, tzinfo=UTC),
        nonce=f"{number:032x}",
        pause=lambda _repetition: None,
    )


@pytest.fixture
def store() -> Store:
    store = MemoryStore()
    job = Job(store)
    job.push(snapshot(files(1)), tags=("v1",))
    job.push(snapshot(files(2)), tags=("v2",))
    return store


def test_a_yanked_latest_is_refused_and_stays_readable_by_name(store: Store) -> None:
    entry = yank(store, Selector("tag", "v2"), "locks orders")
    assert (entry.seq, entry.kind, entry.reason) == (3, "yank", "locks orders")
    with pytest.raises(ConflictError, match="locks orders"):
        registry.refuse_yanked_latest(store, NAME)
    for selector in (Selector("tag", "v2"), Selector("seq", "2"), Selector("digest", entry.manifest)):
        assert len(registry.pull(store, NAME, selector)[0].files) == 2
    assert registry.state_document(store, NAME, Selector("tag", "v2"))["yanked"] == "locks orders"
    assert registry.verify(store).damages == ()


@pytest.mark.parametrize("selector", ["tag=v2", "tag=again", "seq=2", "seq=4", "digest={}"])
def test_a_yanked_state_is_not_deployed_whatever_it_is_called(store: Store, selector: str) -> None:
    entry = yank(store, Selector("tag", "v2"), "locks orders")
    Job(store, seed=9).push(snapshot(files(2)), tags=("again",))
    asked = registry.parse_reference(f"pilotage://{NAME}?{selector.format(entry.manifest)}")
    with pytest.raises(ConflictError, match="locks orders"):
        registry.deployable(store, asked)
    yank(store, Selector("tag", "v2"), "", 2)
    assert len(registry.deployable(store, asked)[0].files) == 2


def test_a_late_tag_on_a_yanked_older_state_does_not_unmark_it(store: Store) -> None:
    yank(store, Selector("tag", "v1"), "wrong")
    late = Job(store, seed=9).push(snapshot(files(1)), tags=("late",))
    assert late.outcome == "stale"
    with pytest.raises(ConflictError, match="wrong"):
        registry.deployable(store, registry.parse_reference(f"{NAME}:late"))


def test_pushing_a_yanked_state_anew_replaces_the_mark(store: Store) -> None:
    yank(store, Selector("tag", "v2"), "wrong")
    job = Job(store, seed=9)
    job.push(snapshot({"0001.sql": b"edited"}), allow_rewrite=True)
    job.push(snapshot(files(2)), allow_rewrite=True)
    assert registry.deployable(store, registry.parse_reference(NAME))[1].seq == 5
    assert "yanked" not in registry.state_document(store, NAME, LATEST)


def test_a_yank_is_taken_back(store: Store) -> None:
    yank(store, LATEST, "oops")
    assert yank(store, Selector("tag", "v2"), "", 2).seq == 4
    registry.refuse_yanked_latest(store, NAME)
    assert "yanked" not in registry.state_document(store, NAME, LATEST)


def test_saying_it_again_writes_nothing(store: Store) -> None:
    first = yank(store, LATEST, "oops")
    assert yank(store, LATEST, "oops", 2).hash == first.hash
    yank(store, LATEST, "", 3)
    yank(store, LATEST, "", 4)
    assert registry.log(store, NAME)[-1].seq == 4


def test_a_newer_push_is_not_yanked_and_an_older_state_can_be(store: Store) -> None:
    yank(store, LATEST, "oops")
    yank(store, Selector("tag", "v1"), "older", 2)
    assert Job(store, seed=2).push(snapshot(files(3))).outcome == "ok"
    registry.refuse_yanked_latest(store, NAME)
    assert registry.state_document(store, NAME, Selector("tag", "v1"))["yanked"] == "older"


def test_a_lost_answer_and_a_rival_leave_one_yank_in_one_history() -> None:
    landed = 0
    for fault in (Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.RIVAL):
        for operation in range(1, 12):
            store = MemoryStore()
            Job(store).push(snapshot(files(1)))
            rival = Job(store, seed=9)
            faulty = Faulty(store, {operation: fault}, lambda rival=rival: rival.push(snapshot(files(2))))  # type: ignore[misc]
            try:
                yank(faulty, Selector("seq", "1"), "oops")
            except Exception as error:
                assert "reset" in str(error)
                yank(store, Selector("seq", "1"), "oops")
            landed += faulty.landed
            kinds = [entry.kind for entry in registry.log(store, NAME)]
            assert kinds.count("yank") == 1
            assert registry.verify(store).damages == ()
    assert landed > 15


@pytest.mark.parametrize(
    ("selector", "reason"), [(Selector("tag", "v9"), "x"), (LATEST, "x" * 1001), (LATEST, "two\nlines")]
)
def test_what_cannot_be_yanked_is_told(store: Store, selector: Selector, reason: str) -> None:
    with pytest.raises(UsageError):
        yank(store, selector, reason)


def test_tags_say_what_they_stand_for(store: Store) -> None:
    Job(store, seed=3).push(snapshot(files(3)), tags=("v2",), move_tag=True)
    assert [(each["tag"], each["seq"]) for each in registry.tags_document(store, NAME)] == [("v1", 1), ("v2", 3)]
