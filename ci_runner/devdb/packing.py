"""A server's stopped data folder as one stream of bytes, and back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

FOLDER = -1
MAX_FILES = 400_000
MAX_COPIES = 8
MAX_INDEX = 64 * 1024 * 1024
_CHUNK = 1024 * 1024


class PackError(Exception):
    """The bytes are no packed folder, or there is no room for it."""


class Index(NamedTuple):
    """What a stream holds: (relative path, size) with folders before what is in them, and folders (by path) that are copies of another."""

    entries: list[tuple[str, int]]
    copies: Mapping[str, str]


def pack(folder: Path, stream: IO[bytes], skip: Callable[[str], bool], copies: Mapping[str, str] | None = None) -> None:
    """Write every plain file below ``folder`` but those ``skip`` names (relative path): an index, then their contents one behind the other.

    ``copies`` are folders that are equal to another one, and without folders of their own: of these only that they are.
    """
    same = copies or {}
    entries = [
        (path, size)
        for path, size in _entries(str(folder))
        if not skip(path) and (size == FOLDER or path.rpartition("/")[0] not in same)
    ]
    index = json.dumps({"entries": entries, "copies": same}).encode()
    stream.write(len(index).to_bytes(8, "big") + index)
    for path, size in entries:
        if size > 0:
            with (folder / path).open("rb") as file:
                content = file.read(size)
            if len(content) != size:
                raise OSError(f"{path} changed while it was read")
            stream.write(content)


def unpack(
    stream: IO[bytes], folder: Path, owner: tuple[int, int] | None, *, copying: bool = True
) -> Mapping[str, str]:
    """Make ``folder`` from the stream, readable by its ``owner`` (user, group) alone; PackError when that cannot be.

    Returns which folders in it are copies of which; not ``copying`` leaves these empty.
    """
    entries, copies = _index(stream)
    targets: dict[str, list[str]] = {}
    for copy, of in copies.items() if copying else ():
        targets.setdefault(of, [of]).append(copy)
    if sum(max(0, size) for _, size in entries) * (1 + len(copies)) > shutil.disk_usage(folder.parent).free * 0.8:
        raise PackError("there is no room to unpack it")
    _folder(str(folder), owner)
    for (
        path,
        size,
    ) in entries:  # two thousand tables are fourteen thousand files: a Path for each would take longer than the file
        if size == FOLDER:
            _folder(f"{folder}/{path}", owner)
            continue
        parent, _, name = path.rpartition("/")
        _file([f"{folder}/{each}/{name}" for each in targets.get(parent, (parent,))], stream, size, owner)
    return copies


def _file(paths: list[str], stream: IO[bytes], size: int, owner: tuple[int, int] | None) -> None:
    """Several files of the next ``size`` bytes."""
    numbers: list[int] = []
    try:
        numbers.extend(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600) for path in paths)
        while size > 0:
            content = stream.read(min(size, _CHUNK))
            if not content:
                raise PackError("it ends too early")
            size -= len(content)
            for number in numbers:
                _write(number, content)
    finally:
        for number in numbers:
            if owner:
                os.fchown(number, *owner)
            os.close(number)


def _write(number: int, content: bytes) -> None:
    while content:
        content = content[os.write(number, content) :]


def _folder(path: str, owner: tuple[int, int] | None) -> None:
    os.mkdir(path, mode=0o700)  # noqa: PTH102
    if owner:
        os.chown(path, *owner)


def _entries(folder: str, within: str = "") -> Iterator[tuple[str, int]]:
    """(relative path, size) of folders before what is in them; links and sockets have no place in a data folder of ours."""
    with os.scandir(f"{folder}/{within}") as found:
        entries = sorted(found, key=lambda entry: entry.name)
    folders = [f"{within}{entry.name}" for entry in entries if entry.is_dir(follow_symlinks=False)]
    yield from ((path, FOLDER) for path in folders)
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            yield f"{within}{entry.name}", entry.stat(follow_symlinks=False).st_size
    for path in folders:
        yield from _entries(folder, f"{path}/")


def _index(stream: IO[bytes]) -> Index:
    length = int.from_bytes(stream.read(8), "big")
    if not 0 < length <= MAX_INDEX:
        raise PackError("it has no index")
    try:
        read = json.loads(stream.read(length))
        listed = read["entries"] if isinstance(read["entries"], list) else None
        entries = [(_relative(path), int(size)) for path, size in listed or ()]
        copies = {_relative(path): _relative(of) for path, of in read["copies"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PackError(f"its index cannot be read: {error}") from None
    if (
        listed is None
        or len(entries) > MAX_FILES
        or len(copies) > MAX_COPIES
        or any(size < FOLDER for _, size in entries)
    ):
        raise PackError("its index is not one of ours")
    return Index(entries, copies)


def _relative(path: str) -> str:
    """The path when it stays below its folder; ValueError else."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")) or "\0" in path:
        raise ValueError(f"{path!r} leads elsewhere")
    return path
