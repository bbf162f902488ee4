"""Tags: movable names inside the log; the last entry that names a tag wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ci_runner.errors import ConflictError, IntegrityError
from ci_runner.model.registry import Entry, TagAt, TagIndex
from ci_runner.registry import buckets, chain
from ci_runner.stores import Store

_NAMING = {"push", "rewrite", "tag"}
_MOST_GATHERED = 10_000
"""Tags that one entry takes over from a history without a table; where there are more the history stays without."""


@dataclass(slots=True)
class Tags:
    """The tags at the end of a log, read as far as was asked for.

    ``decided``: what the entries after the newest table say (None = removed). ``base``: the entry with that table; None where no entry
    has one, and then all of the log is in ``decided``. ``held``: the buckets read so far.
    """

    store: Store
    name: str
    decided: dict[str, TagAt | None] = field(default_factory=dict)
    base: Entry | None = None
    held: dict[str, Mapping[str, TagAt]] = field(default_factory=dict)

    def get(self, tag: str) -> TagAt | None:
        """What a tag stands for, None when there is none."""
        return self.decided[tag] if tag in self.decided else self.bucket(buckets.bucket(tag)).get(tag)

    def bucket(self, bucket: str) -> Mapping[str, TagAt]:
        """The tags of a bucket as the newest table has them; one request, unless the table is in the entry that has the bucket."""
        if bucket not in self.held:
            table = self.base.index if self.base else None
            at = table.at.get(bucket, 0) if table else 0
            tags = self._holding(bucket, at) if at else {}
            self.held |= {bucket: {tag: each for tag, each in tags.items() if buckets.bucket(tag) == bucket}}
        return self.held[bucket]

    def every(self) -> dict[str, TagAt]:
        """All tags, sorted."""
        table = self.base.index if self.base else None
        found: dict[str, TagAt | None] = {}
        for holder in sorted(set(table.at.values())) if table else ():
            of = {bucket for bucket, at in table.at.items() if at == holder} if table else set()
            found |= {tag: at for tag, at in self._holding(min(of), holder).items() if buckets.bucket(tag) in of}
        found |= self.decided
        return {tag: at for tag, at in sorted(found.items()) if at is not None}

    def _holding(self, bucket: str, at: int) -> Mapping[str, TagAt]:
        """What entry ``at`` holds of the table."""
        assert self.base  # noqa: S101 — a bucket's place is read from it
        holder = self.base if at == self.base.seq else chain.entry(self.store, self.name, at)
        if holder.index is None or holder.index.at.get(bucket) != at:
            raise IntegrityError(
                f"entry {self.base.seq} of {self.name!r} in {self.store.address} says that entry {at} holds tags, which it does not: "
                "verify the registry"
            )
        return holder.index.tags


def read(store: Store, name: str, last: Entry | None, until: str | None = None) -> Tags:
    """The tags of a log that ends at ``last`` (None = there is none yet).

    A history without a table is read whole, or, given ``until``, up to the entry that decides that tag.
    """
    found = Tags(store, name)
    for entry in chain.backwards(store, name, last, by="tagged") if last else ():
        if entry.index is not None:
            found.base = entry
            break
        for tag in _named(entry):
            at = TagAt(entry.seq, entry.manifest, entry.time) if entry.kind in _NAMING else None
            found.decided.setdefault(tag, at)
        if until in found.decided:
            break
    return found


def find(store: Store, name: str, last: Entry, tag: str) -> Entry | None:
    """The entry a tag stands for, None when there is none or it was removed."""
    at = read(store, name, last, until=tag).get(tag)
    if at is None:
        return None
    entry = last if at.seq == last.seq else chain.entry(store, name, at.seq)
    if tag not in entry.tags or entry.manifest != at.manifest:
        raise IntegrityError(
            f"entry {at.seq} of {name!r} in {store.address} does not name {tag!r}, as the table of tags says: verify the registry"
        )
    return entry


def to_set(standing: Tags | None, wanted: tuple[str, ...], digest: str, *, move: bool) -> tuple[str, ...]:
    """The tags that an entry must name so that all ``wanted`` stand for ``digest``; ConflictError for a move nobody allowed."""
    now = {tag: at.manifest for tag in wanted if (at := standing.get(tag))} if standing else {}
    moved = [tag for tag in wanted if now.get(tag, digest) != digest]
    if moved and not move:
        raise ConflictError(
            f"tag {moved[0]!r} already stands for sha256:{now[moved[0]]}, not for this state (sha256:{digest}): "
            "choose another tag, or move it with --move-tag"
        )
    return tuple(tag for tag in wanted if now.get(tag) != digest)


def index(entry: Entry, last: Entry | None, standing: Tags | None) -> TagIndex | None:
    """The table of tags after ``entry``, which follows ``last``; ``standing`` are the tags at ``last``, needed if the entry names any.

    None where the log has none and the entry names no tags, or where there are too many to gather.
    """
    if not entry.tags:
        table = last.index if last else TagIndex({}, {})
        return TagIndex(table.at, {}) if table else None
    assert standing is not None  # noqa: S101 — whoever names tags has read those that stand
    if len(standing.decided) > _MOST_GATHERED:
        return None
    changed = standing.decided | dict.fromkeys(entry.tags, TagAt(entry.seq, entry.manifest, entry.time))
    touched = {buckets.bucket(tag) for tag in changed}
    held: dict[str, TagAt | None] = {tag: at for each in touched for tag, at in standing.bucket(each).items()}
    base = standing.base.index if standing.base else None
    at = {**(base.at if base else {}), **dict.fromkeys(touched, entry.seq)}
    return TagIndex(at, {tag: each for tag, each in (held | changed).items() if each})


def _named(entry: Entry) -> tuple[str, ...]:
    return entry.tags if entry.kind in _NAMING or entry.kind == "untag" else ()
