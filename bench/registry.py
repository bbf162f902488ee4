"""Requests and bytes of a push, a noop and a pull, after one push and after a thousand: cost must not grow with history."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ci_runner import registry, stores
from ci_runner.model.registry import GitFacts, Pushed, Selector, Snapshot, SnapshotFile
from ci_runner.stores import Created, Store


class Counting:
    """Counts requests, and bytes each way, on their way to a store."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.address = inner.address
        self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        self.requests = self.sent = self.received = 0

    def create(self, key: str, content: bytes) -> Created:
        """See Store."""
        self.requests, self.sent = self.requests + 1, self.sent + len(content)
        return self._inner.create(key, content)

    def get(self, key: str, limit: int) -> bytes | None:
        """See Store."""
        content = self._inner.get(key, limit)
        self.requests, self.received = self.requests + 1, self.received + len(content or b"")
        return content

    def list(self, prefix: str) -> Iterator[str]:
        """See Store."""
        self.requests += 1
        return self._inner.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """See Store."""
        self.requests += 1
        return self._inner.folders(prefix)

    def put_hint(self, key: str, content: bytes) -> None:
        """See Store."""
        self.requests, self.sent = self.requests + 1, self.sent + len(content)
        self._inner.put_hint(key, content)

    def discard(self, key: str) -> None:
        """See Store."""
        self.requests += 1
        self._inner.discard(key)


def state(files: int, push: int) -> Snapshot:
    """``files`` migrations of the beginning, and one more that came with each push so far."""
    up = [
        SnapshotFile(f"{number:06d}.sql", "up", b"create table t%06d (id bigint primary key);\n" % number)
        for number in range(files + push)
    ]
    return Snapshot("postgres", "atlas", "", tuple(up))


def push(store: Store, snapshot: Snapshot, number: int) -> Pushed:
    """One push without Git."""
    return registry.push(
        store,
        "app",
        snapshot,
        git=GitFacts(),
        ancestry=lambda _first, _second: None,
        actor={},
        clock=lambda: datetime.now(UTC),
        nonce=lambda: f"{number:032x}",
        pause=lambda _repetition: None,
    )


def row(what: str, history: int, store: Counting, action: Callable[[], object]) -> None:
    """Do it, and print what it cost."""
    store.reset()
    started = time.perf_counter()
    action()
    took = (time.perf_counter() - started) * 1000
    print(f"{what:<22}{history:>8}{store.requests:>10}{store.sent:>13,}{store.received:>13,}{took:>10.1f}")


def measure(store: Counting, files: int, pushes: int) -> None:
    """The table for one store."""
    print(f"\n{store.address.partition(':')[0]} store, {files} files at first\n")
    print(f"{'':<22}{'pushes':>8}{'requests':>10}{'bytes sent':>13}{'received':>13}{'ms':>10}")
    row("first push", 0, store, lambda: push(store, state(files, 0), 0))
    for history in (1, pushes):
        for number in range(1 if history == 1 else 2, history):
            push(store, state(files, number), number)
        row("noop", history, store, lambda history=history: push(store, state(files, history - 1), history))  # type: ignore[misc]
        row("one new file", history, store, lambda history=history: push(store, state(files, history), history))  # type: ignore[misc]
        row("pull", history, store, lambda: registry.pull(store, "app", Selector()))
    row("verify", pushes, store, lambda: registry.verify(store))


def main() -> None:
    """Parse the command line and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--pushes", type=int, default=1000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for address in ("memory:", f"file://{folder}/registry"):
            measure(Counting(stores.open(address)), wanted.files, wanted.pushes)


if __name__ == "__main__":
    main()
