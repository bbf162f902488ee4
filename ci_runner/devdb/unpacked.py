"""A kept base unpacked beside its file: made once, then only read by the runs on this machine until it starts anew."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from ci_runner.devdb.shelf import Slot
from ci_runner.devdb.workdir import removed

SUFFIX = ".open"
MOST = 2  # of them are left, each as large as what is in it
_CHILDLESS = 2  # links of a folder without folders in it, on file systems that count them
_BOOT = Path("/proc/sys/kernel/random/boot_id")
Copies = Mapping[str, str]


class Unpacked(NamedTuple):
    """The ``folder``, and which folders in it stand for a copy of which other (relative paths); those are empty."""

    folder: Path
    copies: Copies


@contextmanager
def unpacked(slot: Slot, make: Callable[[IO[bytes], Path], Copies]) -> Iterator[Unpacked | None]:
    """The base as a folder that nobody removes while the block lasts; ``make`` unpacks it where it is not there. None without a base.

    What ``make`` raises is let through. Only what this account made since the machine started, and nobody added to or removed from since,
    is taken for one: a folder that comes from anywhere else, from another machine's cache or from before a power failure, is not.
    """
    place = slot.path.with_suffix(SUFFIX)
    with ExitStack() as held:
        yield _there(place, held) or _made(slot, place, make, held) or _there(place, held)


def discard(slot: Slot) -> None:
    """Throw the folder away where nobody uses it."""
    _removed(slot.path.with_suffix(SUFFIX))


def _there(place: Path, held: ExitStack) -> Unpacked | None:
    if not _hold(place, held):
        return None
    found = _read(place)
    if found is None:
        held.close()
        _removed(place)
    return found


def _hold(place: Path, held: ExitStack) -> bool:
    """Keep the folder from being removed as long as ``held``; False where there is none."""
    with suppress(OSError):
        number = _lock(place, fcntl.LOCK_SH)
        held.callback(os.close, number)
        return os.fstat(number).st_ino == place.stat().st_ino  # somebody may have removed it meanwhile
    return False


def _lock(place: Path, kind: int) -> int:
    number = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(number, kind | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        raise
    return number


def _made(slot: Slot, place: Path, make: Callable[[IO[bytes], Path], Copies], held: ExitStack) -> Unpacked | None:
    """None where there is no base, or another run was quicker."""
    scratch = slot.folder / f".{slot.key}.{os.urandom(4).hex()}{SUFFIX}"
    with slot.reading() as stream:
        if stream is None:
            return None
        try:
            scratch.mkdir(mode=0o700)
            _hold(scratch, held)
            copies = make(stream, scratch / "data")
            mark = {"boot": _BOOT.read_text(), "folders": _folders(scratch / "data"), "copies": dict(copies)}
            (scratch / "mark").write_text(json.dumps(mark))
        except BaseException:
            removed(scratch)
            raise
    try:
        scratch.rename(place)
    except OSError:
        held.close()
        removed(scratch)
        return None
    _prune(slot.folder)
    return Unpacked(place / "data", copies)


def _read(place: Path) -> Unpacked | None:
    """The folder when it is as it was made."""
    try:
        mark = place / "mark"
        if mark.lstat().st_uid != os.geteuid():
            return None
        told = json.loads(mark.read_text())
        if (told["boot"], told["folders"]) != (_BOOT.read_text(), _folders(place / "data")):
            return None
        os.utime(mark)
        return Unpacked(place / "data", told["copies"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _folders(folder: Path) -> dict[str, list[int]]:
    """Of each folder its number and when something was last added or removed."""
    found: dict[str, list[int]] = {}
    waiting = [""]
    while waiting:
        within = waiting.pop()
        status = os.stat(f"{folder}/{within}")  # noqa: PTH116 - as below
        found[within] = [status.st_ino, status.st_mtime_ns]
        if status.st_nlink != _CHILDLESS:
            with os.scandir(f"{folder}/{within}") as entries:
                waiting += [f"{within}{entry.name}/" for entry in entries if entry.is_dir(follow_symlinks=False)]
    return found


def _prune(folder: Path) -> None:
    """Remove all but those used last, and what killed runs left; not what somebody uses."""
    places = [Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith(SUFFIX)]
    whole = sorted((place for place in places if not place.name.startswith(".")), key=_used, reverse=True)
    for place in [*(place for place in places if place.name.startswith(".")), *whole[MOST:]]:
        _removed(place)


def _used(place: Path) -> float:
    try:
        return (place / "mark").stat().st_mtime
    except OSError:
        return 0.0


def _removed(place: Path) -> None:
    """Remove the folder where nobody holds it."""
    with suppress(OSError):
        number = _lock(place, fcntl.LOCK_EX)
        try:
            removed(place)
        finally:
            os.close(number)
