"""What a change does to a migration directory: files added, edited, removed or renamed against a base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import is_

from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.report import Base, ChangedFile, ChangeSet

_EMPTY_ONLY = {"checkpoint", "baseline"}


def between(head: MigrationDir, base: MigrationDir | None, ref: Base) -> ChangeSet:
    """Head against base, changed files in execution order; without a base every file is added.

    A file with the bytes of one that is gone is renamed. A repeatable file is made to be edited, and a file that stays in the
    directory unread (a version below a new baseline) is not removed.
    """
    run, was_run = head.migrations, base.migrations if base else ()
    same = [*map(is_, run, was_run)]  # what was not read again for the base is the same object in both
    common = same.index(False) if False in same else len(same)
    before = {migration.name: migration for migration in was_run[common:]}
    gone = _gone(head, before)
    sources = {migration.sha256: migration for migration in reversed(gone)}
    last = _last_released(run, before, common)
    changed: dict[str, ChangedFile] = {}
    moved: set[str] = set()
    for index, migration in enumerate(run[common:], common):
        was = before.get(migration.name)
        if was is not None:
            if was is not migration and was.sha256 != migration.sha256:
                changed[migration.name] = ChangedFile(migration.name, "edited", migration, was)
            continue
        old = sources.pop(migration.sha256, None)
        late = index < last and migration.kind == "versioned"
        if old is not None:
            moved.add(old.name)
            changed[migration.name] = ChangedFile(migration.name, "renamed", migration, old, late)
        else:
            changed[migration.name] = ChangedFile(migration.name, "added", migration, None, late)
    removed = [migration for migration in gone if migration.name not in moved]
    files = _in_order(head, base, changed, removed)
    return ChangeSet(head, ref, files, _released(head, changed))


def latest(head: MigrationDir, count: int) -> ChangeSet:
    """The newest ``count`` files that are not repeatable as if they were new."""
    run = [migration for migration in head.migrations if migration.kind != "repeatable"]
    new = run[max(0, len(run) - count) :]
    changed = {migration.name: ChangedFile(migration.name, "added", migration) for migration in new}
    return ChangeSet(head, Base("latest", str(count)), tuple(changed.values()), _released(head, changed))


def everything(head: MigrationDir) -> ChangeSet:
    """Every file as if it were new."""
    return between(head, None, Base("all"))


def following(change: ChangeSet) -> tuple[Migration, ...]:
    """What to run after ``released``, in order: the changed files, and the unchanged ones behind the first edited one.

    Files for empty databases (checkpoint, baseline) are left out unless they are the first to run at all.
    """
    end = change.head.migrations[_cut(change.head, {file.name: file for file in change.files}) :]
    behind = {each.name for each in end}
    rest = [*(file.migration for file in change.files if file.migration and file.name not in behind), *end]
    first = rest[0] if rest and not change.released else None
    return tuple(each for each in rest if each is first or each.kind not in _EMPTY_ONLY)


def _gone(head: MigrationDir, before: dict[str, Migration]) -> list[Migration]:
    if not before:
        return []
    here = {migration.name for migration in head.migrations} | set(head.skipped)
    return [migration for name, migration in before.items() if name not in here]


def _last_released(run: Sequence[Migration], before: Mapping[str, Migration], common: int) -> int:
    """The index of the last versioned file of head that is of its ``common`` beginning or in what the base has ``before``; -1 if none is."""
    known = (i for i in range(len(run) - 1, -1, -1) if i < common or run[i].name in before)
    return next((i for i in known if run[i].kind == "versioned"), -1)


def _in_order(
    head: MigrationDir, base: MigrationDir | None, changed: dict[str, ChangedFile], removed: Iterable[Migration]
) -> tuple[ChangedFile, ...]:
    """Changed files in head's order, each removed one before the file that followed it in the base."""
    missing = {migration.name: migration for migration in removed}
    if not missing:
        return tuple(changed.values())  # found in head's order
    places = {migration.name: index for index, migration in enumerate(head.migrations)}
    keyed = [((places[name], 1), file) for name, file in changed.items()]
    place = len(places)
    for migration in reversed(base.migrations if base else ()):
        if migration.name in missing:
            keyed.append(((place, 0), ChangedFile(migration.name, "removed", None, migration)))
        else:
            place = places.get(migration.name, place)
    ordered = sorted(range(len(keyed)), key=lambda i: (keyed[i][0], -i if keyed[i][0][1] == 0 else i))
    return tuple(keyed[i][1] for i in ordered)


def _released(head: MigrationDir, changed: dict[str, ChangedFile]) -> tuple[Migration, ...]:
    """What databases have run before they meet the change, from the newest checkpoint on.

    Those are all unchanged files: an added file runs after them wherever it sorts. An edited or renamed file has run at its place, so
    that files behind it may need it, and the row of released files ends there.
    """
    released = [each for each in head.migrations[: _cut(head, changed)] if each.name not in changed]
    kinds = [each.kind for each in reversed(released)]
    newest = len(kinds) - 1 - kinds.index("checkpoint") if "checkpoint" in kinds else 0
    return tuple(released[newest:])


def _cut(head: MigrationDir, changed: dict[str, ChangedFile]) -> int:
    """The index of the first file of head that was edited or renamed; the number of files when none was."""
    marks = {file.name for file in changed.values() if file.before is not None}
    places = (i for i, m in enumerate(head.migrations) if m.name in marks) if marks else iter(())
    return next(places, len(head.migrations))
