"""What a change does to a migration directory: files added, edited, removed or renamed against a base."""

from __future__ import annotations

from collections.abc import Iterable

from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.report import Base, ChangedFile, ChangeSet

_EMPTY_ONLY = {"checkpoint", "baseline"}


def between(head: MigrationDir, base: MigrationDir | None, ref: Base) -> ChangeSet:
    """Head against base, changed files in execution order; without a base every file is added.

    A file with the bytes of one that is gone is renamed. A repeatable file is made to be edited, and a file that stays in the
    directory unread (a version below a new baseline) is not removed.
    """
    before = {migration.name: migration for migration in base.migrations} if base else {}
    gone = _gone(head, before)
    sources = {migration.sha256: migration for migration in reversed(gone)}
    last = _last_released(head, before)
    changed: dict[str, ChangedFile] = {}
    moved: set[str] = set()
    for index, migration in enumerate(head.migrations):
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
    changed = {file.name: file for file in change.files}
    cut = _cut(change.head, changed)
    rest = [each for index, each in enumerate(change.head.migrations) if index >= cut or each.name in changed]
    first = rest[0] if rest and not change.released else None
    return tuple(each for each in rest if each is first or each.kind not in _EMPTY_ONLY)


def _gone(head: MigrationDir, before: dict[str, Migration]) -> list[Migration]:
    here = {migration.name for migration in head.migrations} | set(head.skipped)
    return [migration for name, migration in before.items() if name not in here]


def _last_released(head: MigrationDir, before: dict[str, Migration]) -> int:
    """The index of the last versioned file of head that the base has too; -1 when there is none."""
    known = (i for i, m in enumerate(head.migrations) if m.name in before and m.kind == "versioned")
    return max(known, default=-1)


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
    released: list[Migration] = []
    for migration in head.migrations[: _cut(head, changed)]:
        if migration.name in changed:
            continue
        if migration.kind == "checkpoint":
            released.clear()
        released.append(migration)
    return tuple(released)


def _cut(head: MigrationDir, changed: dict[str, ChangedFile]) -> int:
    """The index of the first file of head that was edited or renamed; the number of files when none was."""
    marks = (i for i, m in enumerate(head.migrations) if m.name in changed and changed[m.name].before is not None)
    return next(marks, len(head.migrations))
