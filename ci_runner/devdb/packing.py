"""A server's stopped data folder as one stream of bytes, and back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

FOLDER = -1
MAX_FILES = 400_000
MAX_INDEX = 64 * 1024 * 1024
_CHUNK = 1024 * 1024


class PackError(Exception):
    """The bytes are no packed folder, or there is no room for it."""


def pack(folder: Path, stream: IO[bytes], skip: Callable[[str], bool]) -> None:
    """Write every plain file below ``folder`` but those ``skip`` names (relative path): an index, then their contents one behind the other."""
    entries = [(path, size) for path, size in _entries(folder) if not skip(path)]
    index = json.dumps(entries).encode()
    stream.write(len(index).to_bytes(8, "big") + index)
    for path, size in entries:
        if size > 0:
            with (folder / path).open("rb") as file:
                content = file.read(size)
            if len(content) != size:
                raise OSError(f"{path} changed while it was read")
            stream.write(content)


def unpack(stream: IO[bytes], folder: Path, owner: tuple[int, int] | None) -> None:
    """Make ``folder`` from the stream, readable by its ``owner`` (user, group) alone; PackError when that cannot be."""
    entries = _index(stream)
    if sum(max(0, size) for _, size in entries) > shutil.disk_usage(folder.parent).free * 0.8:
        raise PackError("there is no room to unpack it")
    _folder(str(folder), owner)
    for (
        path,
        size,
    ) in entries:  # two thousand tables are fifteen thousand files: a Path for each would take longer than the file
        target = f"{folder}/{path}"
        if size == FOLDER:
            _folder(target, owner)
            continue
        number = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        try:
            _copy(stream, number, size)
            if owner:
                os.fchown(number, *owner)
        finally:
            os.close(number)


def _copy(stream: IO[bytes], number: int, size: int) -> None:
    while size > 0:
        content = stream.read(min(size, _CHUNK))
        if not content:
            raise PackError("it ends too early")
        size -= os.write(number, content)


def _folder(path: str, owner: tuple[int, int] | None) -> None:
    os.mkdir(path, mode=0o700)  # noqa: PTH102
    if owner:
        os.chown(path, *owner)


def _entries(folder: Path) -> Iterator[tuple[str, int]]:
    """(relative path, size) of folders before what is in them; links and sockets have no place in a data folder of ours."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in folders:
            yield Path(parent, name).relative_to(folder).as_posix(), FOLDER
        for name in sorted(files):
            path = Path(parent, name)
            status = path.lstat()
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix(), status.st_size


def _index(stream: IO[bytes]) -> list[tuple[str, int]]:
    length = int.from_bytes(stream.read(8), "big")
    if not 0 < length <= MAX_INDEX:
        raise PackError("it has no index")
    try:
        entries = json.loads(stream.read(length))
        found = [(_relative(path), int(size)) for path, size in entries] if isinstance(entries, list) else None
    except (ValueError, TypeError) as error:
        raise PackError(f"its index cannot be read: {error}") from None
    if found is None or len(found) > MAX_FILES or any(size < FOLDER for _, size in found):
        raise PackError("its index is not one of ours")
    return found


def _relative(path: str) -> str:
    """The path when it stays below its folder; ValueError else."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")) or "\0" in path:
        raise ValueError(f"{path!r} leads elsewhere")
    return path
