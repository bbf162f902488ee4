"""How much a migration directory may hold before it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ci_runner.errors import DirectoryRefusedError

MIB = 1024 * 1024


class Limits(Struct, frozen=True):
    """Caps in bytes and files. ``entries`` bounds how many names are looked at, of interest or not; ``depth`` how many folders down."""

    file: int = 64 * MIB
    directory: int = 512 * MIB
    files: int = 10_000
    entries: int = 100_000
    depth: int = 64


class Count:
    """What was read so far; every step over a cap raises DirectoryRefusedError ``too-large``."""

    __slots__ = ("entries", "files", "limits", "shown", "size")

    def __init__(self, shown: str, limits: Limits) -> None:
        self.shown, self.limits = shown, limits
        self.entries = self.files = self.size = 0

    def listed(self, names: int, depth: int) -> None:
        """So many more names were seen, the deepest of them so many folders down."""
        self.entries += names
        if self.entries > self.limits.entries or depth > self.limits.depth:
            over = f"more than {self.limits.entries:,} entries or {self.limits.depth} levels of folders"
            raise self._refused(over, None, "give the folder of the migrations alone")

    def file(self, path: str, size: int) -> None:
        """One more file of ``size`` bytes is about to be read."""
        self.files += 1
        self.size += size
        if size > self.limits.file:
            over = f"{ascii(path)[1:-1]}, a file of {size:,} bytes; the limit is {self.limits.file:,} a file"
            raise self._refused(over, path, "split it, or load such data outside the migrations")
        if self.files > self.limits.files:
            raise self._refused(
                f"more than {self.limits.files:,} files", None, "squash old migrations into a checkpoint or baseline"
            )
        if self.size > self.limits.directory:
            over = f"more than {self.limits.directory:,} bytes"
            raise self._refused(over, path, "load such data outside the migrations")

    def several(self, paths: Iterable[str], sizes: Sequence[int]) -> None:
        """As :func:`file` for each path: reckoned at once where all of them fit, one by one where the one that does not is to be named."""
        files, size = self.files + len(sizes), self.size + sum(sizes)
        fits = max(sizes, default=0) <= self.limits.file
        if fits and files <= self.limits.files and size <= self.limits.directory:
            self.files, self.size = files, size
            return
        for path, each in zip(paths, sizes, strict=True):
            self.file(path, each)

    def _refused(self, over: str, path: str | None, remedy: str) -> DirectoryRefusedError:
        return DirectoryRefusedError("too-large", f"{self.shown} holds {over}: {remedy}", file=path)
