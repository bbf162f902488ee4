"""A snapshot as it was right after one of its migrations."""

from __future__ import annotations

import re

from msgspec.structs import replace

from ci_runner import migrations
from ci_runner.errors import UsageError
from ci_runner.model.directory import MigrationDir
from ci_runner.model.registry import Snapshot, SnapshotFile
from ci_runner.registry import snapshots

_FLYWAY = re.compile(r"[VUB](.+?)__")
_NUMBER = re.compile(r"([^_.]+)")
_FIXED_LEAVES = {"up.sql", "down.sql"}


def after(snapshot: Snapshot, version: str, name: str) -> Snapshot:
    """``snapshot`` without the migrations that run after ``version``, their down files, and with the sum of what is left.

    UsageError when no forward migration has that version.
    """
    directory = _read(snapshot, name)
    order = [migration for migration in directory.migrations if migration.kind != "repeatable"]
    last = max((at for at, migration in enumerate(order) if migration.version == version), default=None)
    if last is None:
        newest = order[-1].version if order else "none"
        raise UsageError(
            f"{name!r} has no migration of version {version!r}: its newest is {newest}; `pilotage log {name}` lists states"
        )
    gone = {migration.name for migration in order[last + 1 :]} - {migration.name for migration in order[: last + 1]}
    stems = {_stem(later) for later in gone}
    gone |= {file.name for file in snapshot.files if file.kind == "down" and _stem(file.name) in stems}
    return _with_sum(replace(snapshot, files=tuple(file for file in snapshot.files if file.name not in gone)), name)


def _read(snapshot: Snapshot, name: str) -> MigrationDir:
    tree = snapshots.tree(snapshot, f"pilotage://{name}")
    return migrations.read(tree, format=snapshot.format, dialect=snapshot.dialect, sum_mode="off")


def _stem(name: str) -> str:
    """What a migration and its down file have in common: ``sub/3`` of ``sub/3_x.up.sql`` and ``sub/V3__x.sql``, ``3_x`` of ``3_x/down.sql``."""
    folder, _, leaf = name.rpartition("/")
    if leaf in _FIXED_LEAVES:
        return folder
    match = _FLYWAY.match(leaf) or _NUMBER.match(leaf)
    return f"{folder}/{match[1] if match else leaf}"


def _with_sum(snapshot: Snapshot, name: str) -> Snapshot:
    text = migrations.sum_text(_read(snapshot, name))
    files = tuple(
        SnapshotFile(file.name, file.kind, text.encode()) if file.name == migrations.SUM_FILE else file
        for file in snapshot.files
    )
    return replace(snapshot, sum=text.partition("\n")[0], files=files)
