"""Writing what is written once: blobs, manifest, log slot; what the store's answer left open is settled by reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ci_runner.errors import IntegrityError, TemporaryError
from ci_runner.model.registry import Manifest, Snapshot
from ci_runner.registry import abreast, canonical, keys, manifests
from ci_runner.stores import AmbiguousError, Created, Store

Pause = Callable[[int], None]
"""Waits before the given repetition (0 = first)."""

ROUNDS = 200
_READ_FAILURES = 8
_LONGEST_PAUSE = 30.0
_FIRST_PAUSE = 0.02


def jitter(sleep: Callable[[float], None], random: Callable[[], float]) -> Pause:
    """Pauses of full jitter: a random part (``random`` gives 0 to 1) of a span that doubles from 20 ms to 30 s."""

    def pause(repetition: int) -> None:
        sleep(random() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(repetition, 16)))

    return pause


def settle(store: Store, key: str, content: bytes, pause: Pause) -> bytes:
    """Create ``key`` and return the bytes that are there now: ``content``, or those of whoever came first.

    "Exists" and a lost answer are both resolved by reading the key; when nothing is there the same create is sent again.
    TemporaryError after 200 rounds, or when reading fails again and again; nothing is deleted or renumbered then, and a later run
    settles it.
    """
    reason, failures = "", 0
    for repetition in range(ROUNDS):
        try:
            if store.create(key, content) is Created.CREATED:
                return content
        except AmbiguousError as error:
            reason = f": {error}"
        try:
            found = store.get(key, keys.FILE_LIMIT)
        except TemporaryError as error:
            failures += 1
            if failures == _READ_FAILURES:
                raise
            found, reason = None, f": {error}"
        if found is not None:
            return found
        pause(repetition)
    raise TemporaryError(
        f"{key} could not be settled in {store.address} after {ROUNDS} rounds{reason}; it is safe to push again"
    )


def put_blob(store: Store, content: bytes, pause: Pause) -> None:
    """Make sure that ``content`` lies under its hash; IntegrityError when other bytes do."""
    sha256 = canonical.sha256(content)
    if settle(store, keys.blob(sha256), content, pause) != content:
        raise IntegrityError(
            f"{keys.blob(sha256)} in {store.address} is damaged: its bytes are not what its name says; verify the registry"
        )


def put_state(store: Store, snapshot: Snapshot, manifest: Manifest, there: Iterable[str], pause: Pause) -> None:
    """Write a state's files, leaving out the hashes that are ``there``, and then its manifest."""
    contents = {canonical.sha256(file.content): file.content for file in snapshot.files}
    known = frozenset(there)
    missing = [content for sha256, content in contents.items() if sha256 not in known]
    abreast.each(lambda content: put_blob(store, content, pause), missing)
    put_blob(store, manifest.raw, pause)


def put_format(store: Store, pause: Pause) -> None:
    """Mark the store as a registry of format 1; RefusedError when it is one of a newer format."""
    raw = store.get(keys.FORMAT, keys.TEXT_LIMIT)
    if raw is None:
        raw = settle(store, keys.FORMAT, canonical.dumps({"format": 1}), pause)
    manifests.check_format(raw, store.address)
