"""Memory of this process's own in a place of a folder: nobody else sees what is in it, and it goes in one piece, also when this process is killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# linux/sched.h and linux/mount.h
_NEW_MOUNTS, _RECURSIVE, _FOLLOWING, _DETACHED = 0x20000, 0x4000, 0x80000, 2
LARGE = "huge=within_size"  # pieces as large as what is written at once: filled in less time, and old kernels refuse the word


@contextmanager
def mounted(folder: Path, room: int) -> Iterator[Path]:
    """``folder`` made, with up to ``room`` bytes of such memory in it while the block lasts; a folder as any where that cannot be.

    Seen by the thread that enters and by what it starts. Linux lets only an administrator do it in a process with threads.
    """
    folder.mkdir(mode=0o711)
    done = sys.platform == "linux" and os.geteuid() == 0 and _mount(os.fsencode(folder), room)
    try:
        yield folder
    finally:
        if done:
            import ctypes

            ctypes.CDLL(None).umount2(os.fsencode(folder), _DETACHED)


def _mount(folder: bytes, room: int) -> bool:
    """Whether it is there. From here on this thread has its own list of mounts, in which others' later ones show as before."""
    import ctypes

    system = ctypes.CDLL(None)
    if system.unshare(_NEW_MOUNTS) or system.mount(None, b"/", None, ctypes.c_ulong(_RECURSIVE | _FOLLOWING), None):
        return False
    plain = f"size={room},mode=0711"
    return any(
        system.mount(b"pilotage", folder, b"tmpfs", ctypes.c_ulong(0), options.encode()) == 0
        for options in (f"{plain},{LARGE}", plain)
    )
