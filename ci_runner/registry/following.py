"""The next entry of a log: what it says of the ones before it, so that nobody need read them all."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ci_runner.model.registry import Entry
from ci_runner.registry import entries, keys, tags
from ci_runner.registry.chain import Head


def entry(head: Head | None, standing: tags.Tags | None, **facts: Any) -> Entry:
    """The entry of these ``facts`` after ``head`` (None = the first), as it will be stored.

    ``standing``: the tags at ``head``, needed when the entry names any.
    """
    last = head.last if head else None
    new = Entry(
        seq=last.seq + 1 if last else 1,
        prev=last.hash if last else keys.NO_ENTRY,
        hash="",
        latest=None if head is None or facts["kind"] in entries.STATES else head.latest,
        tagged=_bound(last, last.tagged, bool(last.tags)) if last else 0,
        yanked=_bound(last, last.yanked, last.kind == "yank") if last else 0,
        rewritten=_bound(last, last.rewritten, last.kind == "rewrite") if last else 0,
        **facts,
    )
    return entries.encode(replace(new, index=tags.index(new, last, standing)))


def _bound(last: Entry, said: int | None, is_one: bool) -> int:
    """The last entry of a sort, or one after it: ``last`` itself, or what it ``said``."""
    return last.seq if is_one or said is None else said
