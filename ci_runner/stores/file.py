"""A store in a folder: objects appear whole, by a hard link that the file system makes for one creator only."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ci_runner.errors import IntegrityError, PilotageError, RefusedError, SetupError, TemporaryError
from ci_runner.stores.store import AmbiguousError, Created, check_hint_key, check_inbox_key, check_key, check_prefix

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking: opening a pipe that somebody put in the store must not wait for a writer.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TEMPORARY = ".tmp."
_STALE_SECONDS = 24 * 3600

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_AGAIN = {errno.EAGAIN, errno.ESTALE}
_ODD = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG}


class FileStore:
    """Objects are files below ``root``; symbolic links below it are never followed."""

    def __init__(self, root: str) -> None:
        self._root = Path(root).absolute()
        self.address = f"file://{self._root}"
        self._swept: set[tuple[str, ...]] = set()

    def create(self, key: str, content: bytes) -> Created:
        """See Store. Temporary file in the same folder, fsync, link, unlink, fsync of the folder."""
        *folders, leaf = check_key(key)
        with self._errors(key), self._folder(tuple(folders), make=True) as folder:
            if _present(leaf, folder):
                return Created.EXISTS
            temporary = _write_temporary(leaf, content, folder)
            try:
                self._sweep(tuple(folders), temporary, folder)
                created = self._publish(temporary, leaf, folder)
            finally:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
            if created is Created.CREATED:
                self._settle(key, folder)
            return created

    def get(self, key: str, limit: int) -> bytes | None:
        """See Store."""
        *folders, leaf = check_key(key)
        with self._errors(key):
            try:
                with self._folder(tuple(folders), make=False) as folder:
                    handle = os.open(leaf, _READ, dir_fd=folder)
            except FileNotFoundError:
                return None
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise RefusedError(
                        f"{key} in {self.address} is no regular file: a registry holds nothing else; remove it"
                    )
                content = file.read(limit + 1)
        if len(content) > limit:
            raise IntegrityError(f"{key} in {self.address} is longer than {limit} bytes, more than it may hold")
        return content

    def list(self, prefix: str) -> Iterator[str]:
        """See Store."""
        return self._walk(check_prefix(prefix))

    def folders(self, prefix: str) -> Iterator[str]:
        """See Store."""
        return iter([name for name, is_folder in self._scan(check_prefix(prefix)) if is_folder])

    def put_hint(self, key: str, content: bytes) -> None:
        """See Store. The one place where a file is replaced."""
        *folders, leaf = check_hint_key(key)
        with self._errors(key), self._folder(tuple(folders), make=True) as folder:
            temporary = _write_temporary(leaf, content, folder)
            os.replace(temporary, leaf, src_dir_fd=folder, dst_dir_fd=folder)

    def discard(self, key: str) -> None:
        """See Store."""
        *folders, leaf = check_inbox_key(key)
        with self._errors(key), suppress(FileNotFoundError), self._folder(tuple(folders), make=False) as folder:
            os.unlink(leaf, dir_fd=folder)
            os.fsync(folder)

    def _publish(self, temporary: str, leaf: str, folder: int) -> Created:
        try:
            os.link(temporary, leaf, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            return Created.EXISTS
        except OSError as error:
            if error.errno in _NO_LINKS:
                return self._rename(temporary, leaf, folder)
            if error.errno in _NO_SPACE | _NO_RIGHT:
                raise
            raise AmbiguousError(
                f"{leaf} in {self.address} may or may not have been written: {error.strerror}"
            ) from error
        return Created.CREATED

    def _rename(self, temporary: str, leaf: str, folder: int) -> Created:
        """For file systems without hard links: a rename that refuses to replace, where the kernel has one."""
        from ci_runner.stores.rename import rename_no_replace

        number = rename_no_replace(temporary, leaf, folder)
        if number in {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise RefusedError(
                f"the file system of {self.address} has neither hard links nor a rename that refuses to replace: two pushes "
                "could both win there; use another folder for the registry"
            )
        if number == errno.EEXIST:
            return Created.EXISTS
        if number:
            raise OSError(number, os.strerror(number))
        return Created.CREATED

    def _settle(self, key: str, folder: int) -> None:
        """Make the new name durable; a failure here leaves the object visible and its durability unknown."""
        try:
            os.fsync(folder)
        except OSError as error:
            raise AmbiguousError(
                f"{key} in {self.address} was written, but the disk did not confirm it: {error.strerror}"
            ) from error

    def _sweep(self, folders: tuple[str, ...], temporary: str, folder: int) -> None:
        """Once per folder: remove what crashed writers left more than a day ago, by the clock of the file system itself."""
        if folders in self._swept:
            return
        self._swept.add(folders)
        now = os.stat(temporary, dir_fd=folder, follow_symlinks=False).st_mtime
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if _TEMPORARY in entry.name:
                    with suppress(OSError):
                        if now - entry.stat(follow_symlinks=False).st_mtime > _STALE_SECONDS:
                            os.unlink(entry.name, dir_fd=folder)

    @contextmanager
    def _folder(self, folders: tuple[str, ...], *, make: bool) -> Iterator[int]:
        """A handle on a folder of the store, reached step by step so that no link on the way is followed."""
        if make:
            self._root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)
        try:
            for name in folders:
                below = _step(handle, name, make=make)
                os.close(handle)
                handle = below
            yield handle
        finally:
            os.close(handle)

    def _scan(self, folders: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
        with self._errors("/".join(folders) or "the folder"):
            try:
                with self._folder(folders, make=False) as handle, os.scandir(handle) as entries:
                    found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
            except FileNotFoundError:
                return ()
        return tuple(sorted((name, is_folder) for name, is_folder in found if _named(name)))

    def _walk(self, folders: tuple[str, ...]) -> Iterator[str]:
        for name, is_folder in self._scan(folders):
            if is_folder:
                yield from self._walk((*folders, name))
            else:
                yield "/".join((*folders, name))

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failure(key, error) from error

    def _failure(self, key: str, error: OSError) -> PilotageError:
        where, why = f"{key} in {self.address}", error.strerror or str(error)
        if error.errno in _NO_SPACE:
            return TemporaryError(f"no space for {where} ({why}): nothing was changed; make room and run again")
        if error.errno in _NO_RIGHT:
            return SetupError(
                f"no right to use {where} ({why}): give this user the right to read, and for a push to write, the folder"
            )
        if error.errno in _ODD:
            return RefusedError(
                f"{where} lies behind something that is no plain folder or file ({why}): links in a registry are not followed"
            )
        kind = AmbiguousError if error.errno in _AGAIN else TemporaryError
        return kind(f"{where} could not be read or written ({why}): run again")


def _step(handle: int, name: str, *, make: bool) -> int:
    """Open the folder ``name`` in ``handle``; one made here is made durable before anything is put into it."""
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=handle)
            os.fsync(handle)
    return os.open(name, _FOLDER, dir_fd=handle)


def _write_temporary(leaf: str, content: bytes, folder: int) -> str:
    temporary = f"{leaf}{_TEMPORARY}{secrets.token_hex(8)}"
    handle = os.open(temporary, _WRITE, 0o644, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    return temporary


def _present(leaf: str, folder: int) -> bool:
    try:
        os.stat(leaf, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _named(name: str) -> bool:
    try:
        check_key(name)
    except RefusedError:
        return False
    return True
