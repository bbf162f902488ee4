"""Eight real processes push into one folder and are killed at random; afterwards nothing acknowledged may be missing or double.

``python -m tests.registry.kill --kills 10000`` runs the long form and prints what it saw.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ci_runner import registry, stores
from ci_runner.errors import PilotageError
from ci_runner.model.registry import GitFacts, Selector, Snapshot, SnapshotFile
from ci_runner.registry import chain
from ci_runner.stores import Store
from ci_runner.stores.file import FileStore

WRITERS = 8
KILLS_PER_REGISTRY = 150
FIXED = datetime(2026, 1, 1, tzinfo=UTC)
OUTSIDE, INSIDE, FAILED = b"o", b"i", b"f"


@dataclass
class Seen:
    """What a run saw; ``inside`` are the kills that struck while a push was under way."""

    kills: int = 0
    inside: int = 0
    acknowledged: int = 0
    entries: int = 0
    leftovers: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.inside} of them inside a push, {self.acknowledged} pushes acknowledged, {self.entries} entries, "
            f"{self.leftovers} temporary files left; {len(self.faults)} lost, doubled or broken"
        )


def content(name: str) -> bytes:
    return f"create table {name.removesuffix('.sql')} (id int);\n".encode()


def grown(store: Store, name: str) -> Snapshot:
    """The registry's latest state and one file more, made anew from names so that reading is cheap."""
    head = chain.head(store, "app")
    names = {file.name for file in registry.manifest(store, head.latest.manifest).files} if head else set()
    return Snapshot(
        "postgres", "atlas", "", tuple(SnapshotFile(each, "up", content(each)) for each in sorted(names | {name}))
    )


def write(address: str, number: int, life: int, acks: Path, state: mmap.mmap) -> None:
    """One writer: pushes until it is killed; each acknowledged push is one line in ``acks`` before the next begins."""
    store = stores.open(address)
    chance = random.Random(f"{number} {life}")
    handle = os.open(acks, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for count in range(10**9):
        name = f"w{number}_{life}_{count}.sql"
        while True:
            state[number : number + 1] = INSIDE
            pushed = registry.push(
                store,
                "app",
                grown(store, name),
                git=GitFacts(),
                ancestry=lambda _first, _second: None,
                actor={},
                clock=lambda: FIXED,
                nonce=lambda: f"{chance.getrandbits(128):032x}",
                pause=registry.jitter(time.sleep, chance.random),
            )
            if pushed.outcome == "ok":
                os.write(handle, f"{pushed.head} {pushed.digest} {name}\n".encode())
                state[number : number + 1] = OUTSIDE
                break
            state[number : number + 1] = OUTSIDE


def start(address: str, number: int, life: int, acks: Path, state: mmap.mmap) -> int:
    state[number : number + 1] = OUTSIDE
    child = os.fork()
    if child:
        return child
    try:
        write(address, number, life, acks, state)
    except BaseException as error:  # the parent reads why
        state[number : number + 1] = FAILED
        print(f"writer {number}: {type(error).__name__}: {error}", file=sys.stderr)
    os._exit(1)


def one_registry(folder: Path, kills: int, deadline: float, chance: random.Random, seen: Seen) -> None:
    address, acks = f"file://{folder}/registry", folder / "acks"
    state = mmap.mmap(-1, WRITERS)
    lives = [0] * WRITERS
    children = [start(address, number, 0, acks, state) for number in range(WRITERS)]
    struck = 0
    while struck < kills and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.0005, 0.03))
        number = chance.randrange(WRITERS)
        os.kill(children[number], signal.SIGKILL)
        os.waitpid(children[number], 0)
        if state[number : number + 1] == FAILED:
            seen.faults.append(f"writer {number} failed")
        seen.inside += state[number : number + 1] == INSIDE
        struck += 1
        lives[number] += 1
        children[number] = start(address, number, lives[number], acks, state)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    seen.kills += struck
    check(stores.open(address), acks, folder, seen)


def check(store: Store, acks: Path, folder: Path, seen: Seen) -> None:
    """Hold the registry against what was acknowledged."""
    lines = [line.split(" ") for line in acks.read_text().splitlines()] if acks.exists() else []
    seen.acknowledged += len(lines)
    seen.leftovers += len(list((folder / "registry").rglob("*.tmp.*")))
    try:
        seen.faults += [f"{damage.where}: {damage.what}" for damage in registry.verify(store).damages]
        log = registry.log(store, "app")
        last = {file.name for file in registry.pull(store, "app", Selector())[0].files}
    except PilotageError as error:
        seen.faults.append(str(error))
        return
    seen.entries += len(log)
    heads = {f"{entry.seq}:{entry.hash}": f"sha256:{entry.manifest}" for entry in log}
    seen.faults += [f"lost: {line}" for line in lines if heads.get(line[0]) != line[1] or line[2] not in last]
    states = [entry.manifest for entry in log]
    seen.faults += ["a state was pushed twice"] * (len(states) - len(set(states)))
    seen.faults += ["an entry was committed twice"] * (len(log) - len({entry.id for entry in log}))


def run(kills: int, seconds: float, where: Path, seed: int) -> Seen:
    """Kill ``kills`` times, or for ``seconds``, whichever ends first; a fresh registry every few hundred kills keeps states small."""
    seen, chance = Seen(), random.Random(seed)
    deadline = time.monotonic() + seconds
    while seen.kills < kills and time.monotonic() < deadline and not seen.faults:
        folder = Path(tempfile.mkdtemp(dir=where))
        one_registry(folder, min(KILLS_PER_REGISTRY, kills - seen.kills), deadline, chance, seen)
        shutil.rmtree(folder)
    return seen


def plant_last_wins() -> None:
    """Publish by a rename that replaces, so that of two writers the last one wins and both are told they did."""

    def publish(_store: FileStore, temporary: str, leaf: str, folder: int) -> stores.Created:
        os.replace(temporary, leaf, src_dir_fd=folder, dst_dir_fd=folder)
        return stores.Created.CREATED

    FileStore._publish = publish  # type: ignore[method-assign, assignment]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--plant", choices=["last-wins"], help="break the store on purpose: the run must find it out")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    wanted = parser.parse_args()
    if wanted.plant:
        plant_last_wins()
    seen = run(wanted.kills, wanted.seconds, wanted.folder, wanted.seed)
    print(f"seed {wanted.seed}: {seen}", *seen.faults[:20], sep="\n")
    return 1 if seen.faults or seen.inside * 2 < seen.kills else 0


if __name__ == "__main__":
    sys.exit(main())
