"""What servers of tests are made with: an account, a folder and a port of their own, one maker at a time, and an end."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_LIMIT = 60  # seconds a server has to begin to answer
_DATA = 2**30  # bytes a server of the tests may come to write


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def account(*names: str) -> pwd.struct_passwd:
    """The first of these accounts when we are root, else our own: database servers refuse root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pwd.getpwnam("nobody")


@contextmanager
def owned_folder(owner: pwd.struct_passwd, within: Path | None = None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pilotage-test-", dir=within))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def roomy_memory() -> Path | None:
    """A folder kept in memory with room for a server's data; None where there is none, for which the usual one does."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _DATA else None


def as_user(owner: pwd.struct_passwd) -> dict[str, Any]:
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def one_builder() -> Iterator[None]:
    """One process at a time fetches or builds what all of them use."""
    with (Path(tempfile.gettempdir()) / f"pilotage-image-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
