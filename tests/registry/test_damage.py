"""Tampering: every changed byte, deletion, truncation and swap is found by verify and named; what only an anchor can find is said."""

from __future__ import annotations

import pytest

from ci_runner import registry
from ci_runner.errors import IntegrityError, PilotageError, RefusedError, UsageError
from ci_runner.model.registry import GitFacts, Selector
from ci_runner.registry import canonical, keys
from tests.registry.world import NAME, Editable, Job, files, snapshot


def small(entries: int = 5) -> tuple[Editable, str]:
    """A registry with pushes, a tag on an older state and a rewrite; and its last head."""
    store = Editable()
    job = Job(store)
    job.push(snapshot(files(1)), "1", tags=["v1"])
    job.push(snapshot(files(2), down={"0002.down.sql": b"drop"}), "2")
    job.push(snapshot(files(1), aux={"n": b"n"}), "1", tags=["old"])
    job.push(snapshot(files(3)), "3")
    for number in range(4, entries):
        job.push(snapshot(files(number)), str(number))
    head = job.push(snapshot({"0001.sql": b"x"}), "9", allow_rewrite=True).head
    return store, head


def seq_of(key: str) -> int | None:
    return keys.slot_seq(NAME, key)


def first_need(store: Editable, key: str) -> int:
    """The first entry that needs a blob."""
    digest = key.rpartition("/")[2]
    for entry in registry.log(store, NAME):
        if digest == entry.manifest or any(
            file.sha256 == digest for file in registry.manifest(store, entry.manifest).files
        ):
            return entry.seq
    raise AssertionError("nobody needs it")


def carrying(store: Editable) -> list[str]:
    return [key for key in store.all_keys() if key.startswith(("dirs/", "blobs/"))]


@pytest.mark.slow
@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_every_single_byte_change_is_found_and_named_given_the_last_head(flip: int) -> None:
    store, head = small()
    expected = {key: seq_of(key) or first_need(store, key) for key in carrying(store)}
    changed = 0
    for key, seq in expected.items():
        raw = store.raw(key)
        for at in range(len(raw)):
            store.edit(key, raw[:at] + bytes([raw[at] ^ flip]) + raw[at + 1 :])
            found = registry.verify(store, NAME, head).damages
            assert any(damage.seq == seq and damage.where == key for damage in found), f"byte {at} of {key}: {found}"
            changed += 1
        store.edit(key, raw)
    assert registry.verify(store, NAME, head).damages == ()
    assert changed > 2000


