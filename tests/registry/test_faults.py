"""Every operation of a push fails, loses its answer, dies before and after, or meets a rival: nothing acknowledged is lost or doubled.

``PILOTAGE_TEST_ROUNDS=1700 nox -s faults -- tests/registry/test_faults.py`` plays a million schedules; a failing one is printed whole.
PILOTAGE_TEST_SEED is the first of their seeds.
"""

from __future__ import annotations

import functools
import gc
import itertools
import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from ci_runner import registry
from ci_runner.errors import TemporaryError
from ci_runner.model.registry import Pushed, Selector, Snapshot
from ci_runner.registry import canonical, chain, commit, entries, keys, manifests, pushing
from ci_runner.stores import Created, Store, memory
from ci_runner.stores.memory import MemoryStore
from tests.registry.world import NAME, Crash, Fault, Faulty, Job, files, snapshot

SEEDS = 600 * int(os.environ.get("PILOTAGE_TEST_ROUNDS", "1"))
FIRST = int(os.environ.get("PILOTAGE_TEST_SEED", "0"))
PARTS = 2  # that run side by side
ATTEMPTS = 12


@dataclass
class Story:
    """Four merges in order, the second tagged, one job late, each run again by CI until it ends; a rival may push before any operation."""

    schedule: Mapping[int, Fault]
    base: MemoryStore = field(default_factory=MemoryStore)
    acknowledged: list[tuple[int, Pushed]] = field(default_factory=list)
    tagged: dict[str, str] = field(default_factory=dict)
    unacknowledged: int = 0

    def run(self, steps: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        self.store = Faulty(self.base, self.schedule, self.rival)
        self.rivals = 0
        for number, (count, tags) in enumerate(steps):
            self.push(count, tags, number)

    def push(self, count: int, tags: tuple[str, ...], number: int) -> None:
        for attempt in range(ATTEMPTS):
            job = Job(self.store, seed=1 + number * 100 + attempt)
            try:
                pushed = job.push(state(count), str(count), tags=tags)
            except (Crash, TemporaryError):
                self.unacknowledged += 1
            else:
                self.acknowledged.append((count, pushed))
                self.tagged |= dict.fromkeys(tags, pushed.digest)
                return

    def rival(self) -> None:
        """Another job pushes the next state of the same history; it meets no faults."""
        self.rivals += 1
        head = chain.head(self.base, NAME)
        count = (len(chain.manifest(self.base, head.latest.manifest).files) if head else 0) + 1
        self.acknowledged.append((count, Job(self.base, seed=10_000 + self.rivals).push(state(count), str(count))))

    def check(self) -> None:
        """The promises: one whole chain, every acknowledged state and tag in it, none twice, and the end is the newest."""
        if not self.acknowledged:
            return
        verified = registry.verify(self.base)
        log = registry.log(self.base, NAME)
        assert verified.damages == ()
        assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
        assert len({entry.id for entry in log}) == len(log)
        pushes = [entry.manifest for entry in log if entry.kind == "push"]
        assert len(set(pushes)) == len(pushes), "a state was pushed twice"
        by_head = {f"{entry.seq}:{entry.hash}": entry for entry in log}
        for _, pushed in self.acknowledged:
            assert pushed.head in by_head, "an acknowledged head is not in the log"
            assert pushed.outcome in {"ok", "noop", "stale"}
            if pushed.outcome != "stale":
                assert log[pushed.seq - 1].manifest == pushed.digest.removeprefix("sha256:")
        newest = max(count for count, _ in self.acknowledged)
        assert any(len(registry.manifest(self.base, digest).files) >= newest for digest in pushes)
        standing = {each["tag"]: each["digest"] for each in registry.tags_document(self.base, NAME)}
        assert standing == self.tagged | {tag: digest for tag, digest in standing.items() if tag not in self.tagged}
        assert len(registry.pull(self.base, NAME, Selector())[0].files) >= newest


@functools.cache
def state(count: int) -> Snapshot:
    return snapshot(files(count))


STEPS = ((1, ()), (2, ("v2",)), (4, ()), (3, ("late",)), (4, ("v4", "stable")))
SHORT = ((1, ()), (2, ("v2",)))


def play(schedule: Mapping[int, Fault], steps: Iterable[tuple[int, tuple[str, ...]]]) -> Story:
    story = Story(schedule)
    try:
        story.run(steps)
        story.check()
    except BaseException:
        print(f"schedule: {dict(sorted(schedule.items()))} steps: {steps}")
        raise
    return story


def operations(steps: Iterable[tuple[int, tuple[str, ...]]]) -> int:
    return play({}, steps).store.operations


def test_the_story_without_faults_ends_as_told() -> None:
    story = play({}, STEPS)
    assert [pushed.outcome for _, pushed in story.acknowledged] == ["ok", "ok", "ok", "stale", "noop"]
    assert len(registry.pull(story.base, NAME, Selector("tag", "late"))[0].files) == 3
    assert len(registry.pull(story.base, NAME, Selector("tag", "stable"))[0].files) == 4


def test_each_single_fault_at_each_operation_loses_nothing() -> None:
    count = operations(STEPS)
    landed = 0
    for at, fault in itertools.product(range(1, count + 1), Fault):
        story = play({at: fault}, STEPS)
        assert len(story.acknowledged) >= len(STEPS)
        landed += story.store.landed
    assert landed == count * len(Fault)


@pytest.mark.slow
def test_each_pair_of_faults_loses_nothing() -> None:
    count = operations(SHORT)
    for (first, second), one, two in itertools.product(itertools.combinations(range(1, count + 1), 2), Fault, Fault):
        story = play({first: one, second: two}, SHORT)
        assert len(story.acknowledged) >= len(SHORT)


FAULTS = list(Fault)


def seeded(seed: int) -> dict[int, Fault]:
    chance = random.Random(seed)
    rate = chance.choice([0.02, 0.1, 0.3])
    return {at: chance.choice(FAULTS) for at in range(1, 400) if chance.random() < rate}


PURE = (
    (manifests, "of"),
    (manifests, "parse"),
    (manifests, "check_format"),
    (entries, "decode"),
    (canonical, "sha256"),
    (memory, "check_key"),
)
"""What depends on nothing but the bytes, the state or the key it is given, and is given them in every schedule."""


@pytest.fixture
def parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes are read, and the same state is listed, once: most of a schedule's time would go there otherwise."""
    for module, name in PURE:
        monkeypatch.setattr(module, name, functools.lru_cache(maxsize=20_000)(getattr(module, name)))


@pytest.mark.slow
@pytest.mark.usefixtures("parsed_once")
@pytest.mark.parametrize("part", range(PARTS))
def test_seeded_schedules_of_many_faults_lose_nothing(part: int) -> None:
    landed = acknowledged = 0
    gc.disable()  # collected between schedules instead of within
    for seed in range(FIRST + part, FIRST + SEEDS, PARTS):
        if seed % 1000 < PARTS:
            gc.collect()
        try:
            story = play(seeded(seed), STEPS)
        except BaseException:
            print(f"seed: {seed}")
            raise
        landed += story.store.landed
        acknowledged += len(story.acknowledged)
    gc.enable()
    count = len(range(part, SEEDS, PARTS))
    seeds = f"seeds {FIRST + part} to {FIRST + SEEDS - 1}"
    print(
        f"\n{count} schedules ({seeds}), {landed} faults landed, {acknowledged} pushes acknowledged; 0 lost, 0 doubled, 0 forks"
    )
    assert landed > count
    assert acknowledged > count


# The checker itself: each planted bug must be found by some single fault.


def _no_second_look(store: Store, key: str, content: bytes, pause: commit.Pause) -> bytes:
    """Believes "exists" and takes a lost answer for success."""
    try:
        return content if store.create(key, content) is Created.CREATED else b""
    except TemporaryError:
        return content


def _found_out() -> bool:
    """Whether some single fault, or none at all, makes the checker object."""
    try:
        count = operations(STEPS)
        stories = [play({at: fault}, STEPS) for at, fault in itertools.product(range(1, count + 1), Fault)]
    except Exception:
        return True
    return any(len(story.acknowledged) < len(STEPS) for story in stories)


def test_a_push_that_trusts_a_lost_answer_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commit, "settle", _no_second_look)
    assert _found_out()


def test_a_push_that_trusts_the_hint_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def trusting(store: Store, name: str, since: chain.Head | None = None) -> chain.Head | None:
        if since:
            return since
        hint = store.get(keys.hint(name), 32)
        if hint is None:
            return None
        last = entries.decode(store.get(keys.slot(name, int(hint)), keys.TEXT_LIMIT) or b"", int(hint), name)
        return chain.Head(last, chain._latest(store, name, last))

    monkeypatch.setattr(chain, "head", trusting)
    assert _found_out()


def test_a_push_that_claims_its_slot_before_its_files_are_there_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pushing, "_prepare", lambda *_arguments: None)
    assert _found_out()


def test_the_untouched_program_gives_the_checker_nothing_to_object_to() -> None:
    assert not _found_out()


def test_a_store_that_lets_the_last_writer_win_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    class LastWins(MemoryStore):
        def create(self, key: str, content: bytes) -> Created:
            self._objects[key] = content
            return Created.CREATED

    count = operations(STEPS)
    lost = 0
    for at in range(1, count + 1):
        story = Story({at: Fault.RIVAL}, LastWins())
        try:
            story.run(STEPS)
            story.check()
        except Exception:
            lost += 1
    assert lost > 0
