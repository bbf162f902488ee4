"""Log entries: their bytes, and their strict reading."""

from __future__ import annotations

from typing import Any

from ci_runner.errors import IntegrityError, RefusedError
from ci_runner.model.registry import Entry, GitFacts, Latest
from ci_runner.registry import buckets, canonical, keys, manifests, names

KINDS = {"push", "rewrite", "tag", "untag", "yank", "note"}
STATES = {"push", "rewrite"}
"""The kinds that set ``latest``."""
LONGEST_TEXT = 1000
_MOST_DIFFERENCES = 1000


def encode(entry: Entry) -> Entry:
    """``entry`` with the ``raw`` bytes and ``hash`` it will have in a store; RefusedError when it grows over the cap."""
    value: dict[str, Any] = {
        "v": 1,
        "name": entry.name,
        "seq": entry.seq,
        "prev": entry.prev,
        "kind": entry.kind,
        "manifest": entry.manifest,
        "tags": list(entry.tags),
        "git": git_value(entry.git),
        "actor": dict(entry.actor),
        "time": entry.time,
        "id": entry.id,
    }
    if entry.latest:
        value["latest"] = {
            "seq": entry.latest.seq,
            "manifest": entry.latest.manifest,
            "git": git_value(entry.latest.git),
        }
    pointers = {"tagged": entry.tagged, "yanked": entry.yanked, "rewritten": entry.rewritten}
    value |= {key: seq for key, seq in pointers.items() if seq is not None}
    if entry.index is not None:
        value["index"] = buckets.value(entry.index)
    if entry.differences:
        value["differences"] = list(entry.differences)
    if entry.reason:
        value["reason"] = entry.reason
    raw = canonical.dumps(value)
    if len(raw) > keys.TEXT_LIMIT:
        raise RefusedError(
            f"the log entry takes {len(raw)} bytes, the limit is {keys.TEXT_LIMIT}: push with fewer tags or facts"
        )
    return decode(raw, entry.seq, entry.name)


def decode(raw: bytes, seq: int, name: str) -> Entry:
    """The entry in slot ``seq`` of the log of ``name``; IntegrityError when the bytes are no such entry, RefusedError for a newer version's."""
    what = f"log entry {seq}"
    value = canonical.loads(raw, what)
    _belongs(value, seq, name, what)
    return Entry(
        seq=seq,
        prev=value["prev"],
        kind=value["kind"],
        manifest=value["manifest"],
        tags=_tags(value.get("tags"), what),
        git=_parse_git(value.get("git"), what),
        actor=value["actor"],
        time=_text(value.get("time"), what),
        id=_text(value.get("id"), what),
        hash=canonical.sha256(raw),
        raw=raw,
        latest=_latest(value.get("latest"), seq, what),
        tagged=_pointer(value.get("tagged"), seq, what),
        yanked=_pointer(value.get("yanked"), seq, what),
        rewritten=_pointer(value.get("rewritten"), seq, what),
        index=buckets.parse(value.get("index"), seq, what),
        differences=_differences(value.get("differences", []), what),
        reason=_text(value.get("reason", ""), what),
        name=name,
    )


def _belongs(value: dict[str, Any], seq: int, name: str, what: str) -> None:
    """Refuse what is no entry of that slot and that log."""
    if not canonical.is_number(value.get("v"), 1):
        raise manifests.newer(what, value.get("v"))
    if not canonical.is_number(value.get("seq"), seq):
        raise IntegrityError(f"{what} is refused: it says that it is entry {str(value.get('seq'))[:20]!r}")
    if value.get("name") != name:
        raise IntegrityError(
            f"{what} is refused: it belongs to the directory {str(value.get('name'))[:80]!r}, not to {name!r} (names that differ only in upper "
            "and lower case on a store that takes them for the same, or a log that was moved)"
        )
    if (
        not canonical.is_sha256(value.get("prev"))
        or not canonical.is_sha256(value.get("manifest"))
        or str(value.get("kind")) not in KINDS
    ):
        raise IntegrityError(f"{what} is refused: it lacks a known kind or a hash")
    if not isinstance(value.get("actor"), dict):
        raise IntegrityError(f"{what} is refused: it does not say who wrote it")


def shorten(differences: tuple[str, ...]) -> tuple[str, ...]:
    """Differences as an entry keeps them: at most 1,000, of at most 1,000 characters each."""
    kept = tuple(text[:LONGEST_TEXT] for text in differences[: _MOST_DIFFERENCES - 1])
    more = len(differences) - len(kept)
    return (*kept, f"{more} more") if more else kept


def git_value(git: GitFacts) -> dict[str, str]:
    """Facts from Git as an entry spells them."""
    return {"repo": git.repo, "sha": git.sha, "ref": git.ref}


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise IntegrityError(f"{what} is refused: a text is missing or over {LONGEST_TEXT} characters")
    return value


def _tags(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(tag, str) and names.is_tag(tag) for tag in value):
        raise IntegrityError(f"{what} is refused: its tags are no list of tags")
    return tuple(value)


def _parse_git(value: Any, what: str) -> GitFacts:
    if not isinstance(value, dict):
        raise IntegrityError(f"{what} is refused: it has no facts from Git")
    return GitFacts(*(_text(value.get(key), what) for key in ("repo", "sha", "ref")))


def _latest(value: Any, seq: int, what: str) -> Latest | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not canonical.is_sha256(value.get("manifest")):
        raise IntegrityError(f"{what} is refused: what it calls latest is no entry")
    at = _number(value.get("seq"), seq, what)
    return Latest(at, value["manifest"], _parse_git(value.get("git"), what))


def _pointer(value: Any, seq: int, what: str) -> int | None:
    return None if value is None else _number(value, seq, what)


def _number(value: Any, below: int, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise IntegrityError(f"{what} is refused: it points to an entry that does not come before it")
    return value


def _differences(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_DIFFERENCES:
        raise IntegrityError(f"{what} is refused: its differences are no list, or over {_MOST_DIFFERENCES}")
    return tuple(_text(text, what) for text in value)