@pytest.mark.slow
def test_without_an_anchor_every_byte_is_covered_but_those_of_the_last_entry() -> None:
    store, head = small()
    last = keys.slot(NAME, int(head.partition(":")[0]))
    for key in carrying(store):
        raw = store.raw(key)
        for at in range(len(raw)):
            store.edit(key, raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
            assert key == last or registry.verify(store).damages, f"byte {at} of {key}"
        store.edit(key, raw)


def test_a_change_of_the_last_entry_that_stays_well_formed_needs_the_anchor() -> None:
    store, head = small()
    last = keys.slot(NAME, int(head.partition(":")[0]))
    store.edit(last, store.raw(last).replace(b'"user":"ada"', b'"user":"bob"'))
    assert registry.verify(store).damages == ()
    (damage,) = registry.verify(store, NAME, head).damages
    assert damage.where == last
    assert "the anchor remembers" in damage.what


@pytest.mark.parametrize("with_anchor", [True, False])
def test_a_deleted_entry_or_blob_is_missing_by_name(with_anchor: bool) -> None:
    store, head = small()
    anchor = head if with_anchor else None
    for key in carrying(store):
        seq = seq_of(key) or first_need(store, key)
        raw = store.raw(key)
        store.edit(key, None)
        found = registry.verify(store, NAME, anchor).damages
        truncated = seq_of(key) == int(head.partition(":")[0])
        if with_anchor or not truncated:
            assert any(damage.seq == seq and damage.where == key and "missing" in damage.what for damage in found), key
        store.edit(key, raw)


@pytest.mark.parametrize("with_anchor", [True, False])
def test_a_truncated_object_is_found(with_anchor: bool) -> None:
    store, head = small()
    for key in carrying(store):
        raw = store.raw(key)
        for length in {0, len(raw) // 2, len(raw) - 1}:
            store.edit(key, raw[:length])
            if with_anchor or key != keys.slot(NAME, int(head.partition(":")[0])) or length < len(raw) - 1:
                assert registry.verify(store, NAME, head if with_anchor else None).damages, key
        store.edit(key, raw)


def test_two_entries_in_each_other_s_place_are_both_named() -> None:
    store, head = small()
    one, two = (store.raw(keys.slot(NAME, seq)) for seq in (2, 4))
    store.edit(keys.slot(NAME, 2), two)
    store.edit(keys.slot(NAME, 4), one)
    assert {2, 4} <= {damage.seq for damage in registry.verify(store, NAME, head).damages}


def test_a_rollback_to_an_older_head_is_named_by_the_anchor() -> None:
    store, head = small()
    last = int(head.partition(":")[0])
    store.edit(keys.slot(NAME, last), None)
    (damage,) = registry.verify(store, NAME, head).damages
    assert (damage.seq, "the log ends at entry" in damage.what) == (last, True)


def test_a_forked_history_of_the_same_length_is_named_by_the_anchor() -> None:
    store, head = small()
    other, _ = small()
    assert registry.verify(store, NAME, head).damages == ()
    Job(other, seed=3).push(snapshot({"0001.sql": b"x", "2": b""}), "10")
    mine = Job(store, seed=4).push(snapshot({"0001.sql": b"x", "3": b""}), "10")
    assert registry.verify(store, NAME, head).damages == ()
    (damage,) = registry.verify(other, NAME, mine.head).damages
    assert damage.seq == mine.seq


def test_a_log_moved_to_another_name_is_found_without_an_anchor() -> None:
    store, _ = small()
    for key in [key for key in store.all_keys() if key.startswith("dirs/app/")]:
        store.create(key.replace("dirs/app", "dirs/web"), store.raw(key))
    assert {damage.seq for damage in registry.verify(store, "web").damages} == {1, 2, 3, 4, 5, 6}
    with pytest.raises(IntegrityError, match="belongs to the directory 'app'"):
        registry.pull(store, "web", Selector())


def test_an_anchor_in_the_middle_vouches_for_what_came_before_and_the_chain_for_the_rest() -> None:
    store, _ = small()
    middle = registry.log(store, NAME)[2]
    assert registry.verify(store, NAME, f"3:{middle.hash}").damages == ()
    (damage,) = registry.verify(store, NAME, f"3:{'0' * 64}").damages
    assert damage.seq == 3


def test_the_good_head_ends_before_the_damage() -> None:
    store, head = small()
    log = registry.log(store, NAME)
    assert registry.verify(store).head == head
    store.edit(keys.slot(NAME, 3), store.raw(keys.slot(NAME, 3)).replace(b"ada", b"bob"))
    assert registry.verify(store).head == f"2:{log[1].hash}"
    store.edit(keys.slot(NAME, 1), b"")
    assert registry.verify(store).head == ""


def test_a_damaged_blob_that_two_directories_share_spoils_both() -> None:
    store = Editable()
    Job(store).push(snapshot(files(1)), "1", name="app")
    Job(store).push(snapshot(files(1)), "1", name="web")
    store.edit(keys.blob(canonical.sha256(files(1)["0001.sql"])), b"?")
    assert dict(registry.verify(store).heads) == {"app": "", "web": ""}


def test_entries_that_lie_about_latest_or_leave_out_tags_are_named() -> None:
    store, _ = small()
    for old, new, says in (
        (b'"latest":{"git"', b'"latest":{"seq":1,"git"', "key is given twice"),
        (b'"seq":2},"manifest"', b'"seq":1},"manifest"', "was not the latest"),
        (b'"tagged":1', b'"tagged":0', "leaves out the tags"),
    ):
        raw = store.raw(keys.slot(NAME, 3))
        assert old in raw
        store.edit(keys.slot(NAME, 3), raw.replace(old, new))
        assert any(says in damage.what for damage in registry.verify(store).damages), says
        store.edit(keys.slot(NAME, 3), raw)


def test_entries_that_leave_out_a_yank_or_a_rewrite_are_named() -> None:
    store = Editable()
    job = Job(store)
    job.push(snapshot(files(2)), "1")
    job.push(snapshot({"0001.sql": b"edited"}), "2", allow_rewrite=True)
    stamp = {"git": GitFacts(), "actor": {}, "now": job.now, "nonce": job.nonce(), "pause": job.pauses.append}
    registry.yank(store, NAME, Selector(), "wrong", **stamp)  # type: ignore[arg-type]
    job.push(snapshot({"0001.sql": b"edited", "0002.sql": b"more"}), "3")
    assert registry.verify(store).damages == ()
    for old, new, says in (
        (b'"yanked":3', b'"yanked":2', "leaves out entry 3, which is a yank"),
        (b'"rewritten":2', b'"rewritten":1', "leaves out entry 2, which is a rewrite"),
    ):
        raw = store.raw(keys.slot(NAME, 4))
        assert old in raw
        store.edit(keys.slot(NAME, 4), raw.replace(old, new))
        assert [damage.what for damage in registry.verify(store).damages] == [says]
        store.edit(keys.slot(NAME, 4), raw)


def test_an_entry_that_was_changed_to_claim_a_newer_format_is_damage_and_one_that_has_it_asks_for_an_upgrade() -> None:
    store, head = small()
    last = int(head.partition(":")[0])
    for seq in (2, last):
        raw = store.raw(keys.slot(NAME, seq))
        store.edit(keys.slot(NAME, seq), raw.replace(b'"v":1', b'"v":3'))
        (damage, *_) = registry.verify(store, NAME, head).damages
        assert (damage.seq, "claims a newer format" in damage.what) == (seq, True)
        if seq == last:
            with pytest.raises(RefusedError, match="upgrade"):
                registry.verify(store, NAME)
            newer = canonical.sha256(store.raw(keys.slot(NAME, seq)))
            with pytest.raises(RefusedError, match="upgrade"):
                registry.verify(store, NAME, f"{seq}:{newer}")
        store.edit(keys.slot(NAME, seq), raw)


def test_things_that_do_not_belong_are_named() -> None:
    store, _ = small()
    for key in (
        "dirs/app/log/x.json",
        "dirs/app/log/0000000000.json",
        "blobs/sha256/aa/bb",
        f"blobs/{'a' * 64}",
        "dirs/a.b/log/1",
    ):
        store.create(key, b"x")
        assert registry.verify(store).damages, key
        store.edit(key, None)
    assert registry.verify(store).damages == ()


def test_a_slot_far_beyond_the_log_is_named_without_counting_up_to_it() -> None:
    store, _ = small()
    store.create(keys.slot(NAME, keys.LAST_SEQ), b"{}")
    assert {damage.where for damage in registry.verify(store).damages} == {
        keys.slot(NAME, 7),
        keys.slot(NAME, keys.LAST_SEQ),
    }


def test_blobs_that_no_entry_needs_are_checked_and_allowed() -> None:
    store, _ = small()
    store.create(keys.blob(canonical.sha256(b"orphan")), b"orphan")
    assert registry.verify(store).damages == ()
    store.edit(keys.blob(canonical.sha256(b"orphan")), b"orphaN")
    assert [damage.seq for damage in registry.verify(store).damages] == [None]


def test_a_missing_or_broken_format_file_is_damage() -> None:
    store, _ = small()
    for raw in (None, b"{"):
        store.edit(keys.FORMAT, raw)
        assert [damage.where for damage in registry.verify(store).damages] == [keys.FORMAT]
        store.edit(keys.FORMAT, b'{"format":1}\n') if raw else store.create(keys.FORMAT, b"")


def test_names_that_differ_only_in_case_are_named() -> None:
    store, _ = small()
    raw = {key: store.raw(key) for key in store.all_keys() if key.startswith("dirs/")}
    for key, content in raw.items():
        store.create(key.replace("dirs/app", "dirs/APP"), content.replace(b'"name":"app"', b'"name":"APP"'))
    assert any("upper and lower case" in damage.what for damage in registry.verify(store).damages)


@pytest.mark.parametrize(
    "anchor", ["", "1", "1:", "0:" + "a" * 64, "1:" + "A" * 64, "1:" + "a" * 63, "x:" + "a" * 64, "-1:" + "a" * 64]
)
def test_what_is_no_anchor_is_told_so(anchor: str) -> None:
    store, _ = small()
    with pytest.raises(UsageError, match="no anchor"):
        registry.verify(store, NAME, anchor)


def test_an_anchor_needs_a_name_and_a_name_must_be_there() -> None:
    store, head = small()
    with pytest.raises(UsageError, match="name it"):
        registry.verify(store, None, head)
    with pytest.raises(UsageError, match="did you mean 'app'"):
        registry.verify(store, "ap")
    with pytest.raises(UsageError, match="no registry at"):
        registry.verify(Editable())


def test_a_reader_gets_a_whole_version_or_an_error_whatever_single_byte_is_changed() -> None:
    store, _ = small()
    whole = registry.pull(store, NAME, Selector("seq", "2"))[0]
    for key in carrying(store):
        raw = store.raw(key)
        for at in range(0, len(raw), 3):
            store.edit(key, raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
            try:
                pulled = registry.pull(store, NAME, Selector("seq", "2"))[0]
            except PilotageError as error:
                assert error.exit_code in {2, 6}
            else:
                assert pulled == whole or key == keys.slot(NAME, 2), (
                    "only the entry itself can say another state, and its hash shows it"
                )
        store.edit(key, raw)


def test_the_log_stops_at_the_break_in_the_chain() -> None:
    store, _ = small()
    store.edit(keys.slot(NAME, 2), store.raw(keys.slot(NAME, 2)).replace(b"ada", b"bob"))
    with pytest.raises(IntegrityError, match="before entry 3"):
        registry.log(store, NAME)


# The checker itself: verify is broken on purpose, and the byte test must notice.


@pytest.mark.parametrize("broken", ["_verify_links", "_verify_state"])
def test_a_verify_that_skips_a_check_misses_bytes(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        f"ci_runner.registry.verification.{broken}", lambda *_arguments: set() if "links" in broken else True
    )
    with pytest.raises(AssertionError):
        test_every_single_byte_change_is_found_and_named_given_the_last_head(1)
