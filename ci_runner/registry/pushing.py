"""Push: compare with the head, write blobs and manifest, claim the next slot of the log, read it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec.structs import replace

from ci_runner.errors import ConflictError, IntegrityError, PilotageError, TemporaryError
from ci_runner.model.registry import Entry, GitFacts, Manifest, Pushed, Snapshot
from ci_runner.registry import chain, commit, entries, following, keys, manifests, names, prefix, tags
from ci_runner.registry.commit import Pause
from ci_runner.stores import Store

_OK = prefix.Judgement("ok")


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a push wants, checked; the same through all its rounds."""

    name: str
    snapshot: Snapshot
    manifest: Manifest
    tags: tuple[str, ...]
    git: GitFacts
    ancestry: prefix.Ancestry
    actor: Mapping[str, Any]
    time: str
    id: str
    allow_rewrite: bool
    move_tag: bool
    keep: bool = False
    """Write a note on a stale state that the history does not have, because somebody was told that it is kept."""

    @property
    def digest(self) -> str:
        """The state's digest as people see it."""
        return f"sha256:{self.manifest.digest}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a push does on the head it found: ``entry`` is the one to commit (None = nothing), ``there`` hashes the store has."""

    outcome: Literal["ok", "noop", "stale", "diverged"]
    head: chain.Head | None
    entry: Entry | None = None
    there: frozenset[str] = frozenset()
    judgement: prefix.Judgement = _OK


def request(
    name: str,
    snapshot: Snapshot,
    *,
    tags: Iterable[str],
    git: GitFacts,
    ancestry: prefix.Ancestry,
    actor: Mapping[str, Any],
    clock: Callable[[], datetime],
    nonce: Callable[[], str],
    allow_rewrite: bool,
    move_tag: bool,
) -> Request:
    """Check what a push wants before anything is read or written; UsageError and RefusedError as names and manifests raise them."""
    return Request(
        name=names.check_name(name),
        snapshot=snapshot,
        manifest=manifests.of(snapshot),
        tags=names.check_tags(tags),
        git=GitFacts(git.repo[: entries.LONGEST_TEXT], git.sha, git.ref[: entries.LONGEST_TEXT]),
        ancestry=ancestry,
        actor=actor,
        time=clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        id=nonce(),
        allow_rewrite=allow_rewrite,
        move_tag=move_tag,
    )


def push(store: Store, wanted: Request, pause: Pause, before_first: Callable[[], None] = lambda: None) -> Pushed:
    """One push into one store, by the commit protocol; ``before_first`` may refuse a push that would be the first of its name.

    Concurrent pushes get one order: whoever finds its slot taken compares again with what took it. IntegrityError when the store
    does not give back what it accepted; TemporaryError when it cannot be used now, and then nothing acknowledged is lost.
    """
    for repetition in range(commit.ROUNDS):
        plan = _plan(store, wanted, repetition)
        if plan.entry is None:
            return _found(store, wanted, plan)
        if plan.head is None:
            before_first()
        _prepare(store, wanted, plan, pause)
        slot = keys.slot(wanted.name, plan.entry.seq)
        if commit.settle(store, slot, plan.entry.raw, pause) == plan.entry.raw:
            return _committed(store, wanted, plan, plan.entry)
        pause(repetition)
    raise TemporaryError(
        f"other pushes to {wanted.name!r} in {store.address} came first {commit.ROUNDS} times: push again"
    )


def _plan(store: Store, wanted: Request, repetition: int) -> _Plan:
    """What to do on the end of the log.

    At first the entry that the hint knows of is taken for it. If that leads to an entry to write, claiming the slot after it shows whether
    more came meanwhile, which a request would only guess at; if to none, the end is looked for.
    """
    near = chain.hinted(store, wanted.name) if repetition == 0 else None
    if near is None:
        return _plan_on(store, wanted, chain.head(store, wanted.name))
    try:
        plan = _plan_on(store, wanted, near)
    except ConflictError:
        plan = None
    if plan and plan.entry:
        return plan
    head = chain.head(store, wanted.name, near)
    return plan if plan and head is near else _plan_on(store, wanted, head)


