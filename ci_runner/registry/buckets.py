"""The table of all tags that entries carry: its spelling in an entry, and its strict reading.

A tag belongs to one of 256 buckets. An entry that changes a bucket holds the whole of it, and every entry says which entry holds which,
so that any tag, or that there is none, is known by reading one entry more, however many pushes and tags came before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ci_runner.errors import IntegrityError
from ci_runner.model.registry import TagAt, TagIndex
from ci_runner.registry import canonical, names

_BUCKET = re.compile(r"[0-9a-f]{2}")
_LONGEST_TIME = 1000


def bucket(tag: str) -> str:
    """The bucket of a tag."""
    return canonical.sha256(tag.encode())[:2]


def value(index: TagIndex) -> dict[str, Any]:
    """The table as an entry spells it."""
    tags = {tag: {"seq": at.seq, "manifest": at.manifest, "time": at.time} for tag, at in index.tags.items()}
    return {"at": dict(index.at), "tags": tags}


def parse(found: Any, seq: int, what: str) -> TagIndex | None:
    """The table of entry ``seq``, None when it has none; IntegrityError for anything that entry could not have written."""
    if found is None:
        return None
    at, tags = (found.get("at"), found.get("tags")) if isinstance(found, dict) else (None, None)
    if not isinstance(at, dict) or not isinstance(tags, dict):
        raise IntegrityError(f"{what} is refused: its table of tags is none")
    for key, holder in at.items():
        if not _BUCKET.fullmatch(key) or not _is_seq(holder, seq):
            raise IntegrityError(f"{what} is refused: its table of tags points to no entry up to its own")
    return TagIndex(at, {tag: _tag(tag, each, at, seq, what) for tag, each in tags.items()})


def _tag(tag: str, found: Any, at: Mapping[str, int], seq: int, what: str) -> TagAt:
    if not names.is_tag(tag) or at.get(bucket(tag)) != seq:
        raise IntegrityError(f"{what} is refused: its table of tags holds {tag[:80]!r}, which does not belong there")
    try:
        known = msgspec.convert(found, TagAt, strict=True)
    except msgspec.ValidationError:
        known = None
    if (
        not known
        or not _is_seq(known.seq, seq)
        or not canonical.is_sha256(known.manifest)
        or len(known.time) > _LONGEST_TIME
    ):
        raise IntegrityError(f"{what} is refused: its table of tags does not say what {tag[:80]!r} stands for")
    return known


def _is_seq(number: Any, most: int) -> bool:
    return type(number) is int and 0 < number <= most
