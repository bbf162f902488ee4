"""Reads a folder once, through its own descriptor, opening nothing but ordinary files."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from ci_runner import aside
from ci_runner.errors import DirectoryRefusedError, SetupError
from ci_runner.migrations import checks
from ci_runner.model.directory import Tree
from ci_runner.sources.git import git_blob
from ci_runner.sources.limits import MIB, Count, Limits
from ci_runner.wanted import markers, wanted

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEVER = {".git"}
_BRIEF = 32 * 1024  # bytes: a file of fewer is read at once, and its bytes may come from a second process
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
    return begun(path, root=root, shown=shown, limits=limits, confined=confined)()


def begun(
    path: Path,
    *,
    root: Path | None = None,
    shown: str | None = None,
    limits: Limits | None = None,
    confined: bool = False,
    blobs: bool = False,
) -> Callable[[], Tree]:
    """As :func:`folder`, for whoever has something else to do first: a second process reads meanwhile. To be asked for the Tree once.

    With ``blobs`` the Tree says what Git would call each file, for whoever compares it with a commit.
    """
    name = shown if shown is not None else str(path)
    resolved = _resolved(path, name)
    top = root.resolve() if root else None
    if confined and top is not None and not resolved.is_relative_to(top):
        where = f"{name} leads to {resolved}, outside the repository {top}"
        raise DirectoryRefusedError("outside-repository", f"{where}: give a folder inside it")
    reading = _Reading(Count(name, limits or Limits()), git_blob if blobs else None)
    walk = _walk(reading, _open(resolved, name), "")
    next(walk, None)

    def finished() -> Tree:
        for _ in walk:
            pass
        files = reading.files
        paths = sorted(files)
        return Tree(
            name,
            files if paths == [*files] else {path: files[path] for path in paths},
            _context(resolved, top),
            tuple(sorted(reading.irregular)),
            tuple(sorted(reading.folders)),
            tuple(sorted(reading.linked)),
            reading.simple,
            reading.blobs,
        )

    return finished


class _Reading:
    __slots__ = ("blob", "blobs", "count", "files", "folders", "irregular", "linked", "simple")

    def __init__(self, count: Count, blob: Callable[[bytes], str] | None) -> None:
        self.count, self.blob = count, blob
        self.files: dict[str, bytes] = {}
        self.simple: dict[str, str] = {}
        self.blobs: dict[str, str] = {}
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
            f"the directory {where} does not exist: name it with --dir or 'dir:' (pilotage init finds it); in CI, check out first",
        )
    except NotADirectoryError:
        code, why = "not-a-directory", f"{where} is not a directory: give the folder that holds the migrations"
    except PermissionError:
        code, why = "unreadable", f"the directory {where} cannot be read by this user: give it the right to"
    except OSError as error:
        code, why = "unreadable", f"the directory {where} cannot be opened: {error.strerror}"
    raise DirectoryRefusedError(code, why)


def _walk(reading: _Reading, descriptor: int, prefix: str) -> Iterator[None]:
    """Read the folder and close it, in two steps: once what it holds is known another process may begin with the files."""
    try:
        try:
            with os.scandir(descriptor) as entries:
                seen = [*islice(entries, reading.count.limits.entries + 1)]
        except PermissionError:
            reading.irregular.append((prefix.rstrip("/") or ".", "unreadable"))
            return
        reading.count.listed(len(seen), prefix.count("/") if seen else 0)
        # what an entry is the folder itself says, which asks the file system nothing more
        plain = {entry.name for entry in seen if entry.is_file(follow_symlinks=False)}
        names = sorted([name for name in plain if name.endswith(".sql") or wanted(prefix + name)])
        brief = _begun(reading, descriptor, names)
        yield
        for name in _take(reading, prefix, names, brief()):
            _file(reading, descriptor, name, prefix + name)
        others = [entry for entry in seen if entry.name not in plain] if len(plain) < len(seen) else []
        for entry in sorted(others, key=attrgetter("name")):
            if entry.name not in _NEVER:
                step = _below if entry.is_dir(follow_symlinks=False) else _odd
                step(reading, descriptor, entry.name, prefix + entry.name)
    finally:
        os.close(descriptor)


_Brief = Sequence[Any]  # bytes, what is in Tree.simple and Tree.blobs of them


def _begun(reading: _Reading, descriptor: int, names: Sequence[str]) -> Callable[[], Sequence[_Brief | None]]:
    """Those files that give no reason to look twice, None for the others; of too many files none is read beforehand."""
    if reading.count.files + len(names) > reading.count.limits.files:
        return lambda: [None] * len(names)
    return aside.shared(partial(_brief, descriptor, reading.blob), names)


def _take(reading: _Reading, prefix: str, names: Sequence[str], found: Sequence[_Brief | None]) -> list[str]:
    """Take up what was found of the files with those names; the names of the others."""
    paths = [prefix + name for name in names] if prefix else names
    files = {path: row[0] for path, row in zip(paths, found, strict=True) if row is not None}
    reading.count.several(files, [*map(len, files.values())])
    reading.files |= files
    reading.simple |= {path: row[1] for path, row in zip(paths, found, strict=True) if row is not None}
    if reading.blob:
        reading.blobs |= {path: row[2] for path, row in zip(paths, found, strict=True) if row is not None}
    return [name for name, row in zip(names, found, strict=True) if row is None] if len(files) < len(names) else []


def _brief(descriptor: int, blob: Callable[[bytes], str] | None, name: str) -> _Brief | None:
    """An ordinary short file of one name that is the same before and after; None for any other, which is looked at closely."""
    try:
        handle = os.open(name, _FILE, dir_fd=descriptor)
    except OSError:
        return None
    try:
        before = os.fstat(handle)
        size = before.st_size
        if size > _BRIEF or not stat.S_ISREG(before.st_mode):
            return None
        data = os.read(handle, size + 1)
        after = os.fstat(handle)
    except OSError:
        return None
    finally:
        os.close(handle)
    same = len(data) == size == after.st_size and after.st_mtime_ns == before.st_mtime_ns
    if not same or after.st_nlink > 1:
        return None
    return data, checks.simple(data), blob(data) if blob else ""


def _odd(reading: _Reading, descriptor: int, name: str, path: str) -> None:
    try:
        mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
    except OSError as error:
        reading.irregular.append((path, _trouble(error)))
        return
    kind = next((kind for test, kind in _KINDS if test(mode)), "device")
    reading.irregular.append((path, kind))


def _trouble(error: OSError) -> str:
    return "unreadable" if isinstance(error, PermissionError) else "changing"


def _below(reading: _Reading, descriptor: int, name: str, path: str) -> None:
    reading.folders.append(path)
    try:
        inner = os.open(name, _FOLDER, dir_fd=descriptor)
    except OSError as error:
        reading.irregular.append((path, _trouble(error)))
        return
    for _ in _walk(reading, inner, f"{path}/"):
        pass


def _file(reading: _Reading, descriptor: int, name: str, path: str) -> None:
    try:
        counted = _read(reading, descriptor, name, path) or _read(reading, descriptor, name, path, again=True)
    except OSError as error:
        reading.irregular.append((path, _trouble(error)))
        return
    if not counted:
        reading.irregular.append((path, "changing"))


def _read(reading: _Reading, descriptor: int, name: str, path: str, *, again: bool = False) -> bool:
    """Take up the file's bytes; False when it changed meanwhile, or is an ordinary file no longer."""
    handle = os.open(name, _FILE, dir_fd=descriptor)
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            return False
        size = before.st_size
        if not again:
            reading.count.file(path, size)
        elif size > reading.count.limits.file:
            return False
        data = os.read(handle, size + 1)
        if len(data) < size:
            data = b"".join((data, *_rest(handle, size + 1 - len(data))))
        after = os.fstat(handle)
    finally:
        os.close(handle)
    if len(data) != size or after.st_size != size or after.st_mtime_ns != before.st_mtime_ns:
        return False
    reading.files[path] = data
    if after.st_nlink > 1:
        reading.linked.append(path)
    return True


def _rest(handle: int, size: int) -> Iterator[bytes]:
    while size > 0 and (more := os.read(handle, size)):
        size -= len(more)
        yield more


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
