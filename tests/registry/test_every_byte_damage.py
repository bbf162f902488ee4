"""Fifty entries of every kind: whatever single byte of the log or of a blob is changed, verify names the entry.

PILOTAGE_TEST_ROUNDS=40 tries every byte, the short run every fortieth.
"""

from __future__ import annotations

import functools
import os

import pytest

from ci_runner import registry
from ci_runner.model.registry import GitFacts, Selector
from ci_runner.registry import canonical, entries, keys, manifests
from tests.registry.test_damage import carrying, first_need, seq_of
from tests.registry.world import NAME, Editable, Job, files, snapshot

ENTRIES = 50
STEP = max(1, 40 // int(os.environ.get("PILOTAGE_TEST_ROUNDS", "1")))


def fifty() -> tuple[Editable, str]:
    """Pushes, tags of their own, moved and late, yanks and their undoing, a rewrite; and the last head."""
    store = Editable()
    job = Job(store)
    head = job.push(snapshot(files(1)), "1", tags=["v1"]).head
    number = 1
    while len(list(store.list(keys.log(NAME)))) < ENTRIES:
        number += 1
        state = snapshot(files(number // 4 + 1))
        if number % 12 == 5:
            _yank(job, f"wrong {number}")
            _yank(job, "")
        elif number == 30:
            state = snapshot({**files(8), "0002.sql": b"edited"})
        tags = [f"v{number}", *(["stable"] if number % 5 == 0 else [])]
        pushed = job.push(state, str(number), tags=tags, move_tag=True, allow_rewrite=number >= 30)
        head = pushed.head
    return store, head


def _yank(job: Job, reason: str) -> None:
    stamp = {"git": GitFacts(), "actor": {}, "now": job.clock(), "nonce": job.nonce(), "pause": job.pauses.append}
    registry.yank(job.store, NAME, Selector(), reason, **stamp)  # type: ignore[arg-type]


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((manifests, "parse"), (entries, "decode"), (canonical, "sha256")):
        monkeypatch.setattr(module, name, functools.lru_cache(maxsize=2_000)(getattr(module, name)))


@pytest.mark.slow
@pytest.mark.usefixtures("read_once")
def test_every_single_byte_change_of_fifty_entries_is_named_and_without_an_anchor_all_but_the_last_entry_s() -> None:
    store, head = fifty()
    last, count = int(head.partition(":")[0]), 0
    assert last >= ENTRIES
    assert registry.verify(store, NAME, head).damages == ()
    for key in carrying(store):
        raw, seq = store.raw(key), seq_of(key) or first_need(store, key)
        for at in range(0, len(raw), STEP):
            store.edit(key, raw[:at] + bytes([raw[at] ^ (1 << at % 8)]) + raw[at + 1 :])
            found = registry.verify(store, NAME, head).damages
            assert [damage for damage in found if (damage.seq, damage.where) == (seq, key)], (
                f"byte {at} of {key}: {found}"
            )
            assert key == keys.slot(NAME, last) or registry.verify(store, NAME).damages, f"byte {at} of {key}"
            count += 1
        store.edit(key, raw)
    print(
        f"\n{count} bytes of {last} entries changed, each named with the anchor, all but those of entry {last} without"
    )
    assert registry.verify(store, NAME, head).damages == ()
