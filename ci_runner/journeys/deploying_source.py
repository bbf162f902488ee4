"""Where the files of a deployment come from: the registry with its backups, a folder, or a commit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_runner import aside, deploy, migrations, sources
from ci_runner.config import Directory
from ci_runner.errors import ConfigError, HistoryError, PilotageError, UsageError
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.soundness import sound
from ci_runner.model.deploy import Origin, Revision
from ci_runner.model.directory import MigrationDir, Tree
from ci_runner.model.registry import Entry, Snapshot
from ci_runner.sql import normalize_dialect

if TYPE_CHECKING:
    from ci_runner import stores


class Wanted(Struct, frozen=True):
    """What is to be deployed: ``reference`` in the registry, else the folder ``directory``, else that folder in ``commit``.

    Without ``digest`` a folder's state is given none: who only looks need not hash every file.
    """

    directory: Directory
    reference: str | None = None
    commit: str | None = None
    name: str | None = None
    require_primary: bool = False
    digest: bool = True


class Found(Struct, frozen=True):
    """The files, the name they are remembered by, and the questions only their registry answers."""

    name: str
    source: deploy.Source
    in_chain: Callable[[str], bool]
    explained: Callable[[str], bool]
    applied_bytes: Callable[[Revision], bytes | None]


def find(ground: Ground, wanted: Wanted, dialect: str, folder: Callable[[], MigrationDir] | None = None) -> Found:
    """The files; a folder that says no dialect is read in that of the database. ConflictError for a directory that is not sound.

    ``folder`` is what :func:`reading` began; read in another dialect than the database turned out to have, it is read once more.
    """
    if wanted.reference is not None:
        return _registered(ground, wanted, dialect)
    if wanted.commit is not None:
        return _committed(ground, wanted, dialect)
    mdir = folder() if folder else None
    if mdir is None or mdir.dialect != normalize_dialect(wanted.directory.dialect or dialect):
        mdir = _folder(ground, wanted, dialect)
    return _local(ground, wanted, mdir, "local", wanted.directory.dir)


def reading(ground: Ground, wanted: Wanted, dialect: str) -> Callable[[], MigrationDir] | None:
    """The folder that is wanted, being read in a dialect while something else is done; None where no folder is."""
    if wanted.reference is not None or wanted.commit is not None:
        return None
    return aside.begun(partial(_folder, ground, wanted, dialect), MigrationDir)


def name_of(wanted: Wanted) -> str:
    """The name that what lies in a folder or a commit is remembered by."""
    return wanted.name or wanted.directory.name


def _folder(ground: Ground, wanted: Wanted, dialect: str) -> MigrationDir:
    tree = sources.folder(ground.root / wanted.directory.dir, root=ground.root, shown=wanted.directory.dir)
    return _read(tree, wanted.directory, dialect)


def _committed(ground: Ground, wanted: Wanted, dialect: str) -> Found:
    if ground.git is None:
        raise UsageError(f"--commit {wanted.commit}: {ground.root} is not in a Git repository")
    try:
        commit = ground.git.ensure_commit(wanted.commit or "HEAD")
    except HistoryError:
        raise HistoryError(
            f"there is no commit {wanted.commit} in this clone, and it cannot be fetched: check its name, or check out the whole history"
        ) from None
    tree = sources.at_commit(ground.git, commit, wanted.directory.dir)
    if not tree.files:
        raise UsageError(f"{wanted.directory.dir} holds no migration in commit {commit[:12]}: check --dir")
    return _local(ground, wanted, _read(tree, wanted.directory, dialect), "git", f"{wanted.directory.dir}@{commit}")


def _read(tree: Tree, directory: Directory, dialect: str) -> MigrationDir:
    return migrations.read(
        tree,
        format=directory.dir_format,
        dialect=directory.dialect or dialect,
        tx_mode=directory.tx_mode,
        sum_mode=directory.sum,
        directives_lenient=directory.directives == "lenient",
    )


def _local(ground: Ground, wanted: Wanted, mdir: MigrationDir, kind: str, address: str) -> Found:
    sound(mdir)
    name = name_of(wanted)
    digest = _digest(mdir) if wanted.digest else ""
    origin = Origin("git" if kind == "git" else "local", digest, address)
    return Found(
        name, deploy.Source(mdir, origin), lambda _head: True, lambda _name: False, partial(_once, ground, wanted, name)
    )


def _digest(mdir: MigrationDir) -> str:
    from ci_runner import registry

    return registry.digest(registry.snapshot(mdir))


def _registered(ground: Ground, wanted: Wanted, dialect: str) -> Found:
    from ci_runner import registry
    from ci_runner.journeys.versions import every_store

    asked = registry.parse_reference(wanted.reference or "")
    open_stores = every_store(ground)
    usable = open_stores[:1] if wanted.require_primary else open_stores

    def bring(store: stores.Store) -> tuple[Snapshot, Entry, str, stores.Store]:
        return *registry.deployable(store, asked), store

    (snapshot, entry, head, store), source = registry.read(usable, asked.name, bring)
    for warning in source.warnings:
        ground.note(f"read from {source.address}: {warning}")
    origin = Origin("registry", registry.digest(snapshot), store.address, entry.seq, head)
    tree = registry.tree(snapshot, f"pilotage://{asked.name}")
    mdir = migrations.read(
        tree,
        format=snapshot.format,
        dialect=_spoken(ground, snapshot, asked.name, wanted.directory, dialect),
        tx_mode=wanted.directory.tx_mode,
        sum_mode="optional",
        directives_lenient=wanted.directory.directives == "lenient",
    )
    sound(mdir)
    return Found(
        asked.name,
        deploy.Source(mdir, origin),
        lambda head: registry.holds(store, asked.name, head),
        lambda name: name in registry.taken_away(store, asked.name),
        partial(_bytes, ground, asked.name),
    )


def _spoken(ground: Ground, snapshot: Snapshot, name: str, directory: Directory, database: str) -> str:
    """The dialect to read in: a push that was told none says postgres where nothing in the files spoke for another.

    What pilotage.yml says of a directory of another name does not count where the push knew better.
    """
    said = ":" not in ground.config.sources.get("dialect", ":")  # by a flag or a variable, not by a line of a file
    if directory.dialect and (said or directory.name == name or snapshot.dialect == "postgres"):
        return directory.dialect
    return database if snapshot.dialect == "postgres" else snapshot.dialect


def _once(ground: Ground, wanted: Wanted, name: str, row: Revision) -> bytes | None:
    """What a row was made of: as the registry kept it, else as a commit has it."""
    found = _bytes(ground, name, row)
    if found is not None or ground.git is None:
        return found
    from ci_runner.journeys.applied_bytes import committed

    return committed(ground.git, ground.root / wanted.directory.dir / row.name, row)


def _bytes(ground: Ground, name: str, row: Revision) -> bytes | None:
    """What a row was made of, from the first store that has it; a diff is a help, so no failure here is one."""
    if not row.digest:
        return None
    from ci_runner import registry
    from ci_runner.journeys.versions import every_store

    try:
        found, _ = registry.read(
            every_store(ground), name, lambda store: registry.applied_bytes(store, row.digest, row.name)
        )
    except (ConfigError, PilotageError):
        return None
    return found
