"""Tags and yanks are found by few requests however long the history, also where clients of before the table of tags wrote to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ci_runner import registry
from ci_runner.errors import ConflictError, IntegrityError, UsageError
from ci_runner.model.registry import Entry, GitFacts, Selector, TagIndex
from ci_runner.registry import buckets, canonical, entries, keys, tags
from tests.registry.world import NAME, Counting, Editable, Job, files, snapshot

TAGS = ("v1", "v2", "v3", "stable", "late", "x")


@contextmanager
def earlier_client() -> Iterator[None]:
    """What pushes meanwhile is a client that does not know the table of tags nor the way back to yanks and rewrites."""
    encode = entries.encode

    def earlier(entry: Entry) -> Entry:
        return encode(replace(entry, index=None, yanked=None, rewritten=None))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "encode", earlier)
        yield


def grown(pushes: int, store: Editable | None = None) -> Editable:
    """A history of ``pushes`` states, two in turn, each with a tag of its own."""
    store = store or Editable()
    job = Job(store)
    for number in range(pushes):
        job.push(snapshot({"1.sql": b"%d" % (number % 2)}), "", tags=[f"v{number}"], allow_rewrite=True)
    return store


def requests(store: Editable, *, new: bool, tag: str) -> int:
    """What a push takes: of one new file, or of nothing new."""
    counting = Counting(store)
    state = snapshot({"1.sql": b"%d" % new, "2.sql": b"x"} if new else {"1.sql": b"1"})
    assert Job(counting).push(state, "", tags=[tag]).outcome == ("ok" if new else "noop")
    return len(counting.requests)


@pytest.mark.parametrize("pushes", [2, 10, 600])
def test_a_push_with_a_new_tag_takes_eleven_requests_however_many_tags_there_are(pushes: int) -> None:
    assert requests(grown(pushes), new=True, tag="new") <= 11


@pytest.mark.parametrize("pushes", [2, 10, 600])
def test_the_same_push_again_with_its_tag_takes_four_requests_however_many_tags_there_are(pushes: int) -> None:
    assert requests(grown(pushes), new=False, tag=f"v{pushes - 1}") <= 4


@pytest.mark.parametrize("pushes", [2, 600])
def test_reading_by_a_tag_takes_as_many_requests_however_many_tags_there_are(pushes: int) -> None:
    counting = Counting(grown(pushes))
    assert registry.pull(counting, NAME, Selector("tag", "v0"))[1].seq == 1
    assert len(counting.requests) <= 8
    with pytest.raises(UsageError, match="has no tag"):
        registry.pull(counting, NAME, Selector("tag", "missing"))


def test_what_an_entry_says_of_tags_stays_small_however_many_there_are() -> None:
    sizes = [len(registry.log(grown(pushes), NAME)[-1].raw) for pushes in (300, 900)]
    assert sizes[1] < 8_000
    assert sizes[1] - sizes[0] < 3_000


def test_listing_tags_reads_at_most_one_entry_a_bucket() -> None:
    counting = Counting(grown(600))
    listed = registry.tags_document(counting, NAME)
    assert [each["tag"] for each in listed] == sorted(f"v{number}" for number in range(600))
    assert all(each["tag"] == f"v{each['seq'] - 1}" for each in listed)
    assert len(counting.requests) <= 256 + 4


def test_the_table_begins_with_the_first_tagged_push_onto_a_history_without_one() -> None:
    with earlier_client():
        store = grown(300)
    assert registry.log(store, NAME)[-1].index is None
    assert [each["tag"] for each in registry.tags_document(store, NAME)] == sorted(
        f"v{number}" for number in range(300)
    )
    assert requests(store, new=True, tag="first") > 300
    counting = Counting(store)
    Job(counting).push(snapshot({"1.sql": b"1", "2.sql": b"x", "3.sql": b"x"}), "", tags=["second"])
    assert len(counting.requests) <= 11
    assert registry.verify(store).damages == ()


def test_a_history_with_more_tags_than_one_entry_may_gather_stays_without_a_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with earlier_client():
        store = grown(20)
    monkeypatch.setattr(tags, "_MOST_GATHERED", 10)
    Job(store).push(snapshot({"1.sql": b"1", "2.sql": b"x"}), "", tags=["new"])
    assert registry.log(store, NAME)[-1].index is None
    assert len(registry.tags_document(store, NAME)) == 21
    assert registry.verify(store).damages == ()


STEP = st.tuples(st.booleans(), st.lists(st.sampled_from(TAGS), max_size=3), st.booleans(), st.booleans())


@settings(max_examples=120, deadline=None)
@given(st.lists(STEP, max_size=14))
def test_whichever_clients_push_in_turn_tags_are_what_a_list_says(
    steps: list[tuple[bool, list[str], bool, bool]],
) -> None:
    store, model, count = Editable(), dict[str, str](), 1
    for number, (old, wanted, grow, yank) in enumerate(steps):
        count += grow
        with earlier_client() if old else pytest.MonkeyPatch.context():
            pushed = Job(store, seed=number).push(snapshot(files(count)), str(count), tags=wanted, move_tag=True)
            if yank:
                mark(store, Selector(), reason=f"{number}")
        model |= dict.fromkeys(wanted, pushed.digest)
    if steps:
        assert {each["tag"]: each["digest"] for each in registry.tags_document(store, NAME)} == model
        for tag in TAGS:
            found = tags.find(store, NAME, registry.log(store, NAME)[-1], tag)
            assert (found.manifest if found else None) == (model[tag].removeprefix("sha256:") if tag in model else None)
        assert registry.verify(store).damages == ()


def mark(store: Editable, selector: Selector, reason: str) -> Entry:
    job = Job(store, seed=77)
    stamp: dict[str, Any] = {"git": GitFacts(), "actor": {}, "now": job.now, "nonce": job.nonce()}
    return registry.yank(store, NAME, selector, reason, pause=job.pauses.append, **stamp)


@pytest.mark.parametrize("pushes", [3, 300])
def test_whether_an_old_version_was_yanked_takes_as_many_requests_however_many_pushes_came_since(pushes: int) -> None:
    store = grown(2)
    mark(store, Selector("tag", "v0"), "wrong")
    grown(pushes, store)
    counting = Counting(store)
    with pytest.raises(ConflictError, match="yanked: wrong"):
        registry.deployable(counting, registry.parse_reference(f"pilotage://{NAME}?seq=1"))
    assert len(counting.requests) <= 12


def test_a_push_onto_an_out_of_date_hint_that_may_not_move_a_tag_looks_at_the_end_before_it_says_so() -> None:
    store = Editable()
    job = Job(store)
    job.push(snapshot(files(1)), "1", tags=["v1"])
    job.push(snapshot(files(2)), "2", tags=["v1"], move_tag=True)
    store.put_hint(keys.hint(NAME), b"1")
    assert job.push(snapshot(files(2)), "2", tags=["v1"]).outcome == "noop"


# What a table may not say: refused where it is read, or found by verify.


def edited(change: Any) -> Editable:
    """A history of three tags whose last entry's table was changed."""
    store = grown(3)
    value = json.loads(store.raw(keys.slot(NAME, 3)))
    change(value["index"])
    store.edit(keys.slot(NAME, 3), canonical.dumps(value))
    return store


