"""What a deployment remembers a registry by, and asks of it later: its head, whether an old head is still in it, what was taken away."""

from __future__ import annotations

from ci_runner.errors import ConflictError
from ci_runner.model.registry import Entry, Reference, Snapshot
from ci_runner.registry import chain, manifests, marking, reading
from ci_runner.stores import Store


def deployable(store: Store, asked: Reference) -> tuple[Snapshot, Entry, str]:
    """The snapshot that is meant, its entry, and the log's head "<seq>:<sha256>"; ConflictError for a state that was yanked."""
    head = chain.existing(store, asked.name)
    if asked.selector.kind == "latest":
        marking.refuse_yanked_latest(store, asked.name)
    snapshot, entry = reading.pull(store, asked.name, asked.selector)
    yanked = marking.mark(store, asked.name, head.last, entry)
    if yanked is not None:
        raise ConflictError(
            f"version {entry.seq} of {asked.name!r} was yanked: {yanked.reason}. Deploy another one: `pilotage log {asked.name}` lists them"
        )
    return snapshot, entry, head.text


def holds(store: Store, name: str, head: str) -> bool:
    """Whether ``head`` "<seq>:<sha256>" is an entry of the log."""
    number, _, digest = head.partition(":")
    end = chain.existing(store, name)
    if not number.isdigit() or not 0 < int(number) <= end.last.seq:
        return False
    return chain.entry(store, name, int(number)).hash == digest


def taken_away(store: Store, name: str) -> str:
    """Everything the log's rewrites say they removed or changed, as text to look names up in."""
    last = chain.existing(store, name).last
    return "\n".join(
        line
        for entry in chain.backwards(store, name, last, by="rewritten")
        if entry.kind == "rewrite"
        for line in entry.differences
    )


def applied_bytes(store: Store, digest: str, file: str) -> bytes | None:
    """The bytes of one file in the state with this digest ("sha256:<hex>"); None when the registry does not have them."""
    for found in chain.manifest(store, digest.removeprefix("sha256:")).files:
        if found.name == file:
            return chain.blob(store, found)
    return None


def digest(snapshot: Snapshot) -> str:
    """The digest "sha256:<hex>" a registry would give to this state."""
    return f"sha256:{manifests.of(snapshot).digest}"
