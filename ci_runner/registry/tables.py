"""Recomputing the table of tags from the entries that name them, to hold what entries say of it against that."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from ci_runner.model.registry import Entry, TagAt, TagIndex
from ci_runner.registry import buckets

_NAMING = {"push", "rewrite", "tag"}


@dataclass(slots=True)
class Table:
    """The tags by bucket as far as the log was followed, when each bucket changed last, and which entries hold which buckets as they were."""

    seq: int = 0
    tags: dict[str, dict[str, TagAt]] = field(default_factory=lambda: defaultdict(dict))
    changed: dict[str, int] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)

    def follow(self, entry: Entry) -> str:
        """Take the next entry; what its table says wrongly, "" for nothing. After a gap in the log nothing can be said any more."""
        gap, self.seq = entry.seq != self.seq + 1, entry.seq if entry.seq == self.seq + 1 else -1
        if gap:
            return ""
        for tag in entry.tags if entry.kind in _NAMING or entry.kind == "untag" else ():
            self._name(tag, entry)
        return self._held(entry.index, entry.seq) if entry.index else ""

    def _name(self, tag: str, entry: Entry) -> None:
        bucket = buckets.bucket(tag)
        self.changed[bucket] = entry.seq
        if entry.kind == "untag":
            self.tags[bucket].pop(tag, None)
        else:
            self.tags[bucket][tag] = TagAt(entry.seq, entry.manifest, entry.time)

    def _held(self, index: TagIndex, seq: int) -> str:
        """A bucket is right where it was held right before and has not changed since, or where this entry holds what it should."""
        own = {bucket for bucket, at in index.at.items() if at == seq}
        known = self.holders | dict.fromkeys(own, seq)
        if index.at != known:
            wrong = min(bucket for bucket, _ in index.at.items() ^ known.items())
            return f"its table of tags points to the wrong entry for bucket {wrong}"
        stale = sorted(
            bucket for bucket, at in self.changed.items() if self.holders.get(bucket, 0) < at and bucket not in own
        )
        if stale:
            return f"its table of tags leaves out what entry {self.changed[stale[0]]} names"
        self.holders = known
        if index.tags != {tag: at for bucket in own for tag, at in self.tags[bucket].items()}:
            return "its table of tags does not hold what the entries before it name"
        return ""
