"""Replayed bases kept from run to run: one file each, whole or not there, thrown away when its hash does not hold."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from errno import EACCES, EDQUOT, EEXIST, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from typing import IO, NamedTuple, cast

from ci_runner.devdb.deflate import Deflating, Inflated

FORMAT = "2"
MAGIC = b"pilotage base\n"
DIGEST = 64
SUFFIX = ".base"
MAX_BYTES = 512 * 1024 * 1024  # of one base, compressed
MAX_TOTAL = 1024 * 1024 * 1024
MAX_BASES = 12
UNFINISHED = 3600.0  # seconds after which a file somebody began to write is nobody's
_CHUNK = 1024 * 1024


UNKEPT = "the replayed base could not be kept, so the next run replays the whole history, too"


class TooLargeError(Exception):
    """The base is over the cap, so it is not kept."""


class Slot(NamedTuple):
    """The place of one base. Never fails: what cannot be read, or is not what was written, is not there; what cannot be written is not kept."""

    folder: Path
    key: str
    warn: Callable[[str], None] = lambda _: None  # is told what to do when a base could not be kept

    @property
    def path(self) -> Path:
        """Its file: MAGIC, the hash of key and content in hex, the content deflated."""
        return self.folder / (self.key + SUFFIX)

    @contextmanager
    def reading(self) -> Iterator[IO[bytes] | None]:
        """The content, checked, as a stream; None when nothing is kept. A damaged file is removed."""
        stream = self._checked()
        if stream is None:
            yield None
            return
        with stream, Inflated(stream) as content:
            yield cast(IO[bytes], content)

    def write(self, fill: Callable[[IO[bytes]], object]) -> bool:
        """Keep what ``fill`` writes; the hash, without which the file is nothing, is written last. False when it could not be kept."""
        scratch = self.folder / f".{self.key}.{os.urandom(4).hex()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with scratch.open("xb") as file:
                file.write(MAGIC + b"-" * DIGEST)
                sink = _Hashed(file, self.key)
                with closing(Deflating(sink.write)) as content:
                    fill(cast(IO[bytes], content))
                    content.finish()
                file.seek(len(MAGIC))
                file.write(sink.digest())
            scratch.replace(self.path)
            self._prune()
        except (OSError, TooLargeError) as error:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)
            self.unkept(self._why(error))
            return False
        return True

    def unkept(self, why: str) -> None:
        """Say that the base is not kept."""
        self.warn(f"{UNKEPT}: {why}")

    def _why(self, error: OSError | TooLargeError) -> str:
        if isinstance(error, TooLargeError):
            return f"it is larger than {MAX_BYTES // 2**20} MiB, compressed"
        if error.errno in {ENOSPC, EDQUOT}:
            return f"there is no room left in {self.folder}: make room there, or give another folder (--cache-dir)"
        if error.errno in {EACCES, EPERM, EROFS, ENOTDIR, EEXIST}:
            return f"{self.folder} cannot be written to: give a folder that can (--cache-dir)"
        return f"{error.strerror or error}; it was to be in {self.folder} (--cache-dir)"

    def discard(self) -> None:
        """Throw it away."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _checked(self) -> IO[bytes] | None:
        try:
            file = self.path.open("rb")
        except OSError:
            return None
        try:
            if os.fstat(file.fileno()).st_size <= MAX_BYTES and self._holds(file):
                os.utime(self.path)
                file.seek(len(MAGIC) + DIGEST)
                return file
        except OSError:
            pass
        file.close()
        self.discard()
        return None

    def _holds(self, file: IO[bytes]) -> bool:
        if file.read(len(MAGIC)) != MAGIC:
            return False
        expected = file.read(DIGEST)
        running = hashlib.sha256(self.key.encode())
        while chunk := file.read(_CHUNK):
            running.update(chunk)
        return running.hexdigest().encode() == expected

    def _prune(self) -> None:
        """Remove what was used longest ago over the caps, and what a killed run left half written."""
        entries = [(entry.stat(), Path(entry.path)) for entry in os.scandir(self.folder) if entry.is_file()]
        now, total = time.time(), 0
        bases = sorted((e for e in entries if e[1].suffix == SUFFIX), key=lambda e: e[0].st_mtime, reverse=True)
        for number, (status, path) in enumerate(bases):
            total += status.st_size
            if number >= MAX_BASES or (number and total > MAX_TOTAL):
                path.unlink(missing_ok=True)
        for status, path in entries:
            if path.name.startswith(".") and now - status.st_mtime > UNFINISHED:
                path.unlink(missing_ok=True)


class Shelf(NamedTuple):
    """Where bases are kept. ``base`` stands for everything that was replayed: names, content and order of the released files."""

    folder: Path
    base: str
    warn: Callable[[str], None] = lambda _: None

    def slot(self, *parts: str) -> Slot:
        """The place for this base on a server that ``parts`` describe: engine, version or image, settings."""
        running = hashlib.sha256(FORMAT.encode())
        for part in (self.base, *parts):
            running.update(f"\0{len(part)}:{part}".encode())
        return Slot(self.folder, running.hexdigest(), self.warn)


class _Hashed:
    """A file that hashes what is written to it, up to the cap."""

    def __init__(self, file: IO[bytes], key: str) -> None:
        self._file = file
        self._running = hashlib.sha256(key.encode())
        self._left = MAX_BYTES - len(MAGIC) - DIGEST

    def write(self, content: bytes) -> int:
        self._left -= len(content)
        if self._left < 0:
            raise TooLargeError
        self._running.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()

    def digest(self) -> bytes:
        return self._running.hexdigest().encode()
