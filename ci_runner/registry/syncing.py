"""Several stores as one registry: push to the primary, keep a push on a backup while it is down, bring all of them level again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from ci_runner.errors import ConflictError, IntegrityError, PilotageError, SetupError, TemporaryError, UsageError
from ci_runner.model.registry import Pushed, Source, Synced
from ci_runner.registry import chain, inbox, manifests, prefix, pushing, reading, replication
from ci_runner.registry.commit import Pause
from ci_runner.stores import Store
from ci_runner.text.counting import counted

T = TypeVar("T")


def push(primary: Store, backups: Sequence[Store], wanted: pushing.Request, pause: Pause) -> Pushed:
    """Push to the primary and bring the backups level; where the primary cannot be used, to the inbox of every backup that can.

    A failing backup is a warning. IntegrityError for a fork between stores, also after the commit: the message gives the head.
    """
    try:
        pushed = pushing.push(primary, wanted, pause, lambda: _refuse_lost(primary, backups, wanted.name))
    except (TemporaryError, SetupError) as error:
        return _detour(primary, backups, wanted, error, pause)
    if pushed.outcome == "diverged" or not backups:
        return pushed
    try:
        synced = sync(primary, backups, wanted.ancestry, pause, (wanted.name,))
    except (TemporaryError, SetupError) as error:
        synced = Synced({primary.address: "ok"} | {backup.address: f"failed: {error}" for backup in backups})
    except IntegrityError as error:
        raise IntegrityError(f"{error} (the push itself is complete: head {pushed.head})") from error
    behind = [
        f"the backup {address} may be behind: {state}" for address, state in synced.stores.items() if state != "ok"
    ]
    kept = [f"a push that a backup kept does not fit any more: {each}" for each in synced.kept]
    return replace(pushed, stores=synced.stores, warnings=(*pushed.warnings, *behind, *kept))


def _refuse_lost(primary: Store, backups: Sequence[Store], name: str) -> None:
    """IntegrityError when the primary has nothing of ``name`` and a backup has: a first push would begin a second history."""
    for backup in backups:
        try:
            there = chain.head(backup, name)
        except (TemporaryError, SetupError):
            continue
        if there and chain.head(primary, name) is None:
            entries = counted(there.last.seq, "entry", "entries")
            raise IntegrityError(
                f"{primary.address} has no directory {name!r}, but its backup {backup.address} has {entries}: the primary lost its data, is not "
                "mounted, or is another place than before. Nothing was pushed. Bring it back, or make the backup the registry's url and this "
                "place a backup, which the next push or sync fills"
            )


def _detour(
    primary: Store, backups: Sequence[Store], wanted: pushing.Request, error: PilotageError, pause: Pause
) -> Pushed:
    if not backups or wanted.allow_rewrite or (wanted.move_tag and wanted.tags):
        raise error
    states = {primary.address: f"failed: {error}"}
    failures: list[PilotageError] = [error]
    for backup in backups:
        try:
            known = _known(backup, wanted)
            if known.outcome == "diverged":
                return Pushed(
                    "diverged",
                    0,
                    wanted.digest,
                    "",
                    {backup.address: "ok"},
                    known.differences,
                    (),
                    known.reason,
                    degraded=True,
                )
            inbox.put(backup, wanted, pause)
            states[backup.address] = "inbox"
        except (TemporaryError, SetupError, IntegrityError) as failure:
            failures.append(failure)
            states[backup.address] = f"failed: {failure}"
    if "inbox" not in states.values():
        raise _nobody(failures)
    warning = (
        f"the primary cannot be used ({error}); backups keep this push until the next one, or a sync, brings it there"
    )
    return Pushed("ok", 0, wanted.digest, "", states, (), (warning,), degraded=True)


def _known(backup: Store, wanted: pushing.Request) -> prefix.Judgement:
    """The prefix rule against the backup's log, which is a beginning of the primary's: what diverges here diverges there."""
    head = chain.head(backup, wanted.name)
    if head is None:
        return prefix.Judgement("ok")
    latest = chain.manifest(backup, head.latest.manifest)
    return prefix.judge(latest, wanted.manifest, lambda: prefix.relate(head.latest.git, wanted.git, wanted.ancestry))


def _nobody(failures: Sequence[PilotageError]) -> PilotageError:
    """A missing right stays one only when nothing else was wrong anywhere."""
    text = "no store took the push: " + "; ".join(str(failure) for failure in failures)
    return SetupError(text) if all(isinstance(failure, SetupError) for failure in failures) else TemporaryError(text)


def sync(
    primary: Store,
    backups: Sequence[Store],
    ancestry: prefix.Ancestry,
    pause: Pause,
    names: Sequence[str] | None = None,
) -> Synced:
    """Bring pushes that wait in inboxes to the primary, then every backup level with it; of all directories, or of ``names``.

    Pushes that diverge, whose tag stands for another state by now, or whose files are damaged are kept where they are and named.
    IntegrityError for a fork.
    """
    states = {primary.address: "ok"}
    replayed, kept = set[str](), list[str]()
    for backup, each in _waiting(backups, names, states):
        fault = _replay(primary, backup, each, ancestry, pause)
        if fault is None:
            replayed.add(each.key)  # several backups may have kept the same push
            _discard(backup, each, states)
        else:
            kept.append(f"{each.key} in {backup.address}: {fault}")
    for backup in backups:
        try:
            for name in names or sorted({*chain.list_names(primary), *chain.list_names(backup)}):
                replication.replicate(primary, backup, name, pause)
            states.setdefault(backup.address, "ok")
        except (TemporaryError, SetupError) as error:
            states[backup.address] = f"failed: {error}"
    return Synced(states, len(replayed), tuple(kept))


def _waiting(
    backups: Sequence[Store], names: Sequence[str] | None, states: dict[str, str]
) -> list[tuple[Store, inbox.Waiting]]:
    """All waiting pushes of all backups, those with the fewest files first: what extends them comes after them."""
    found: list[tuple[int, str, Store, inbox.Waiting]] = []
    for backup in backups:
        try:
            for name in names or chain.list_names(backup):
                here = inbox.waiting(backup, name)
                found += [(len(chain.manifest(backup, each.manifest).files), each.time, backup, each) for each in here]
        except (TemporaryError, SetupError, IntegrityError) as error:
            states[backup.address] = f"failed: {error}"
    return [(backup, each) for _, _, backup, each in sorted(found, key=lambda item: item[:2])]


def _replay(primary: Store, backup: Store, each: inbox.Waiting, ancestry: prefix.Ancestry, pause: Pause) -> str | None:
    """Push a waiting push; why it must be kept, None when the primary's history has it now."""
    try:
        snapshot = reading.read(backup, each.manifest)
    except IntegrityError as error:
        return str(error)
    wanted = pushing.Request(
        name=each.name,
        snapshot=snapshot,
        manifest=manifests.of(snapshot),
        tags=each.tags,
        git=each.git,
        ancestry=ancestry,
        actor=each.actor,
        time=each.time,
        id=each.id,
        allow_rewrite=False,
        move_tag=False,
        keep=True,
    )
    try:
        pushed = pushing.push(primary, wanted, pause, lambda: _refuse_lost(primary, [backup], wanted.name))
    except ConflictError as error:
        return str(error)
    return pushed.reason if pushed.outcome == "diverged" else None


