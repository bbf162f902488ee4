"""Pull: find the state that is meant, and bring its files, each checked against its hash."""

from __future__ import annotations

from ci_runner.errors import UsageError
from ci_runner.model.registry import Entry, Selector, Snapshot, SnapshotFile
from ci_runner.registry import abreast, chain, cut, tags
from ci_runner.stores import Store


def pull(store: Store, name: str, selector: Selector) -> tuple[Snapshot, Entry]:
    """The snapshot that ``selector`` means, whole and verified, and the entry that names it.

    UsageError for a name, tag, version, digest or number that is not there; IntegrityError when stored bytes are wrong.
    """
    head = chain.existing(store, name)
    entry = select(store, name, head, selector)
    snapshot = read(store, entry.manifest)
    if selector.kind == "version":
        snapshot = cut.after(snapshot, selector.value, name)
    return snapshot, entry


def find(store: Store, name: str, selector: Selector) -> Entry:
    """The entry that ``selector`` means; UsageError for one that is not there."""
    return select(store, name, chain.existing(store, name), selector)


def read(store: Store, digest: str) -> Snapshot:
    """The snapshot with this digest (hex); every byte of it is checked."""
    manifest = chain.manifest(store, digest)
    contents = abreast.each(lambda file: chain.blob(store, file), manifest.files)
    files = tuple(SnapshotFile(file.name, file.kind, raw) for file, raw in zip(manifest.files, contents, strict=True))
    return Snapshot(manifest.dialect, manifest.format, manifest.sum, files)


def select(store: Store, name: str, head: chain.Head, selector: Selector) -> Entry:
    """The entry that ``selector`` means in a log that ends at ``head``."""
    if selector.kind == "tag":
        found = tags.find(store, name, head.last, selector.value)
        return _there(found, f"tag {selector.value!r}", name, store)
    if selector.kind == "digest":
        walk = chain.backwards(store, name, head.last)
        return _there(
            next((entry for entry in walk if entry.manifest == selector.value), None),
            f"digest sha256:{selector.value}",
            name,
            store,
        )
    if selector.kind == "seq":
        seq = int(selector.value)
        return _there(chain.entry(store, name, seq) if 0 < seq <= head.last.seq else None, f"entry {seq}", name, store)
    return head.last if head.last.seq == head.latest.seq else chain.entry(store, name, head.latest.seq)


def _there(entry: Entry | None, what: str, name: str, store: Store) -> Entry:
    if entry is None:
        raise UsageError(f"{name!r} in {store.address} has no {what}: `pilotage log {name}` lists what it has")
    return entry
