"""Between a migration directory and a snapshot of it."""

from __future__ import annotations

from typing import Literal

from ci_runner import migrations
from ci_runner.errors import RefusedError
from ci_runner.model.directory import MigrationDir, Tree
from ci_runner.model.registry import Snapshot, SnapshotFile

Kind = Literal["up", "down", "repeatable", "aux"]


def snapshot(directory: MigrationDir) -> Snapshot:
    """Every file of the directory by its kind; RefusedError when a migration's bytes were not read."""
    kinds: dict[str, Kind] = dict.fromkeys(directory.files, "aux")
    kinds |= dict.fromkeys(directory.down, "down")
    kinds |= {
        migration.name: "repeatable" if migration.kind == "repeatable" else "up" for migration in directory.migrations
    }
    missing = sorted(kinds.keys() - directory.files.keys())
    if missing:
        raise RefusedError(
            f"{missing[0]!r} in {directory.path} was listed but not read: a push takes whole directories only"
        )
    files = tuple(SnapshotFile(name, kinds[name], bytes(directory.files[name])) for name in sorted(kinds))
    first_line = migrations.sum_text(directory).partition("\n")[0]
    return Snapshot(directory.dialect, directory.format, first_line, files)


def tree(snapshot: Snapshot, path: str) -> Tree:
    """The snapshot as a directory that was read from ``path`` (shown in messages)."""
    return Tree(path, {file.name: file.content for file in snapshot.files})
