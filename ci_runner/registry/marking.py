"""Entries about a state that is there already: yank it, or take that back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ci_runner.errors import ConflictError, IntegrityError, TemporaryError, UsageError
from ci_runner.model.registry import Entry, GitFacts, Latest, Selector
from ci_runner.registry import chain, commit, entries, following, keys, reading, replication
from ci_runner.registry.chain import Head
from ci_runner.registry.commit import Pause
from ci_runner.stores import Store


def yank(
    store: Store,
    name: str,
    selector: Selector,
    reason: str,
    *,
    git: GitFacts,
    actor: Mapping[str, Any],
    now: datetime,
    nonce: str,
    pause: Pause,
) -> Entry:
    """Add an entry that marks the state ``selector`` means as not to be used; ``reason`` "" takes an earlier mark back.

    The state stays readable by tag, number and digest. The entry written, or the one that says so already. UsageError for a state that is not
    there or a reason over 1,000 characters.
    """
    if len(reason) > entries.LONGEST_TEXT or not reason.isprintable():
        raise UsageError(f"a reason is one line of at most {entries.LONGEST_TEXT} characters")
    for repetition in range(commit.ROUNDS):
        head = chain.existing(store, name)
        wanted = reading.select(store, name, head, selector)
        standing = mark(store, name, head.last, wanted)
        if (standing.reason if standing else "") == reason:
            return standing or wanted
        stamp = {"git": git, "actor": actor, "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "id": nonce}
        entry = _mark_of(name, head, wanted.manifest, reason, stamp)
        if _committed(store, name, entry, pause):
            return entry
        pause(repetition)
    raise TemporaryError(f"others wrote to {name!r} in {store.address} first {commit.ROUNDS} times: run again")


def _mark_of(name: str, head: Head, manifest: str, reason: str, stamp: Mapping[str, Any]) -> Entry:
    """The entry after ``head`` that marks the state of a manifest."""
    return following.entry(head, None, name=name, kind="yank", manifest=manifest, tags=(), reason=reason, **stamp)


def _committed(store: Store, name: str, entry: Entry, pause: Pause) -> bool:
    """Whether the entry has its slot; False when another was first."""
    slot = keys.slot(name, entry.seq)
    if commit.settle(store, slot, entry.raw, pause) != entry.raw:
        return False
    replication.put_hint(store, name, entry.seq)
    if store.get(slot, keys.TEXT_LIMIT) != entry.raw:
        raise IntegrityError(f"{store.address} accepted {slot} but does not give it back: verify this registry")
    return True


def mark(store: Store, name: str, last: Entry, wanted: Entry | Latest) -> Entry | None:
    """The yank that stands for the state of an entry, None when there is none or it was taken back."""
    since = _pushed(wanted)
    for entry in chain.backwards(store, name, last, by="yanked"):
        if entry.seq <= since:
            return None
        if entry.kind == "yank" and entry.manifest == wanted.manifest:
            return entry if entry.reason else None
    return None


def _pushed(entry: Entry | Latest) -> int:
    """The push or rewrite that an entry's state came with, and that replaced earlier marks; a tag on an older state replaces none."""
    if isinstance(entry, Latest) or entry.kind in entries.STATES:
        return entry.seq
    return entry.latest.seq if entry.latest and entry.latest.manifest == entry.manifest else 0


def refuse_yanked_latest(store: Store, name: str) -> None:
    """ConflictError when what ``latest`` stands for was yanked."""
    head = chain.existing(store, name)
    found = mark(store, name, head.last, head.latest)
    if found:
        raise ConflictError(
            f"the latest state of {name!r} (version {head.latest.seq}) was yanked: {found.reason}. Push a newer one, or name an older "
            f"version: `pilotage log {name}`"
        )
