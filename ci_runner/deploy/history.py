"""What a database remembers held against the files of today: edited, removed, in doubt, drifted, an older registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ci_runner.deploy.compare import diff
from ci_runner.deploy.hashes import SCHEME, file_hash, text_hash
from ci_runner.deploy.keys import key
from ci_runner.deploy.options import Options
from ci_runner.errors import ConflictError, DoubtError
from ci_runner.model.deploy import DirState, Revision, RevisionKind
from ci_runner.model.directory import Migration, MigrationDir

_MOST = 10
_UNVERSIONED = frozenset({"baseline", "adopted", "manual"})


def refuse_doubt(revisions: Sequence[Revision], options: Options) -> None:
    """DoubtError while a statement's effect is not known."""
    for row in revisions:
        if row.state == "in_doubt":
            raise DoubtError(doubt(row, options.dir))


def doubt(row: Revision, directory: str) -> str:
    """What is known of a statement in doubt, and the three commands one of which settles it."""
    number = row.intent_statement or row.statements_done + 1
    where = f"{directory} --to URL --reason '…'"
    return (
        f"{row.name}: statement {number} of {row.statements_total} was begun and nobody saw how it ended"
        f"{f' ({row.error})' if row.error else ''}. Look at the database, then say what happened:\n"
        f"  pilotage resolve --applied {where}      it took effect: go on behind it\n"
        f"  pilotage resolve --not-applied {where}  it did not: run it again\n"
        f"  pilotage resolve --rerun {where}        run the whole file again from its first statement"
    )


def verify(mdir: MigrationDir, applied: Mapping[str, Revision], options: Options) -> list[str]:
    """Warnings about applied files; ConflictError for those edited or removed since."""
    changed, endings = edited(mdir, applied)
    if changed:
        shown = [
            f"{m.name} was edited after it was applied ({r.finished_at or 'time not known'}):\n"
            + diff(m.name, options.applied_bytes(r), mdir.files[m.name])
            for m, r in changed[:_MOST]
        ]
        more = f"\nand {len(changed) - _MOST} more files" if len(changed) > _MOST else ""
        raise ConflictError(
            "\n".join(shown) + more + "\nPut the file back as it was and make the change in a new migration"
        )
    gone = missing(mdir, applied, options)
    if gone:
        names = ", ".join(row.name for row in gone[:_MOST]) + (
            f" and {len(gone) - _MOST} more" if len(gone) > _MOST else ""
        )
        raise ConflictError(
            f"applied to this database and not in {mdir.path}: {names}. If that is an older state, deploy a newer one or go back with "
            "'pilotage down'; if files were removed, put them back"
        )
    return [
        f"{name}: only line endings differ from what was applied; write '*.sql text eol=lf' into .gitattributes"
        for name in endings
    ]


def edited(mdir: MigrationDir, applied: Mapping[str, Revision]) -> tuple[list[tuple[Migration, Revision]], list[str]]:
    """Applied files that are others now, and the names of those in which only line endings are."""
    changed, endings = [], []
    for migration in mdir.migrations:
        row = applied.get(key(migration))
        if row is None or row.file_hash in ("", SCHEME + migration.sha256) or row.kind == "repeatable":
            continue
        if text_hash(mdir.files[migration.name]) == row.text_hash:
            endings.append(migration.name)
        else:
            changed.append((migration, row))
    return changed, endings


def missing(mdir: MigrationDir, applied: Mapping[str, Revision], options: Options) -> list[Revision]:
    """Rows without a file, where neither a checkpoint nor a rewrite in the registry says why."""
    if any(each.kind in {"checkpoint", "baseline"} for each in mdir.migrations):
        return []
    files = {key(each) for each in mdir.migrations}
    gone = [row for version, row in applied.items() if version not in files and row.kind not in _UNVERSIONED]
    return [row for row in gone if row.kind != "repeatable" and not options.explained(row.name)]


def known(mdir: MigrationDir, migration: Migration, options: Options, kind: RevisionKind, position: int) -> Revision:
    """The row of a migration whose effect the database holds already."""
    data = mdir.files[migration.name]
    return Revision(
        dir=options.dir,
        version=key(migration),
        position=position,
        name=migration.name,
        description=migration.description,
        kind=kind,
        file_hash=file_hash(data),
        text_hash=text_hash(data),
        run_id=options.run_id,
        tool_version=options.tool_version,
        actor=options.actor,
    )


def drift(state: DirState | None, objects: Mapping[str, str]) -> tuple[str, ...]:
    """Objects that are not what the last deployment left, as "table users changed"; none where nothing was remembered."""
    if state is None or not state.fingerprint:
        return ()
    before = state.objects
    found = [f"{name} removed" for name in before if name not in objects]
    found += [f"{name} added" for name in objects if name not in before]
    found += [f"{name} changed" for name, digest in before.items() if objects.get(name, digest) != digest]
    return tuple(sorted(found))
