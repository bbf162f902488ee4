"""Tags: movable names inside the log; the last entry that names a tag wins."""

from __future__ import annotations

from collections.abc import Mapping

from ci_runner.errors import ConflictError
from ci_runner.model.registry import Entry
from ci_runner.registry import chain
from ci_runner.stores import Store

_NAMING = {"push", "rewrite", "tag"}


def find(store: Store, name: str, last: Entry, tag: str) -> Entry | None:
    """The entry a tag stands for, None when there is none or it was removed."""
    for entry in chain.backwards(store, name, last, tags_only=True):
        if tag in entry.tags and entry.kind in _NAMING | {"untag"}:
            return entry if entry.kind in _NAMING else None
    return None


def every(store: Store, name: str, last: Entry) -> dict[str, Entry]:
    """All tags and the entries they stand for."""
    decided: dict[str, Entry | None] = {}
    for entry in chain.backwards(store, name, last, tags_only=True):
        if entry.kind in _NAMING | {"untag"}:
            for tag in entry.tags:
                decided.setdefault(tag, entry if entry.kind in _NAMING else None)
    return {tag: entry for tag, entry in sorted(decided.items()) if entry is not None}


def current(store: Store, name: str, last: Entry, wanted: tuple[str, ...]) -> dict[str, str]:
    """The manifest digests that the ``wanted`` tags stand for; tags that do not exist are left out."""
    open_, result = set(wanted), dict[str, str]()
    if not open_:
        return result
    for entry in chain.backwards(store, name, last, tags_only=True):
        if entry.kind in _NAMING | {"untag"}:
            decided = open_ & set(entry.tags)
            open_ -= decided
            if entry.kind in _NAMING:
                result |= dict.fromkeys(decided, entry.manifest)
        if not open_:
            break
    return result


def to_set(standing: Mapping[str, str], wanted: tuple[str, ...], digest: str, *, move: bool) -> tuple[str, ...]:
    """The tags that an entry must name so that all ``wanted`` stand for ``digest``; ConflictError for a move nobody allowed."""
    moved = [tag for tag in wanted if standing.get(tag, digest) != digest]
    if moved and not move:
        raise ConflictError(
            f"tag {moved[0]!r} already stands for sha256:{standing[moved[0]]}, not for this state (sha256:{digest}): "
            "choose another tag, or move it with --move-tag"
        )
    return tuple(tag for tag in wanted if standing.get(tag) != digest)


def bound(last: Entry | None) -> int:
    """What the next entry says in ``tagged``: the last entry that names tags, or one after it."""
    if last is None:
        return 0
    return last.seq if last.tags or last.tagged is None else last.tagged