def _plan_on(store: Store, wanted: Request, head: chain.Head | None) -> _Plan:
    digest = wanted.manifest.digest
    standing = tags.read(store, wanted.name, head.last if head else None) if wanted.tags else None
    if head is None:
        return _Plan("ok", None, _entry(wanted, None, standing, "push", wanted.tags))
    judgement, there = _judge(store, wanted, head)
    if judgement.outcome == "diverged" and not wanted.allow_rewrite:
        return _Plan("diverged", head, judgement=judgement)
    to_set = tags.to_set(standing, wanted.tags, digest, move=wanted.move_tag)
    if judgement.outcome == "diverged":
        entry = _entry(wanted, head, standing, "rewrite", wanted.tags, judgement.differences)
        return _Plan("ok", head, entry, there, judgement)
    if judgement.outcome == "ok":
        return _Plan("ok", head, _entry(wanted, head, standing, "push", wanted.tags), there, judgement)
    if to_set:
        return _Plan(judgement.outcome, head, _entry(wanted, head, standing, "tag", to_set), there, judgement)
    if wanted.keep and all(entry.manifest != digest for entry in chain.backwards(store, wanted.name, head.last)):
        return _Plan(judgement.outcome, head, _entry(wanted, head, standing, "note", ()), there, judgement)
    return _Plan(judgement.outcome, head, None, there, judgement)


def _judge(store: Store, wanted: Request, head: chain.Head) -> tuple[prefix.Judgement, frozenset[str]]:
    """The prefix rule against the latest state, and the hashes of the files that the store has."""
    if head.latest.manifest == wanted.manifest.digest:
        return prefix.Judgement("noop"), frozenset()
    latest = chain.manifest(store, head.latest.manifest)
    judgement = prefix.judge(
        latest, wanted.manifest, lambda: prefix.relate(head.latest.git, wanted.git, wanted.ancestry)
    )
    return judgement, frozenset(file.sha256 for file in latest.files)


def _entry(
    wanted: Request,
    head: chain.Head | None,
    standing: tags.Tags | None,
    kind: str,
    to_set: tuple[str, ...],
    differences: tuple[str, ...] = (),
) -> Entry:
    return following.entry(
        head,
        standing,
        name=wanted.name,
        kind=kind,
        manifest=wanted.manifest.digest,
        tags=to_set,
        git=wanted.git,
        actor=wanted.actor,
        time=wanted.time,
        id=wanted.id,
        differences=entries.shorten(differences),
    )


def _prepare(store: Store, wanted: Request, plan: _Plan, pause: Pause) -> None:
    """Everything the entry will point to is there before the entry is."""
    commit.put_format(store, pause)
    if plan.head is None:
        names.check_collision(wanted.name, store.folders(keys.DIRS))
    if plan.outcome != "noop":
        commit.put_state(store, wanted.snapshot, wanted.manifest, plan.there, pause)


def _committed(store: Store, wanted: Request, plan: _Plan, entry: Entry) -> Pushed:
    """From here on the push has happened: nothing but a store that lies can make it fail."""
    warnings = [*_hint(store, wanted.name, entry.seq), *_read_back(store, wanted, entry)]
    result = Pushed(
        plan.outcome, entry.seq, wanted.digest, f"{entry.seq}:{entry.hash}", {store.address: "ok"}, entry.differences
    )
    reason = plan.judgement.reason if plan.outcome == "stale" else ""
    return replace(result, warnings=tuple(warnings), reason=reason, tagged=entry.tags)


def _hint(store: Store, name: str, seq: int) -> list[str]:
    try:
        store.put_hint(keys.hint(name), str(seq).encode())
    except PilotageError as error:
        return [f"the push is complete, but its hint was not written, so the next one reads more: {error}"]
    return []


def _read_back(store: Store, wanted: Request, entry: Entry) -> list[str]:
    expected = {keys.slot(wanted.name, entry.seq): entry.raw, keys.blob(wanted.manifest.digest): wanted.manifest.raw}
    try:
        for key, content in expected.items():
            if store.get(key, keys.TEXT_LIMIT) != content:
                raise IntegrityError(
                    f"{store.address} accepted {key} but does not give it back: it lets two writers win, or loses data; "
                    "do not use it for a registry, and verify this one"
                )
    except TemporaryError as error:
        return [f"the push is complete, but could not be read back: {error}"]
    return []


def _found(store: Store, wanted: Request, plan: _Plan) -> Pushed:
    """The answer of a push that had nothing to write."""
    assert plan.head is not None  # noqa: S101 — without a head there is always an entry to write
    head, judgement = plan.head, plan.judgement
    reason = judgement.reason
    if plan.outcome == "diverged" and prefix.relate(head.latest.git, wanted.git, wanted.ancestry) == "unknown":
        reason = f"{reason} {prefix.git_hint(head.latest, wanted.git)}"
    return Pushed(
        plan.outcome,
        head.latest.seq,
        wanted.digest,
        head.text,
        {store.address: "ok"},
        judgement.differences,
        (),
        reason,
    )
