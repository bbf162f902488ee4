"""Closes a server of our own off for a stranger's SQL where there is no container engine: no network, and an end to memory and disk."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ci_runner.errors import SetupError

DISK = 1024 * 1024 * 1024
FULL = "the dev database was ended: more than 1 GB was written to its disk"
LOOK = 0.2  # seconds between two looks at the disk
# Each starts the command behind it without network. Leaving a namespace clears the wish to die with the parent, so it is said again.
_AGAIN = ("setpriv", "--pdeathsig", "INT", "--")
WAYS: tuple[tuple[str, ...], ...] = (
    ("bwrap", "--unshare-user", "--unshare-net", "--unshare-ipc", "--dev-bind", "/", "/", "--die-with-parent", "--", *_AGAIN),
    ("unshare", "--user", "--map-current-user", "--net", "--ipc", "--", *_AGAIN),
)  # fmt: skip


class Limits(NamedTuple):
    """What a process may use: bytes of memory, descriptors; no core dumps."""

    memory: int = 2 * 1024**3
    files: int = 1024

    def ready(self) -> Callable[[], None]:
        """What puts them on the process that calls it; a new one of another account may not even import."""
        import resource

        wanted = ((resource.RLIMIT_AS, self.memory), (resource.RLIMIT_NOFILE, self.files), (resource.RLIMIT_CORE, 0))
        allowed = []
        for kind, most in wanted:
            _, hard = resource.getrlimit(kind)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            allowed.append((kind, (least, least)))

        def apply() -> None:
            for kind, pair in allowed:
                resource.setrlimit(kind, pair)

        return apply


def way_in(options: Mapping[str, object]) -> tuple[str, ...]:
    """The command that closes off what it starts, tried out as the account the server runs as; SetupError when none works here."""
    for way in WAYS:
        if not all(shutil.which(program) for program in (way[0], _AGAIN[0])):
            continue
        try:
            done = subprocess.run(  # type: ignore[call-overload]
                [*way, "cat", "/proc/net/dev"], capture_output=True, text=True, check=False, timeout=10, **options
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0 and _devices(done.stdout) <= {"lo"}:
            return way
    raise SetupError("this machine cannot close a server off from the network (neither bwrap nor unshare works here)")


def _devices(table: str) -> set[str]:
    return {line.partition(":")[0].strip() for line in table.splitlines() if ":" in line}


@contextmanager
def disk_watched(folder: Path, stop: Callable[[], None], most: int = DISK) -> Iterator[Callable[[], bool]]:
    """Call ``stop`` when what lies below ``folder`` has grown over ``most`` bytes; yields a question whether that happened."""
    done, full = threading.Event(), threading.Event()

    def watch() -> None:
        while not done.wait(LOOK):
            if _size(folder) > most:
                full.set()
                stop()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield full.is_set
    finally:
        done.set()
        thread.join()


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except OSError:  # gone meanwhile
            continue
    return total
