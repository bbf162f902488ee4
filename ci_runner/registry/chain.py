"""Reading a directory's log: the last entry, any entry, all of them, and the manifests they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ci_runner.errors import IntegrityError, PilotageError, UsageError
from ci_runner.model.registry import Entry, Latest, Manifest, ManifestFile
from ci_runner.registry import canonical, entries, keys, manifests, names
from ci_runner.stores import Store


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log: its last entry, and what ``latest`` stands for there."""

    last: Entry
    latest: Latest

    @property
    def text(self) -> str:
        """``<seq>:<sha256>`` — what is worth remembering elsewhere."""
        return f"{self.last.seq}:{self.last.hash}"


def is_registry(store: Store) -> bool:
    """Whether ``store`` holds a registry; RefusedError for one of a newer format."""
    raw = store.get(keys.FORMAT, keys.TEXT_LIMIT)
    if raw is not None:
        manifests.check_format(raw, store.address)
    return raw is not None


def head(store: Store, name: str, since: Head | None = None) -> Head | None:
    """The end of the log of ``name``, None when it has none; looked for from ``since`` on, when that is given.

    Starts at the hint, which is believed only as far as an entry is there, and goes on in growing steps: an exact hint costs three
    requests, none at all about twice the logarithm of the log's length. Nothing is listed.
    """
    start = (since.last.seq, since.last.raw) if since else _start(store, name)
    seq, raw = newest(lambda seq: _raw(store, name, seq), *start)
    return since if since and seq == since.last.seq else _head(store, name, seq, raw)


def hinted(store: Store, name: str) -> Head | None:
    """The log as far as the hint knows it, None when it knows nothing: perhaps the end, and for certain once the next slot was claimed."""
    return _head(store, name, *_start(store, name))


def _head(store: Store, name: str, seq: int, raw: bytes | None) -> Head | None:
    if raw is None:
        return None
    last = entries.decode(raw, seq, name)
    return Head(last, _latest(store, name, last))


def newest(fetch: Callable[[int], bytes | None], low: int = 0, raw: bytes | None = None) -> tuple[int, bytes | None]:
    """The last slot that holds something, and its bytes, going on from slot ``low``, which holds ``raw``; 0 and None of an empty log."""
    high, step = low + 1, 1
    while (found := fetch(high)) is not None:
        low, raw = high, found
        high, step = high + step, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        found = fetch(middle)
        low, raw, high = (middle, found, high) if found is not None else (low, raw, middle)
    return low, raw


def entry(store: Store, name: str, seq: int) -> Entry:
    """Entry ``seq``, which must be there."""
    raw = _raw(store, name, seq)
    if raw is None:
        raise IntegrityError(f"log entry {seq} of {name!r} is missing in {store.address}: verify the registry")
    return entries.decode(raw, seq, name)


def existing(store: Store, name: str) -> Head:
    """The end of a log that is meant to be there; UsageError, saying what is, when it is not."""
    names.check_name(name)
    registry = is_registry(store)
    found = head(store, name)
    if found:
        return found
    if not registry:
        raise UsageError(f"there is no registry at {store.address}: check the address, or push a directory there first")
    raise UsageError(f"{store.address} has no directory {name!r}: {names.did_you_mean(name, list_names(store))}")


def log(store: Store, name: str) -> tuple[Entry, ...]:
    """All entries, oldest first; IntegrityError where the chain of hashes breaks."""
    end = existing(store, name)
    result: list[Entry] = []
    previous = keys.NO_ENTRY
    for seq in range(1, end.last.seq + 1):
        found = entry(store, name, seq) if seq < end.last.seq else end.last
        if found.prev != previous:
            raise IntegrityError(
                f"the log of {name!r} in {store.address} was changed before entry {seq}: verify the registry"
            )
        previous = found.hash
        result.append(found)
    return tuple(result)


def backwards(
    store: Store, name: str, start: Entry, *, by: Literal["tagged", "yanked", "rewritten"] | None = None
) -> Iterator[Entry]:
    """Entries from ``start`` to the first; ``by`` leaves out, where entries say so, those between two that name tags, yank or rewrite."""
    current = start
    yield current
    while True:
        below = getattr(current, by) if by else None
        below = current.seq - 1 if below is None else below
        if below < 1:
            return
        current = entry(store, name, below)
        yield current


def list_names(store: Store) -> tuple[str, ...]:
    """The directories in a registry, sorted."""
    return tuple(sorted(name for name in store.folders(keys.DIRS) if _is_name(name)))


def manifest(store: Store, digest: str) -> Manifest:
    """The manifest with this digest (hex), checked."""
    raw = store.get(keys.blob(digest), keys.TEXT_LIMIT)
    if raw is None:
        raise IntegrityError(f"manifest {digest} is missing in {store.address}: verify the registry and restore it")
    return manifests.parse(raw, digest)


def blob(store: Store, file: ManifestFile) -> bytes:
    """A file's bytes, checked; IntegrityError when they are missing or wrong."""
    content = store.get(keys.blob(file.sha256), file.size)
    if content is None or len(content) != file.size or canonical.sha256(content) != file.sha256:
        what = "missing" if content is None else "damaged: its bytes are not what its hash says"
        raise IntegrityError(
            f"the file {file.name!r} ({keys.blob(file.sha256)}) in {store.address} is {what}; verify the registry and restore it"
        )
    return content


def _start(store: Store, name: str) -> tuple[int, bytes | None]:
    try:
        hint = store.get(keys.hint(name), 32) or b""
    except PilotageError:
        return 0, None
    digits = hint.strip()
    if not digits.isdigit() or not 0 < int(digits) < keys.LAST_SEQ:
        return 0, None
    raw = _raw(store, name, int(digits))
    return (int(digits), raw) if raw is not None else (0, None)


def _raw(store: Store, name: str, seq: int) -> bytes | None:
    return store.get(keys.slot(name, seq), keys.TEXT_LIMIT)


def _latest(store: Store, name: str, last: Entry) -> Latest:
    for found in backwards(store, name, last):
        if found.kind in entries.STATES:
            return Latest(found.seq, found.manifest, found.git)
        if found.latest:
            return found.latest
    raise IntegrityError(f"the log of {name!r} in {store.address} holds no push: verify the registry")


def _is_name(name: str) -> bool:
    try:
        names.check_name(name)
    except UsageError:
        return False
    return True
