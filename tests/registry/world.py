"""A registry's surroundings in tests: a store that counts, a store that fails on schedule, snapshots, and a history in Git."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from ci_runner import registry
from ci_runner.model.registry import GitFacts, Pushed, Snapshot, SnapshotFile
from ci_runner.stores import AmbiguousError, Created, Store
from ci_runner.stores.memory import MemoryStore

NAME = "app"


def ancestry(first: str, second: str) -> bool | None:
    """Commits are numbers on one line; "?" is one that the clone at hand does not have; "x7" lies on another branch."""
    if "?" in first + second:
        return None
    if first.startswith("x") or second.startswith("x"):
        return first == second
    return int(first) <= int(second)


def files(count: int) -> dict[str, bytes]:
    return {f"{number:04d}.sql": b"create table t%d (id int);\n" % number for number in range(1, count + 1)}


def snapshot(
    up: Mapping[str, bytes], *, down: Mapping[str, bytes] | None = None, aux: Mapping[str, bytes] | None = None
) -> Snapshot:
    lines = [SnapshotFile(name, "up", content) for name, content in up.items()]
    lines += [SnapshotFile(name, "down", content) for name, content in (down or {}).items()]
    lines += [SnapshotFile(name, "aux", content) for name, content in (aux or {}).items()]
    return Snapshot("postgres", "atlas", "h1:" + "x" * 43 + "=", tuple(sorted(lines, key=lambda file: file.name)))


@dataclass
class Job:
    """Pushes as one CI would: its clock, its nonces, its pauses (counted, not slept)."""

    store: Store
    seed: int = 0
    now: datetime = datetime(2026, 1, 5, 9, tzinfo=UTC)
    pauses: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def nonce(self) -> str:
        return f"{self.seed:016x}{next(self._numbers):016x}"

    def clock(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def push(
        self, state: Snapshot, commit: str = "", *, name: str = NAME, tags: Iterable[str] = (), **options: Any
    ) -> Pushed:
        return registry.push(
            self.store,
            name,
            state,
            tags=tags,
            git=GitFacts("acme/shop", commit, "refs/heads/main" if commit else ""),
            ancestry=ancestry,
            actor={"unverified": {"user": "ada"}},
            clock=self.clock,
            nonce=self.nonce,
            pause=self.pauses.append,
            **options,
        )


class Counting:
    """A store that writes down each request as (operation, key, bytes)."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.address = inner.address
        self.requests: list[tuple[str, str, int]] = []

    def create(self, key: str, content: bytes) -> Created:
        self.requests.append(("create", key, len(content)))
        return self._inner.create(key, content)

    def get(self, key: str, limit: int) -> bytes | None:
        content = self._inner.get(key, limit)
        self.requests.append(("get", key, len(content or b"")))
        return content

    def list(self, prefix: str) -> Iterator[str]:
        self.requests.append(("list", prefix, 0))
        return self._inner.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        self.requests.append(("folders", prefix, 0))
        return self._inner.folders(prefix)

    def put_hint(self, key: str, content: bytes) -> None:
        self.requests.append(("put_hint", key, len(content)))
        self._inner.put_hint(key, content)

    def discard(self, key: str) -> None:
        self.requests.append(("discard", key, 0))
        self._inner.discard(key)


class Fault(Enum):
    """What happens to one operation."""

    ERROR_BEFORE = "the store fails and does nothing"
    ERROR_AFTER = "the store does it and its answer is lost"
    LATE = "the answer is lost and the store does it only before the next operation"
    CRASH_BEFORE = "the process dies before"
    CRASH_AFTER = "the process dies after"
    RIVAL = "another job pushes just before"


class Crash(BaseException):
    """The process is gone: nothing catches this."""


class Faulty:
    """A store whose n-th operation (from 1) meets the fault that ``schedule`` has for n."""

    def __init__(self, inner: Store, schedule: Mapping[int, Fault], rival: Callable[[], object] = lambda: None) -> None:
        self._inner = inner
        self._schedule = schedule
        self._rival = rival
        self._late: list[Callable[[], object]] = []
        self.address = inner.address
        self.operations = 0
        self.landed = 0

    def _do(self, operation: Callable[[], Any]) -> Any:
        self.operations += 1
        for late in self._late:
            late()
        self._late.clear()
        fault = self._schedule.get(self.operations)
        self.landed += fault is not None
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        if fault is Fault.ERROR_BEFORE:
            raise AmbiguousError("connection reset")
        if fault is Fault.LATE:
            self._late.append(operation)
            raise AmbiguousError("time-out")
        if fault is Fault.RIVAL:
            self._rival()
        result = operation()
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.ERROR_AFTER:
            raise AmbiguousError("connection reset")
        return result

    def create(self, key: str, content: bytes) -> Created:
        return self._do(lambda: self._inner.create(key, content))  # type: ignore[no-any-return]

    def get(self, key: str, limit: int) -> bytes | None:
        return self._do(lambda: self._inner.get(key, limit))  # type: ignore[no-any-return]

    def list(self, prefix: str) -> Iterator[str]:
        return self._do(lambda: self._inner.list(prefix))  # type: ignore[no-any-return]

    def folders(self, prefix: str) -> Iterator[str]:
        return self._do(lambda: self._inner.folders(prefix))  # type: ignore[no-any-return]

    def put_hint(self, key: str, content: bytes) -> None:
        self._do(lambda: self._inner.put_hint(key, content))

    def discard(self, key: str) -> None:
        self._do(lambda: self._inner.discard(key))


class Editable(MemoryStore):
    """A store whose objects somebody with all rights can change."""

    def edit(self, key: str, content: bytes | None) -> None:
        if content is None:
            del self._objects[key]
        else:
            self._objects[key] = content

    def raw(self, key: str) -> bytes:
        return self._objects[key]

    def all_keys(self) -> tuple[str, ...]:
        return tuple(sorted(self._objects))

    def copy(self) -> Editable:
        other = Editable()
        other._objects = dict(self._objects)
        return other
