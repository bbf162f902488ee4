"""A registry under any sequence of pushes, tags, crashes and edits behaves like a list."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ci_runner import registry
from ci_runner.errors import ConflictError, TemporaryError
from ci_runner.model.registry import Pushed, Selector, Snapshot
from ci_runner.registry import keys
from tests.registry.world import NAME, Crash, Editable, Fault, Faulty, Job, snapshot

TAGS = st.sampled_from(["v1", "v2", "stable"])
STEPS = 60 * int(os.environ.get("PILOTAGE_TEST_ROUNDS", "1"))


@dataclass
class Model:
    """What the registry should hold: states in order, the latest's number and commit, tags."""

    states: list[Snapshot] = field(default_factory=list)
    latest: int = -1
    commit: int = 0
    tags: dict[str, Snapshot] = field(default_factory=dict)


class Machine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.store = Editable()
        self.model = Model()
        self.commit = 0
        self.seed = 0
        self.lines: dict[str, bytes] = {}
        self.head = ""

    def job(self, store: object = None) -> Job:
        self.seed += 1
        return Job(store or self.store, seed=self.seed)  # type: ignore[arg-type]

    @property
    def current(self) -> Snapshot | None:
        return self.model.states[self.model.latest] if self.model.latest >= 0 else None

    def record(self, state: Snapshot, tags: tuple[str, ...], *, latest: bool) -> None:
        self.model.states.append(state)
        if latest:
            self.model.latest = len(self.model.states) - 1
            self.model.commit = self.commit
        self.model.tags |= dict.fromkeys(tags, state)

    def took(self, pushed: Pushed, outcome: str) -> None:
        assert pushed.outcome == outcome
        assert pushed.head.partition(":")[0] == str(len(self.model.states))
        self.head = pushed.head

    def grow(self) -> Snapshot:
        self.commit += 1
        self.lines[f"{self.commit:04d}.sql"] = b"%d" % self.commit
        return snapshot(dict(self.lines))

    @rule(tag=st.none() | TAGS, move=st.booleans())
    def push_the_next_state(self, tag: str | None, move: bool) -> None:
        state = self.grow()
        tags = (tag,) if tag else ()
        if tag in self.model.tags and not move:
            with pytest.raises(ConflictError):
                self.job().push(state, str(self.commit), tags=tags)
            tags = ()
        pushed = self.job().push(state, str(self.commit), tags=tags, move_tag=move)
        self.record(state, tags, latest=True)
        self.took(pushed, "ok")

    @precondition(lambda self: self.current)
    @rule(tag=TAGS)
    def push_the_same_again_with_a_tag(self, tag: str) -> None:
        assert self.current
        pushed = self.job().push(self.current, str(self.commit), tags=[tag], move_tag=True)
        if self.model.tags.get(tag) != self.current:
            self.record(self.current, (tag,), latest=False)
        self.took(pushed, "noop")

    @precondition(lambda self: len(self.lines) > 1)
    @rule(drop=st.integers(1, 3), tag=st.none() | TAGS)
    def push_late(self, drop: int, tag: str | None) -> None:
        names = sorted(self.lines)[: -min(drop, len(self.lines) - 1)]
        state = snapshot({name: self.lines[name] for name in names})
        pushed = self.job().push(state, str(self.model.commit - 1), tags=[tag] if tag else [], move_tag=True)
        if tag and self.model.tags.get(tag) != state:
            self.record(state, (tag,), latest=False)
        self.took(pushed, "stale")

    @precondition(lambda self: self.lines)
    @rule(allow=st.booleans(), edit=st.booleans())
    def push_something_edited_or_reverted(self, allow: bool, edit: bool) -> None:
        self.commit += 1
        first = min(self.lines)
        changed = (
            {**self.lines, first: b"edited %d" % self.commit}
            if edit
            else {name: self.lines[name] for name in self.lines if name != first}
        )
        state = snapshot(changed)
        pushed = self.job().push(state, str(self.commit), allow_rewrite=allow)
        if allow:
            self.lines = changed
            self.record(state, (), latest=True)
        self.took(pushed, "ok" if allow else "diverged")

    @rule(at=st.integers(1, 14), fault=st.sampled_from([fault for fault in Fault if fault is not Fault.RIVAL]))
    def push_through_a_fault_and_again(self, at: int, fault: Fault) -> None:
        state = self.grow()
        try:
            self.job(Faulty(self.store, {at: fault})).push(state, str(self.commit))
        except (Crash, TemporaryError):
            assert self.job().push(state, str(self.commit)).outcome in {"ok", "noop"}
        self.record(state, (), latest=True)
        self.took(self.job().push(state, str(self.commit)), "noop")

    @precondition(lambda self: self.head)
    @rule(data=st.data())
    def change_a_byte_and_be_found_out(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from([key for key in self.store.all_keys() if key.startswith("dirs/")]))
        raw = self.store.raw(key)
        at = data.draw(st.integers(0, len(raw) - 1))
        self.store.edit(key, raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        damages = registry.verify(self.store, NAME, self.head).damages
        assert keys.slot_seq(NAME, key) in {damage.seq for damage in damages}
        self.store.edit(key, raw)

    @invariant()
    def the_registry_is_the_list(self) -> None:
        if not self.model.states:
            return
        log = registry.log(self.store, NAME)
        assert len(log) == len(self.model.states)
        assert registry.pull(self.store, NAME, Selector())[0] == self.current
        for tag, state in self.model.tags.items():
            assert registry.pull(self.store, NAME, Selector("tag", tag))[0] == state
        assert registry.pull(self.store, NAME, Selector("seq", str(len(log))))[0] == self.model.states[-1]
        verified = registry.verify(self.store, NAME, self.head)
        assert (verified.damages, verified.head) == ((), self.head)


Machine.TestCase.settings = settings(
    max_examples=STEPS, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestTheRegistryIsAListThroughCrashes = pytest.mark.slow(Machine.TestCase)
