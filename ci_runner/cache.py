"""Bytes by key in a folder: what a later run may reuse, and nothing that it must have."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

MAX_ENTRIES = 400
MAX_BYTES = 64 * 1024 * 1024


class Cache(Struct, frozen=True):
    """A cache in ``folder``; None caches nothing. A cache never fails: what cannot be read or written is a miss.

    Contents are a stranger's bytes for whoever reads them (CI caches are shared), so callers parse, never unpickle.
    """

    folder: Path | None

    def get(self, key: str) -> bytes | None:
        """The bytes under ``key`` (hex), or None."""
        if self.folder is None:
            return None
        path = self.folder / key
        try:
            if path.stat().st_size > MAX_BYTES:
                return None
            return path.read_bytes()
        except OSError:
            return None

    def keys(self) -> frozenset[str]:
        """Every key present, by one listing."""
        try:
            return frozenset(os.listdir(self.folder)) if self.folder is not None else frozenset()  # noqa: PTH208  # names only
        except OSError:
            return frozenset()

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``, replacing it whole, and drop the oldest entries over the cap."""
        if self.folder is None or len(content) > MAX_BYTES:
            return
        scratch = self.folder / f".{key}.{os.urandom(4).hex()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            scratch.write_bytes(content)
            scratch.replace(self.folder / key)
            self._prune()
        except OSError:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)

    def _prune(self) -> None:
        if self.folder is None:
            return
        entries = sorted(
            (path for path in self.folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime
        )
        for path in entries[: max(0, len(entries) - MAX_ENTRIES)]:
            path.unlink(missing_ok=True)
