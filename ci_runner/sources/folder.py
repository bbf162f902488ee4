"""Reads a folder once, through its own descriptor, opening nothing but ordinary files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ci_runner.errors import DirectoryRefusedError, SetupError
from ci_runner.model.directory import Tree
from ci_runner.sources.limits import MIB, Count, Limits
from ci_runner.wanted import markers, wanted

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEVER = {".git"}
_KINDS = ((stat.S_ISLNK, "symlink"), (stat.S_ISFIFO, "fifo"), (stat.S_ISSOCK, "socket"))


def folder(
    path: Path,
    *,
    root: Path | None = None,
    shown: str | None = None,
    limits: Limits | None = None,
    confined: bool = False,
) -> Tree:
    """The folder at ``path`` as it is now, ``shown`` in messages (the path itself when None).

    ``root`` is the repository's root, up to which marker files are looked for; ``confined`` refuses a folder outside it, however it
    is spelled. A symbolic link, pipe, socket or device is recorded and never opened, and so is a file that cannot be read or that
    changes while it is read twice in a row. Raises DirectoryRefusedError when there is no such folder, when it cannot be read, or
    over a cap.
    """
    name = shown if shown is not None else str(path)
    resolved = _resolved(path, name)
    top = root.resolve() if root else None
    if confined and top is not None and not resolved.is_relative_to(top):
        where = f"{name} leads to {resolved}, outside the repository {top}"
        raise DirectoryRefusedError("outside-repository", f"{where}: give a folder inside it")
    reading = _Reading(Count(name, limits or Limits()))
    descriptor = _open(resolved, name)
    try:
        _walk(reading, descriptor, "")
    finally:
        os.close(descriptor)
    return Tree(
        name,
        dict(sorted(reading.files.items())),
        _context(resolved, top),
        tuple(sorted(reading.irregular)),
        tuple(sorted(reading.folders)),
        tuple(sorted(reading.linked)),
    )


class _Reading:
    __slots__ = ("count", "files", "folders", "irregular", "linked")

    def __init__(self, count: Count) -> None:
        self.count = count
        self.files: dict[str, bytes] = {}
        self.irregular: list[tuple[str, str]] = []
        self.folders: list[str] = []
        self.linked: list[str] = []


def _resolved(path: Path, name: str) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise DirectoryRefusedError("directory-missing", f"the directory {name!r} cannot be found: {error}") from None


def _open(path: Path, name: str) -> int:
    where = f"{name} (that is {path})" if name != str(path) else name
    try:
        return os.open(path, _FOLDER)
    except FileNotFoundError:
        code, why = (
            "directory-missing",
            f"the directory {where} does not exist: check --dir, and that the step checks the repository out",
        )
    except NotADirectoryError:
        code, why = "not-a-directory", f"{where} is not a directory: give the folder that holds the migrations"
    except PermissionError:
        code, why = "unreadable", f"the directory {where} cannot be read by this user: give it the right to"
    except OSError as error:
        code, why = "unreadable", f"the directory {where} cannot be opened: {error.strerror}"
    raise DirectoryRefusedError(code, why)


def _walk(reading: _Reading, descriptor: int, prefix: str) -> None:
    try:
        with os.scandir(descriptor) as entries:
            found = sorted(_counted(reading, entries, prefix))
    except PermissionError:
        reading.irregular.append((prefix.rstrip("/") or ".", "unreadable"))
        return
    for name in found:
        path = prefix + name
        try:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except OSError as error:
            reading.irregular.append((path, "changing" if isinstance(error, FileNotFoundError) else "unreadable"))
            continue
        if stat.S_ISREG(status.st_mode):
            if wanted(path):
                _file(reading, descriptor, name, path, status)
        elif stat.S_ISDIR(status.st_mode):
            _below(reading, descriptor, name, path)
        else:
            kind = next((kind for test, kind in _KINDS if test(status.st_mode)), "device")
            reading.irregular.append((path, kind))


def _counted(reading: _Reading, entries: Iterator[os.DirEntry[str]], prefix: str) -> Iterator[str]:
    for entry in entries:
        reading.count.entry(prefix + entry.name)
        if entry.name not in _NEVER:
            yield entry.name


def _below(reading: _Reading, descriptor: int, name: str, path: str) -> None:
    reading.folders.append(path)
    try:
        inner = os.open(name, _FOLDER, dir_fd=descriptor)
    except OSError as error:
        reading.irregular.append((path, "unreadable" if isinstance(error, PermissionError) else "changing"))
        return
    try:
        _walk(reading, inner, f"{path}/")
    finally:
        os.close(inner)


def _file(reading: _Reading, descriptor: int, name: str, path: str, status: os.stat_result) -> None:
    reading.count.file(path, status.st_size)
    try:
        data = _read(descriptor, name, status)
        if data is None:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            data = _read(descriptor, name, status) if status.st_size <= reading.count.limits.file else None
    except OSError as error:
        reading.irregular.append((path, "unreadable" if isinstance(error, PermissionError) else "changing"))
        return
    if data is None:
        reading.irregular.append((path, "changing"))
        return
    reading.files[path] = data
    if status.st_nlink > 1:
        reading.linked.append(path)


def _read(descriptor: int, name: str, before: os.stat_result) -> bytes | None:
    """The file's bytes; None when it is no longer the file that ``before`` describes."""
    handle = os.open(name, _FILE, dir_fd=descriptor)
    try:
        data = os.read(handle, before.st_size + 1)
        if len(data) < before.st_size:
            data = b"".join((data, *_rest(handle, before.st_size + 1 - len(data))))
        after = os.fstat(handle)
    finally:
        os.close(handle)
    return data if len(data) == before.st_size and _same(before, after) else None


def _rest(handle: int, size: int) -> Iterator[bytes]:
    while size > 0 and (more := os.read(handle, size)):
        size -= len(more)
        yield more


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_ino, one.st_dev, one.st_size, one.st_mtime_ns, one.st_mode) == (
        other.st_ino,
        other.st_dev,
        other.st_size,
        other.st_mtime_ns,
        other.st_mode,
    )


def _context(path: Path, root: Path | None) -> dict[str, bytes]:
    """Marker files in the directory and above it, no higher than the repository's root (without one, the parent)."""
    depth = len(path.relative_to(root).parts) if root and path.is_relative_to(root) else 1
    found = {}
    for marker in markers(depth):
        target = path / marker
        if marker.endswith("/"):
            if target.is_dir():
                found[marker] = b""
        elif target.is_file() and not target.is_symlink():
            try:
                with target.open("rb") as stream:
                    found[marker] = stream.read(MIB)
            except OSError:
                continue
    return found


def write(path: Path, data: bytes) -> None:
    """Replace the file at ``path`` whole: written beside it, flushed to disk, renamed. Raises SetupError when that is not possible."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror or error}") from None