def _discard(backup: Store, each: inbox.Waiting, states: dict[str, str]) -> None:
    """The primary's history has it now; an entry that cannot be removed is harmless and found to be there already next time."""
    try:
        backup.discard(each.key)
    except (TemporaryError, SetupError) as error:
        states[backup.address] = f"failed: {error}"


def read(stores: Sequence[Store], name: str, action: Callable[[Store], T]) -> tuple[T, Source]:
    """``action`` on the first store that can answer, in the order given, and which one that was.

    Passed over are stores that cannot be reached, lack a right, hold damage, or know nothing of ``name`` while a later one does. What is
    wrong with the question itself (UsageError) is raised by the store that knows the name. With no answer at all, the first failure is raised.
    """
    failures: list[PilotageError] = []
    for store in stores:
        try:
            if len(stores) == 1 or chain.head(store, name):
                return action(store), Source(store.address, tuple(_passed(failures, store, name)))
        except (TemporaryError, SetupError, IntegrityError) as error:
            failures.append(error)
        else:
            failures.append(UsageError(f"{store.address} has no directory {name!r}"))
    if all(isinstance(failure, UsageError) for failure in failures):
        chain.existing(stores[0], name)
    raise next((failure for failure in failures if not isinstance(failure, UsageError)), failures[0])


def _passed(failures: Sequence[PilotageError], store: Store, name: str) -> list[str]:
    if not failures:
        return []
    lost = " (has the primary lost data? verify it)" if isinstance(failures[0], UsageError | IntegrityError) else ""
    try:
        count = len(inbox.waiting(store, name))
    except PilotageError:
        count = 0
    wait = [f"{counted(count, 'push', 'pushes')} in its inbox not yet part of it"] if count else []
    return [
        *(f"passed over: {failure}{lost}" for failure in failures),
        "a backup, which may be behind",
        *wait,
    ]
