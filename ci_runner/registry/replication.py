"""Backups get the primary's log byte for byte, in its order: files, manifest, entry."""

from __future__ import annotations

from ci_runner.errors import IntegrityError, PilotageError
from ci_runner.model.registry import Entry, ManifestFile
from ci_runner.registry import abreast, chain, commit, keys
from ci_runner.registry.commit import Pause
from ci_runner.stores import Store


def replicate(primary: Store, backup: Store, name: str, pause: Pause) -> int:
    """Copy what ``backup`` lacks of the log of ``name``; the number of entries copied.

    IntegrityError for a fork: the backup has an entry that the primary has not, or another one in its place. Then nothing is copied.
    """
    end, there = chain.head(primary, name), chain.head(backup, name)
    if end is None:
        if there is None:
            return 0
        raise _fork(primary, backup, name, 1)
    last = there.last if there else None
    if last and (last.seq > end.last.seq or chain.entry(primary, name, last.seq).hash != last.hash):
        raise _fork(primary, backup, name, last.seq)
    if last and last.seq == end.last.seq:
        return 0
    commit.put_format(backup, pause)
    first = last.seq + 1 if last else 1
    known = {last.manifest: chain.manifest(primary, last.manifest).files} if last else {}
    for seq in range(first, end.last.seq + 1):
        entry = chain.entry(primary, name, seq) if seq < end.last.seq else end.last
        last = _copy(primary, backup, name, entry, last, known, pause)
    put_hint(backup, name, end.last.seq)
    return end.last.seq - first + 1


def put_hint(store: Store, name: str, seq: int) -> None:
    """Write the hint where that works; nothing rests on it."""
    try:
        store.put_hint(keys.hint(name), str(seq).encode())
    except PilotageError:
        return


def _copy(
    primary: Store,
    backup: Store,
    name: str,
    entry: Entry,
    last: Entry | None,
    known: dict[str, tuple[ManifestFile, ...]],
    pause: Pause,
) -> Entry:
    """One entry after ``last``, with the files that the states ``known`` to be in the backup do not have."""
    if entry.prev != (last.hash if last else keys.NO_ENTRY):
        raise IntegrityError(
            f"entry {entry.seq} of {name!r} in {primary.address} does not follow the one before: verify the registry"
        )
    if entry.manifest not in known:
        manifest = chain.manifest(primary, entry.manifest)
        there = {file.sha256 for files in known.values() for file in files}
        missing = {file.sha256: file for file in manifest.files if file.sha256 not in there}
        abreast.each(lambda file: commit.put_blob(backup, chain.blob(primary, file), pause), [*missing.values()])
        commit.put_blob(backup, manifest.raw, pause)
        known.clear()
        known[entry.manifest] = manifest.files
    if commit.settle(backup, keys.slot(name, entry.seq), entry.raw, pause) != entry.raw:
        raise _fork(primary, backup, name, entry.seq)
    return entry


def _fork(primary: Store, backup: Store, name: str, seq: int) -> IntegrityError:
    return IntegrityError(
        f"the histories of {name!r} fork at entry {seq}: {backup.address} holds what {primary.address} does not. Nothing was copied over it; "
        "find out which one is right (pilotage verify, and the heads that pushes printed) before pushing again"
    )
