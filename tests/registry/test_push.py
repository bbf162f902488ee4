"""Pushing: outcomes, tags, names, requests, and what a store that lies does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ci_runner import registry
from ci_runner.errors import (
    ConflictError,
    IntegrityError,
    RefusedError,
    SetupError,
    UsageError,
)
from ci_runner.model.registry import Entry, GitFacts, Selector, Snapshot, SnapshotFile
from ci_runner.registry import canonical, keys
from ci_runner.stores import Store
from ci_runner.stores.memory import MemoryStore
from tests.registry.world import NAME, Counting, Editable, Job, ancestry, files, snapshot

LATEST = Selector()


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def names(state: Snapshot) -> list[str]:
    return [file.name for file in state.files]


def test_a_first_push_is_entry_one_and_pulls_back_the_same(store: Store) -> None:
    state = snapshot(files(2), down={"0002.down.sql": b"drop"}, aux={"atlas.sum": b"h1:\n"})
    pushed = Job(store).push(state, "1")
    assert (pushed.outcome, pushed.seq, pushed.exit_code, pushed.stores, pushed.warnings) == (
        "ok",
        1,
        0,
        {"memory:": "ok"},
        (),
    )
    pulled, entry = registry.pull(store, NAME, LATEST)
    assert pulled == state
    assert pushed.head == f"1:{entry.hash}"
    assert pushed.digest == f"sha256:{entry.manifest}"
    assert (entry.kind, entry.prev, entry.git.sha, entry.actor) == (
        "push",
        "0" * 64,
        "1",
        {"unverified": {"user": "ada"}},
    )
    assert entry.time == "2026-01-05T09:01:00Z"


def test_an_empty_directory_can_be_pushed_and_grown(store: Store) -> None:
    job = Job(store)
    assert job.push(snapshot({}), "1").outcome == "ok"
    assert job.push(snapshot(files(1)), "2").outcome == "ok"
    assert [entry["files"] != [] for entry in registry.log_document(store, NAME)] == [False, True]


def test_the_same_push_again_is_a_noop_that_points_at_the_entry_it_found(store: Store) -> None:
    job = Job(store)
    first = job.push(snapshot(files(1)), "1")
    again = job.push(snapshot(files(1)), "9")
    assert (again.outcome, again.seq, again.head, again.digest) == ("noop", first.seq, first.head, first.digest)
    assert len(registry.log(store, NAME)) == 1


def test_a_late_job_is_stale_and_latest_stays(store: Store) -> None:
    job = Job(store)
    job.push(snapshot(files(1)), "1")
    job.push(snapshot(files(3)), "3")
    late = job.push(snapshot(files(2)), "2")
    assert (late.outcome, late.exit_code, late.seq) == ("stale", 0, 2)
    assert "newer" in late.reason
    assert names(registry.pull(store, NAME, LATEST)[0]) == ["0001.sql", "0002.sql", "0003.sql"]
    assert len(registry.log(store, NAME)) == 2


def test_a_late_job_with_a_tag_tags_its_own_older_state(store: Store) -> None:
    job = Job(store)
    job.push(snapshot(files(3)), "3")
    late = job.push(snapshot(files(2)), "2", tags=["v2"])
    assert (late.outcome, late.seq) == ("stale", 2)
    assert names(registry.pull(store, NAME, Selector("tag", "v2"))[0]) == ["0001.sql", "0002.sql"]
    assert names(registry.pull(store, NAME, LATEST)[0]) == ["0001.sql", "0002.sql", "0003.sql"]
    assert job.push(snapshot(files(4)), "4").outcome == "ok"
    assert registry.verify(store).damages == ()


def test_a_diverged_push_writes_nothing_and_names_the_files_with_both_hashes(store: Store) -> None:
    job = Job(store)
    job.push(snapshot(files(2)), "1")
    before = registry.log(store, NAME)
    edited = snapshot({**files(2), "0001.sql": b"edited", "0003.sql": b"new"})
    pushed = job.push(edited, "2")
    assert (pushed.outcome, pushed.exit_code) == ("diverged", 3)
    assert canonical.sha256(files(1)["0001.sql"]) in pushed.differences[0]
    assert canonical.sha256(b"edited") in pushed.differences[0]
    assert "--allow-rewrite" in pushed.reason
    assert registry.log(store, NAME) == before


def test_allow_rewrite_writes_an_entry_that_names_what_it_took_away(store: Store) -> None:
    job = Job(store)
    job.push(snapshot(files(2)), "1")
    pushed = job.push(snapshot({"0001.sql": b"edited"}), "2", allow_rewrite=True)
    assert pushed.outcome == "ok"
    last = registry.log(store, NAME)[-1]
    assert last.kind == "rewrite"
    assert [line.partition(":")[0] for line in last.differences] == ["0001.sql", "0002.sql"]
    assert names(registry.pull(store, NAME, LATEST)[0]) == ["0001.sql"]


def test_facts_that_are_long_or_no_valid_text_do_not_stop_a_push(store: Store) -> None:
    def push(git: GitFacts, actor: dict[str, str]) -> Entry:
        job = Job(store)
        options = {"clock": job.clock, "nonce": job.nonce, "pause": job.pauses.append, "ancestry": ancestry}
        registry.push(store, NAME, snapshot(files(1)), git=git, actor=actor, **options)  # type: ignore[arg-type]
        return registry.log(store, NAME)[0]

    entry = push(GitFacts("r" * 5000, "1", "refs/heads/\udcff" + "x" * 5000), {"name": "\udcff"})
    assert entry.git.ref.startswith("refs/heads/?xx")
    assert entry.actor == {"name": "?"}


def test_a_tag_comes_with_its_push_in_one_entry(store: Store) -> None:
    Job(store).push(snapshot(files(1)), "1", tags=["v1", "stable", "v1"])
    (entry,) = registry.log(store, NAME)
    assert entry.tags == ("stable", "v1")


def test_a_noop_adds_the_missing_tags_and_only_those(store: Store) -> None:
    job = Job(store)
    first = job.push(snapshot(files(1)), "1", tags=["v1"])
    again = job.push(snapshot(files(1)), "1", tags=["v1", "stable"])
    assert (again.outcome, again.seq) == ("noop", 2)
    assert registry.log(store, NAME)[-1].tags == ("stable",)
    assert registry.log(store, NAME)[-1].kind == "tag"
    assert job.push(snapshot(files(1)), "1", tags=["v1", "stable"]).head == again.head
    assert first.digest == again.digest


def test_a_tag_moves_only_when_told_to(store: Store) -> None:
    job = Job(store)
    first = job.push(snapshot(files(1)), "1", tags=["v1"])
    for number in range(2, 6):
        job.push(snapshot(files(number)), str(number))
    head = registry.log(store, NAME)[-1]
    with pytest.raises(ConflictError, match="--move-tag") as caught:
        job.push(snapshot(files(6)), "6", tags=["v1"])
    assert first.digest in str(caught.value)
    assert registry.log(store, NAME)[-1] == head
    job.push(snapshot(files(6)), "6", tags=["v1"], move_tag=True)
    assert len(registry.pull(store, NAME, Selector("tag", "v1"))[0].files) == 6


def test_directories_of_one_registry_share_blobs_and_nothing_else(store: Store) -> None:
    job = Job(store)
    job.push(snapshot(files(2)), "1", name="app", tags=["v1"])
    job.push(snapshot(files(2)), "1", name="web")
    assert registry.list_names(store) == ("app", "web")
    with pytest.raises(UsageError, match="has no tag"):
        registry.pull(store, "web", Selector("tag", "v1"))
    assert registry.verify(store).blobs == 3


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "a b", "-a", "_a", "ä", "a" * 64, "a" * 300, "a.b", "a\n", "a\x00"]
)
def test_a_name_that_is_none_is_refused_before_anything_is_read(name: str) -> None:
    store = Counting(MemoryStore())
    with pytest.raises(UsageError, match="cannot name"):
        Job(store).push(snapshot(files(1)), "1", name=name)
    assert store.requests == []


@pytest.mark.parametrize("tag", ["", "latest", "../x", "a/b", "a:b", "-a", ".a", "ä", "a" * 129, "a\n"])
def test_a_tag_that_is_none_is_refused_before_anything_is_read(tag: str) -> None:
    store = Counting(MemoryStore())
    with pytest.raises(UsageError, match="tag"):
        Job(store).push(snapshot(files(1)), "1", tags=[tag])
    assert store.requests == []


@pytest.mark.parametrize("name", ["A", "a-b_C9", "a" * 63])
def test_a_name_of_the_allowed_letters_is_taken(store: Store, name: str) -> None:
    assert Job(store).push(snapshot(files(1)), "1", name=name).outcome == "ok"


def test_a_name_that_differs_only_in_case_is_refused(store: Store) -> None:
    job = Job(store)
    job.push(snapshot(files(1)), "1", name="App")
    with pytest.raises(ConflictError, match="'App'"):
        job.push(snapshot(files(1)), "1", name="app")
    assert registry.list_names(store) == ("App",)


@pytest.mark.parametrize(
    "state",
    [
        snapshot({"../x.sql": b"x"}),
        snapshot({"/x.sql": b"x"}),
        snapshot({"a\\b.sql": b"x"}),
        snapshot({"a\nb.sql": b"x"}),
        snapshot({"a": b"x", "a/b": b"x"}),
        Snapshot("postgres", "atlas", "h1:", (SnapshotFile("a", "up", b"1"), SnapshotFile("a", "up", b"2"))),
        Snapshot("postgres", "atlas", "h1:", tuple(SnapshotFile(f"{n}", "up", b"") for n in range(10_001))),
        snapshot({f"{n:05d}{'x' * 190}/{'y' * 190}/{'z' * 190}": b"" for n in range(9_000)}),
        snapshot({"large.sql": bytes(keys.FILE_LIMIT + 1)}),
    ],
    ids=["up", "absolute", "backslash", "newline", "file and folder", "twice", "too many", "long list", "large"],
)
def test_a_directory_no_reader_would_accept_is_refused_before_anything_is_read(state: Snapshot) -> None:
    store = Counting(MemoryStore())
    with pytest.raises(RefusedError):
        Job(store).push(state, "1")
    assert store.requests == []


def test_a_registry_of_a_newer_format_is_refused_by_every_command(store: Store) -> None:
    store.create("format.json", b'{"format":2}\n')
    for operation in (
        lambda: Job(store).push(snapshot(files(1)), "1"),
        lambda: registry.pull(store, NAME, LATEST),
        lambda: registry.log(store, NAME),
        lambda: registry.verify(store),
    ):
        with pytest.raises(RefusedError, match="upgrade Pilotage"):
            operation()
    assert list(store.list("")) == ["format.json"]


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"format":true}', b'{"format":0}', b'{"format":"1"}', b"[1]"])
def test_a_format_that_cannot_be_read_is_damage(store: Store, raw: bytes) -> None:
    store.create("format.json", raw)
    with pytest.raises(IntegrityError):
        Job(store).push(snapshot(files(1)), "1")


def test_an_entry_of_a_newer_version_stops_a_push() -> None:
    store = Editable()
    Job(store).push(snapshot(files(1)), "1")
    store.edit(keys.slot(NAME, 1), store.raw(keys.slot(NAME, 1)).replace(b'"v":1', b'"v":2'))
    with pytest.raises(RefusedError, match="upgrade"):
        Job(store).push(snapshot(files(2)), "2")


def test_unknown_keys_of_an_entry_are_ignored() -> None:
    store = Editable()
    Job(store).push(snapshot(files(1)), "1")
    store.edit(keys.slot(NAME, 1), store.raw(keys.slot(NAME, 1)).replace(b'"v":1', b'"v":1,"what":{"later":[1,2]}'))
    assert Job(store).push(snapshot(files(2)), "2").outcome == "ok"
    assert registry.verify(store).damages == ()


def grown(count: int) -> MemoryStore:
    store = MemoryStore()
    job = Job(store)
    for number in range(1, count + 1):
        job.push(snapshot(files(number)), str(number))
    return store


@pytest.mark.parametrize("pushes", [1, 2, 300])
def test_a_noop_takes_four_requests_and_one_new_file_eleven_however_long_the_log(pushes: int) -> None:
    store = grown(pushes)
    noop = Counting(store)
    assert Job(noop).push(snapshot(files(pushes)), str(pushes)).outcome == "noop"
    assert len(noop.requests) <= 4
    grow = Counting(store)
    assert Job(grow).push(snapshot(files(pushes + 1)), str(pushes + 1)).outcome == "ok"
    assert len(grow.requests) <= 11
    written = [key for operation, key, _ in grow.requests if operation == "create"]
    assert len(written) == 3, "one file, the manifest, the slot"
    assert not [request for request in grow.requests if request[0] in {"list", "folders"}]


def test_the_same_holds_when_the_log_ends_in_a_tag_on_an_older_state() -> None:
    store = grown(20)
    Job(store).push(snapshot(files(5)), "5", tags=["old"])
    noop = Counting(store)
    assert Job(noop).push(snapshot(files(20)), "20").outcome == "noop"
    assert len(noop.requests) <= 4
    grow = Counting(store)
    assert Job(grow).push(snapshot(files(21)), "21").outcome == "ok"
    assert len(grow.requests) <= 11


def test_without_a_hint_the_end_is_found_in_a_logarithm_of_requests() -> None:
    class NoHints(Counting):
        def get(self, key: str, limit: int) -> bytes | None:
            return None if key.startswith("hints/") else super().get(key, limit)

    store = NoHints(grown(300))
    assert Job(store).push(snapshot(files(300)), "300").outcome == "noop"
    assert len(store.requests) <= 20


@pytest.mark.parametrize(
    "hint", [b"0", b"1", b"7", b"13", b"99999999999", b"-1", b"x", b"", b"\xff", b"5" * 100, "٣".encode()]
)
def test_a_wrong_hint_costs_requests_and_never_changes_the_result(hint: bytes) -> None:
    store = grown(12)
    store.put_hint(keys.hint(NAME), hint)
    assert Job(store).push(snapshot(files(12)), "12").seq == 12
    assert Job(store).push(snapshot(files(13)), "13").seq == 13
    assert registry.verify(store).damages == ()


def test_a_tagged_push_reads_only_the_entries_that_name_tags() -> None:
    store = grown(200)
    Job(store).push(snapshot(files(200)), "200", tags=["v1"])
    counting = Counting(store)
    Job(counting).push(snapshot(files(201)), "201", tags=["v2"])
    assert len(counting.requests) <= 12


@pytest.mark.parametrize("year", [1970, 2026, 2999])
def test_the_clock_decides_nothing(year: int) -> None:
    store = MemoryStore()
    Job(store).push(snapshot(files(1)), "1")
    job = Job(store, seed=7, now=datetime(year, 1, 1, tzinfo=UTC))
    assert job.push(snapshot(files(2)), "2").seq == 2
    assert Job(store).push(snapshot(files(1)), "1").outcome == "stale"


def test_pauses_are_a_random_part_of_a_doubling_span_up_to_thirty_seconds() -> None:
    slept: list[float] = []
    pause = registry.jitter(slept.append, lambda: 0.5)
    for repetition in (0, 1, 2, 10, 11, 199):
        pause(repetition)
    assert slept == [0.01, 0.02, 0.04, 10.24, 15.0, 15.0]


def test_listing_is_only_asked_for_the_first_push_of_a_name(store: Store) -> None:
    class Unlistable(Counting):
        def folders(self, prefix: str) -> Iterator[str]:
            raise SetupError("no right to list")

    Job(store).push(snapshot(files(1)), "1")
    assert Job(Unlistable(store)).push(snapshot(files(2)), "2").outcome == "ok"
