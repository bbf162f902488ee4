"""Writing a snapshot into a folder: all of it or nothing, and never outside."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from ci_runner.errors import PilotageError, RefusedError, SetupError, TemporaryError
from ci_runner.model.registry import Snapshot
from ci_runner.registry import names

_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(snapshot: Snapshot, folder: Path) -> None:
    """Make ``folder`` hold exactly the snapshot's files.

    It may be missing, empty, or hold only files of the snapshot (an earlier pull), which are replaced. The files are written beside it
    first, so that it is never seen half-done. RefusedError when it holds anything else, and for file names that are no plain relative paths.
    """
    fault = names.file_names_fault(file.name for file in snapshot.files)
    if fault:
        raise RefusedError(f"nothing was written: {fault}")
    target = folder.absolute() if not folder.is_symlink() else folder.resolve()
    try:
        _check_output(target, {file.name for file in snapshot.files})
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            _fill(snapshot, beside / "new")
            _swap(beside / "new", target, beside / "old")
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise _failure(target, error) from error


def _check_output(target: Path, wanted: set[str]) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise RefusedError(f"{target} is a file: name a folder to pull into")
    if Path.cwd().is_relative_to(target):
        raise RefusedError(
            f"{target} is the current folder, which cannot be replaced as a whole: name a folder below it"
        )
    folders = {name[:at] for name in wanted for at, character in enumerate(name) if character == "/"}
    for path, below, files in os.walk(target):
        here = Path(path).relative_to(target)
        for name in (*below, *files):
            relative = (here / name).as_posix()
            plain = not (Path(path) / name).is_symlink()
            if not plain or relative not in (folders if name in below else wanted):
                raise RefusedError(
                    f"{target} holds {relative!r}, which is not of this snapshot: nothing was written; name an empty or new folder"
                )


def _fill(snapshot: Snapshot, folder: Path) -> None:
    folder.mkdir()
    for file in snapshot.files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive: two names that one file system takes for the same must not overwrite each other.
        with os.fdopen(os.open(path, _FILE, 0o644), "wb") as handle:
            handle.write(file.content)


def _swap(new: Path, target: Path, old: Path) -> None:
    """Put ``new`` in the place of ``target``; when that fails the old one is put back."""
    if target.exists():
        shutil.copymode(target, new)
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        with suppress(OSError):
            old.rename(target)
        raise


def _failure(target: Path, error: OSError) -> PilotageError:
    why = error.strerror or str(error)
    if isinstance(error, FileExistsError):
        return RefusedError(
            f"nothing was written to {target}: two file names of the snapshot are the same on this file system"
        )
    if error.errno in {errno.EBUSY, errno.EXDEV}:
        return RefusedError(f"{target} is a mount point, which cannot be replaced as a whole: name a folder below it")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return TemporaryError(f"no space to write {target} ({why}): nothing was changed; make room and run again")
    return SetupError(f"cannot write {target} ({why}): nothing was changed; check the folder and its rights")