MINE = buckets.bucket("v2")
OTHER = buckets.bucket("v0")
REFUSED = {
    "no object": lambda index: index.clear(),
    "a bucket of no such name": lambda index: index["at"].update({"zz": 1}),
    "a bucket in the future": lambda index: index["at"].update({OTHER: 4}),
    "a bucket nowhere": lambda index: index["at"].update({OTHER: 0}),
    "a bucket held by a truth value": lambda index: index["at"].update({OTHER: True}),
    "a tag of another entry's bucket": lambda index: index["tags"].update({"v0": index["tags"]["v2"]}),
    "a name that is no tag": lambda index: index["tags"].update({"../x": index["tags"]["v2"]}),
    "a tag that stands for nothing": lambda index: index["tags"].update({"v2": None}),
    "a tag in the future": lambda index: index["tags"]["v2"].update(seq=4),
    "a tag of a truth value": lambda index: index["tags"]["v2"].update(seq=True),
    "a digest that is none": lambda index: index["tags"]["v2"].update(manifest="../x"),
    "a long time": lambda index: index["tags"]["v2"].update(time="9" * 2000),
}
FOUND = {
    "a tag left out": (lambda index: index["tags"].clear(), "does not hold"),
    "a bucket left out": (
        lambda index: (index["at"].pop(MINE), index["tags"].clear()),
        "leaves out what entry 3 names",
    ),
    "an earlier bucket left out": (lambda index: index["at"].pop(OTHER), f"wrong entry for bucket {OTHER}"),
    "an earlier bucket elsewhere": (lambda index: index["at"].update({OTHER: 2}), f"wrong entry for bucket {OTHER}"),
    "a tag on an earlier entry": (lambda index: index["tags"]["v2"].update(seq=2), "does not hold"),
    "a tag of another state": (lambda index: index["tags"]["v2"].update(manifest="0" * 64), "does not hold"),
    "an earlier bucket taken over": (lambda index: index["at"].update({OTHER: 3}), "does not hold"),
}


def test_a_changed_entry_is_named_alone_though_later_tables_do_not_fit_it_any_more() -> None:
    store = grown(600)
    key = keys.slot(NAME, 3)
    store.edit(key, store.raw(key).replace(b'"time":"2026', b'"time":"2025'))
    (damage,) = registry.verify(store).damages
    assert damage.seq == 3


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_a_table_that_nobody_could_have_written_is_refused(change: Any) -> None:
    store = edited(change)
    for operation in (
        lambda: registry.pull(store, NAME, Selector("tag", "v0")),
        lambda: Job(store).push(snapshot(files(2)), "2", tags=["new"]),
    ):
        with pytest.raises(IntegrityError, match="table of tags"):
            operation()
    assert registry.verify(store).damages[0].seq == 3


@pytest.mark.parametrize(("change", "says"), FOUND.values(), ids=FOUND.keys())
def test_a_table_that_does_not_say_what_the_log_says_is_found_by_verify(change: Any, says: str) -> None:
    (damage,) = registry.verify(edited(change)).damages
    assert (damage.seq, says in damage.what) == (3, True), damage


def test_a_table_that_points_to_an_entry_without_the_tags_is_refused_when_they_are_asked_for() -> None:
    store = edited(FOUND["an earlier bucket elsewhere"][0])
    with pytest.raises(IntegrityError, match="says that entry 2 holds tags"):
        registry.pull(store, NAME, Selector("tag", "v0"))
    store = edited(FOUND["a tag on an earlier entry"][0])
    with pytest.raises(IntegrityError, match="does not name 'v2'"):
        registry.pull(store, NAME, Selector("tag", "v2"))


def test_a_writer_that_forgets_to_add_to_the_table_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = tags.index

    def forgetful(entry: Entry, last: Entry | None, standing: tags.Tags | None) -> TagIndex | None:
        table = honest(entry, last, standing)
        return TagIndex(last.index.at, {}) if last and last.index and entry.seq == 3 else table

    monkeypatch.setattr(tags, "index", forgetful)
    assert [damage.seq for damage in registry.verify(grown(3)).damages] == [3]
