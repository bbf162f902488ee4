"""A primary and its backups: copies, pushes while the primary is down, reconciling, forks, reading what can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ci_runner import registry
from ci_runner.errors import IntegrityError, PilotageError, TemporaryError, UsageError
from ci_runner.model.registry import Selector, Snapshot
from ci_runner.registry import keys
from ci_runner.stores import Store
from tests.registry.sites import DOWN, FORBIDDEN, Site, history, level, sync, waiting
from tests.registry.world import NAME, Job, files, snapshot


@pytest.fixture
def sites() -> tuple[Site, Site, Site]:
    return Site("memory:primary"), Site("memory:one"), Site("memory:two")


def test_a_push_copies_entry_for_entry_and_byte_for_byte(sites: tuple[Site, Site, Site]) -> None:
    primary, one, two = sites
    job = Job(primary)
    job.push(snapshot(files(1)), "1", tags=["v1"])
    job.push(snapshot(files(2)), "2", backups=[one])
    pushed = job.push(snapshot(files(3)), "3", backups=[one, two])
    assert pushed.stores == {"memory:primary": "ok", "memory:one": "ok", "memory:two": "ok"}
    assert level(*sites)
    for store in sites:
        assert registry.verify(store, NAME, pushed.head).damages == ()
        assert registry.pull(store, NAME, Selector("tag", "v1"))[0] == snapshot(files(1))


@pytest.mark.parametrize("fault", [DOWN, FORBIDDEN])
def test_a_failing_backup_is_a_warning_and_catches_up_later(
    sites: tuple[Site, Site, Site], fault: PilotageError
) -> None:
    primary, one, two = sites
    one.fault = fault
    pushed = Job(primary).push(snapshot(files(1)), "1", backups=[one, two])
    assert (pushed.outcome, pushed.degraded) == ("ok", False)
    assert pushed.stores["memory:one"].startswith("failed: ")
    assert "behind" in pushed.warnings[0]
    one.fault = None
    Job(primary).push(snapshot(files(2)), "2", backups=[one, two])
    assert level(*sites)


@pytest.mark.parametrize("fault", [DOWN, FORBIDDEN])
def test_while_the_primary_is_down_backups_keep_the_push_without_inventing_a_number(
    sites: tuple[Site, Site, Site], fault: PilotageError
) -> None:
    primary, one, two = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one, two])
    primary.fault = fault
    pushed = Job(primary, seed=1).push(snapshot(files(2)), "2", backups=[one, two], tags=["v2"])
    assert (pushed.outcome, pushed.exit_code, pushed.degraded, pushed.seq, pushed.head) == ("ok", 0, True, 0, "")
    assert pushed.stores["memory:one"] == pushed.stores["memory:two"] == "inbox"
    assert len(registry.log(one, NAME)) == 1
    primary.fault = None
    synced = sync(primary, one, two)
    assert (synced.replayed, synced.kept) == (1, ())
    assert level(*sites)
    assert waiting(one) == waiting(two) == []
    assert registry.pull(two, NAME, Selector("tag", "v2"))[0] == snapshot(files(2))
    assert [entry.kind for entry in registry.log(primary, NAME)] == ["push", "push"]


def test_the_next_push_brings_what_waits_to_the_primary(sites: tuple[Site, Site, Site]) -> None:
    primary, one, two = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one, two])
    primary.fault = DOWN
    Job(primary, seed=1).push(snapshot(files(2)), "2", backups=[one], tags=["v2"])
    primary.fault = None
    Job(primary, seed=2).push(snapshot(files(3)), "3", backups=[one, two])
    assert [entry.kind for entry in registry.log(primary, NAME)] == ["push", "push", "tag"]
    assert registry.pull(two, NAME, Selector("tag", "v2"))[0] == snapshot(files(2))
    assert waiting(one) == []
    assert level(*sites)


def test_a_primary_that_fails_right_after_the_commit_does_not_undo_it(sites: tuple[Site, Site, Site]) -> None:
    primary, _, _ = sites

    class Dying(Site):
        """A backup whose being asked for its inbox, which happens after the commit, takes the primary down."""

        def list(self, prefix: str) -> Iterator[str]:
            primary.fault = DOWN
            return super().list(prefix)

    backup = Dying("memory:one")
    pushed = Job(primary).push(snapshot(files(1)), "1", backups=[backup])
    assert (pushed.outcome, pushed.seq, pushed.degraded) == ("ok", 1, False)
    assert "behind" in pushed.warnings[0]


def test_two_jobs_on_two_backups_are_merged_without_a_fork(sites: tuple[Site, Site, Site]) -> None:
    primary, one, two = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one, two])
    primary.fault = DOWN
    Job(primary, seed=1).push(snapshot(files(3)), "3", backups=[two])
    Job(primary, seed=2).push(snapshot(files(2)), "2", backups=[one])
    primary.fault = None
    assert sync(primary, one, two).replayed == 2
    assert [len(entry["files"]) for entry in registry.log_document(primary, NAME)] == [1, 2, 3]
    assert level(*sites)


def test_two_jobs_that_diverge_are_both_named_and_the_second_is_kept(sites: tuple[Site, Site, Site]) -> None:
    primary, one, two = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one, two])
    primary.fault = DOWN
    Job(primary, seed=1).push(snapshot({**files(1), "a": b"a"}), "2", backups=[one])
    Job(primary, seed=2).push(snapshot({**files(1), "b": b"b"}), "3", backups=[two])
    primary.fault = None
    synced = sync(primary, one, two)
    assert synced.replayed == 1
    assert len(synced.kept) == 1
    assert len(waiting(one)) + len(waiting(two)) == 1
    assert level(*sites)


def test_a_late_state_that_a_backup_acknowledged_ends_in_the_history_as_a_note(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    primary.fault = DOWN
    Job(primary, seed=1).push(snapshot(files(2)), "2", backups=[one])
    primary.fault = None
    Job(primary, seed=2).push(snapshot(files(3)), "3")
    sync(primary, one)
    assert [(entry.kind, entry.seq) for entry in registry.log(primary, NAME)] == [("push", 1), ("note", 2)]
    assert registry.pull(primary, NAME, Selector())[0] == snapshot(files(3))
    assert registry.pull(primary, NAME, Selector("seq", "2"))[0] == snapshot(files(2))
    assert registry.verify(primary).damages == ()
    assert sync(primary, one).replayed == 0


def test_a_tag_that_moved_meanwhile_keeps_the_waiting_push(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one])
    primary.fault = DOWN
    Job(primary, seed=1).push(snapshot(files(2)), "2", backups=[one], tags=["v"])
    primary.fault = None
    Job(primary, seed=2).push(snapshot(files(3)), "3", tags=["v"])
    assert "--move-tag" in sync(primary, one).kept[0]
    assert len(waiting(one)) == 1


@pytest.mark.parametrize("state", [snapshot({"0001.sql": b"edited"}), snapshot({"x": b"x"})])
def test_what_diverges_from_a_backup_s_history_is_not_kept(sites: tuple[Site, Site, Site], state: Snapshot) -> None:
    primary, one, _ = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one])
    primary.fault = DOWN
    pushed = Job(primary, seed=1).push(state, "2", backups=[one])
    assert (pushed.outcome, pushed.exit_code) == ("diverged", 3)
    assert waiting(one) == []


@pytest.mark.parametrize("options", [{"allow_rewrite": True}, {"tags": ["v"], "move_tag": True}])
def test_what_needs_the_primary_s_word_waits_for_the_primary(
    sites: tuple[Site, Site, Site], options: dict[str, Any]
) -> None:
    primary, one, _ = sites
    primary.fault = DOWN
    with pytest.raises(TemporaryError):
        Job(primary).push(snapshot(files(1)), "1", backups=[one], **options)
    assert waiting(one) == []


@pytest.mark.parametrize(
    ("faults", "code"), [((DOWN, DOWN), 5), ((FORBIDDEN, FORBIDDEN), 2), ((FORBIDDEN, DOWN), 5), ((DOWN, FORBIDDEN), 5)]
)
def test_when_nobody_takes_it_the_push_fails_and_says_all_reasons(
    sites: tuple[Site, Site, Site], faults: tuple[PilotageError, PilotageError], code: int
) -> None:
    primary, one, _ = sites
    primary.fault, one.fault = faults
    with pytest.raises(PilotageError, match="no store took the push") as caught:
        Job(primary).push(snapshot(files(1)), "1", backups=[one])
    assert caught.value.exit_code == code


def test_a_fork_is_loud_and_nothing_is_copied_over_it(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one])
    Job(one, seed=5).push(snapshot({**files(1), "x": b"x"}), "2")
    before = history(one)
    with pytest.raises(IntegrityError, match="fork at entry 2"):
        Job(primary, seed=6).push(snapshot(files(2)), "2", backups=[one])
    assert history(one) == before
    assert len(registry.log(primary, NAME)) == 2
    with pytest.raises(IntegrityError, match="fork"):
        sync(primary, one)


def test_a_primary_that_lost_its_end_is_not_taken_for_the_truth(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    job = Job(primary)
    job.push(snapshot(files(1)), "1", backups=[one])
    job.push(snapshot(files(2)), "2", backups=[one])
    primary.edit(keys.slot(NAME, 2), None)
    with pytest.raises(IntegrityError, match="fork at entry 2"):
        sync(primary, one)
    assert len(registry.log(one, NAME)) == 2


def test_damage_in_the_primary_is_not_copied(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    job = Job(primary)
    job.push(snapshot(files(1)), "1", backups=[one])
    job.push(snapshot(files(2)), "2")
    job.push(snapshot(files(3)), "3")
    primary.edit(keys.slot(NAME, 2), primary.raw(keys.slot(NAME, 2)).replace(b"ada", b"bob"))
    with pytest.raises(IntegrityError):
        sync(primary, one)
    assert registry.verify(one).damages == ()


def test_a_damaged_waiting_push_is_not_replayed(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    primary.fault = DOWN
    Job(primary).push(snapshot(files(1)), "1", backups=[one])
    primary.fault = None
    (key,) = waiting(one)
    raw = one.raw(key)
    one.edit(key, raw.replace(b"ada", b"bob"))
    assert "damaged" in sync(primary, one).stores["memory:one"]
    one.edit(key, raw)
    blob = next(key for key in one.all_keys() if key.startswith("blobs/") and one.raw(key) == files(1)["0001.sql"])
    one.edit(blob, b"?" * len(files(1)["0001.sql"]))
    assert "damaged" in sync(primary, one).kept[0]
    assert list(primary.folders("dirs/")) == []


def test_reading_falls_back_in_order_and_says_so(sites: tuple[Site, Site, Site]) -> None:
    primary, one, two = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one, two])

    def pull(store: Store) -> Snapshot:
        return registry.pull(store, NAME, Selector())[0]

    assert registry.read(sites, NAME, pull)[1].warnings == ()
    primary.fault = DOWN
    found, source = registry.read(sites, NAME, pull)
    assert (found, source.address) == (snapshot(files(1)), "memory:one")
    assert "connection refused" in source.warnings[0]
    one.fault = FORBIDDEN
    assert registry.read(sites, NAME, pull)[1].address == "memory:two"
    two.fault = DOWN
    with pytest.raises(TemporaryError):
        registry.read(sites, NAME, pull)


def test_reading_passes_over_damage_and_loss_loudly_but_not_over_a_wrong_question(
    sites: tuple[Site, Site, Site],
) -> None:
    primary, one, _ = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one])
    with pytest.raises(UsageError, match="no tag"):
        registry.read([primary, one], NAME, lambda store: registry.pull(store, NAME, Selector("tag", "x")))
    with pytest.raises(UsageError, match="did you mean 'app'"):
        registry.read([primary, one], "ap", lambda store: registry.pull(store, "ap", Selector()))
    primary.edit(keys.slot(NAME, 1), None)
    _, source = registry.read([primary, one], NAME, lambda store: registry.pull(store, NAME, Selector()))
    assert "lost data" in source.warnings[0]


def test_a_primary_that_lost_everything_begins_no_second_history(sites: tuple[Site, Site, Site]) -> None:
    primary, one, two = sites
    Job(primary).push(snapshot(files(2)), "2", backups=[one, two])
    empty = Site("memory:primary")
    with pytest.raises(IntegrityError, match=r"memory:one has 1 entry: .*Nothing was pushed"):
        Job(empty, seed=2).push(snapshot(files(3)), "3", backups=[one, two])
    assert list(empty.list("")) == []
    one.fault = DOWN
    with pytest.raises(IntegrityError, match="memory:two"):
        Job(empty, seed=3).push(snapshot(files(3)), "3", backups=[one, two])
    one.fault = None
    assert Job(one, seed=4).push(snapshot(files(3)), "3", backups=[empty, two]).stores == {
        "memory:one": "ok",
        "memory:primary": "ok",
        "memory:two": "ok",
    }
    assert level(empty, one, two)


def test_a_push_that_waits_for_a_primary_that_lost_everything_goes_on_waiting(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    Job(primary).push(snapshot(files(2)), "2", backups=[one])
    primary.fault = DOWN
    Job(primary, seed=2).push(snapshot(files(3)), "3", backups=[one])
    empty = Site("memory:primary")
    with pytest.raises(IntegrityError, match="lost its data"):
        sync(empty, one)
    assert len(waiting(one)) == 1
    assert list(empty.list("")) == []


def test_reading_from_a_backup_says_what_waits_there(sites: tuple[Site, Site, Site]) -> None:
    primary, one, _ = sites
    Job(primary).push(snapshot(files(1)), "1", backups=[one])
    primary.fault = DOWN
    Job(primary, seed=2).push(snapshot(files(2)), "2", backups=[one])
    _, source = registry.read([primary, one], NAME, lambda store: registry.pull(store, NAME, Selector()))
    assert source.warnings[-1] == "1 push in its inbox not yet part of it"
