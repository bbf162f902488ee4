"""A folder for one run's server, in memory where there is room, removed for certain."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - chosen for speed; mkdtemp makes the folder private
ROOM = 256 * 1024 * 1024
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
SOCKET_PATH_LIMIT = 80  # a Unix socket's path may have 103 bytes on macOS; the socket's own name takes the rest


@contextmanager
def work_folder(prefix: str, uid: int, gid: int) -> Iterator[Path]:
    """A new folder of ``uid``, closed to others. Folders left by runs that were killed are removed first."""
    parent = _parent()
    _reap(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=parent))
    with (folder / "new").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "new").rename(folder / "lock")  # seen by others only when it is held
        try:
            os.chown(folder, uid, gid)
            yield folder
        finally:
            removed(folder)


def _parent() -> Path:
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        return MEMORY
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) < SOCKET_PATH_LIMIT else Path("/tmp")  # noqa: S108 - the same


def room(folder: Path) -> int | None:
    """How many bytes are free where the folder lies in memory; None where it does not."""
    return shutil.disk_usage(folder).free if MEMORY in folder.parents else None


def _reap(parent: Path, prefix: str) -> None:
    """Remove our own folders whose lock nobody holds: their run is over."""
    for folder in parent.glob(prefix + "*"):
        with suppress(OSError):
            if folder.is_symlink() or (folder / "lock").stat().st_uid != os.geteuid():
                continue
            with (folder / "lock").open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                removed(folder)


def removed(folder: Path) -> None:
    """Remove the folder with all that is in it, as far as that can be done; no link is followed.

    Many thousands of files come and go with a replay: this takes half the time of `shutil.rmtree`.
    """
    with suppress(OSError):
        _emptied(os.open(folder, _OPEN))
        folder.rmdir()


def _emptied(number: int) -> None:
    """Remove what is in the open folder, and close it."""
    try:
        with os.scandir(number) as found:
            entries = list(found)
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    _emptied(_opened(entry.name, number))
                    os.rmdir(entry.name, dir_fd=number)
                else:
                    os.unlink(entry.name, dir_fd=number)
            except OSError:  # as much as can be
                continue
    finally:
        os.close(number)


def _opened(name: str, within: int) -> int:
    """The folder, also when it is one that its owner may not look into: Linux makes such ones where folders are laid over others."""
    try:
        return os.open(name, _OPEN, dir_fd=within)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=within)
        return os.open(name, _OPEN, dir_fd=within)
