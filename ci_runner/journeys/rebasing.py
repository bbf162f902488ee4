"""Rebase: give a branch's migrations versions behind those that its base branch gained meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from ci_runner import changes, migrations, sources
from ci_runner.config import Directory
from ci_runner.errors import ConflictError, HistoryError, SetupError, UsageError
from ci_runner.journeys import lint
from ci_runner.journeys.base import unread
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.merging import Merge, merged, tip
from ci_runner.journeys.reading import read
from ci_runner.migrations.renumber import renamed
from ci_runner.model.directory import MigrationDir
from ci_runner.model.report import Base
from ci_runner.sources import Git


class Rebased(Struct, frozen=True):
    """One directory: ``moves`` are old → new paths in it, ``missing`` the base branch's files that are not here yet."""

    dir: str
    moves: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def rebase(ground: Ground, onto: str | None, *, write: bool) -> list[Rebased]:
    """What to rename in every directory so that it runs after the branch ``onto`` (None = the one to merge into).

    With ``write`` the files are renamed and an atlas.sum is written anew. Raises UsageError where the branch is not known.
    """
    try:
        at = tip(ground, onto)
    except HistoryError as error:
        words = f"there is no branch {onto} in this clone, and it cannot be fetched: check its name (git branch --all)"
        raise HistoryError(words if onto else str(error)) from None
    if at is None or ground.git is None:
        raise UsageError("the branch to rebase onto is not known here: give --onto BRANCH")
    base = ground.git.merge_base("HEAD", at)
    return [_directory(ground, ground.git, wanted, (base, at), write=write) for wanted in ground.config.directories]


def _directory(ground: Ground, git: Git, wanted: Directory, commits: tuple[str, str], *, write: bool) -> Rebased:
    base, at = commits
    head = lint.folder(ground, wanted)
    cut = read(sources.at_commit(git, base, wanted.dir, like=unread(head)), wanted, head)
    merge = merged(git, at, wanted, changes.between(head, cut, Base("git", base)))
    moves = _moves(head, merge, ground)
    if write and moves:
        _move(ground.root / wanted.dir, moves)
        if migrations.SUM_FILE in head.files:
            summed = migrations.sum_text(lint.folder(ground, wanted))
            sources.write(ground.root / wanted.dir / migrations.SUM_FILE, summed.encode())
    missing = tuple(each.name for each in merge.theirs.migrations if each.name not in head.files)
    return Rebased(wanted.dir, tuple(moves.items()), missing)


def _moves(head: MigrationDir, merge: Merge, ground: Ground) -> dict[str, str]:
    """From the first file that collides on, all of the branch's move, so that their order stays."""
    new = [file.migration for file in merge.change.files if file.change in ("added", "renamed") and file.migration]
    own = [each for each in new if each.kind == "versioned"]
    first = next((at for at, each in enumerate(own) if each.name in merge.colliding), None)
    theirs = [each for each in merge.theirs.migrations if each.kind == "versioned"]
    if first is None or not theirs:
        return {}
    newest = (
        own[first - 1] if first else theirs[-1]
    )  # own files that collide with nothing run after all of the base branch's
    return renamed(own[first:], newest, head.files, form=head.format, now=ground.now())


def _move(folder: Path, moves: Mapping[str, str]) -> None:
    """Rename without ever writing over a file; folders that are left empty go."""
    taken = [new for new in moves.values() if new not in moves and (folder / new).exists()]
    if taken:
        raise ConflictError(f"{folder / taken[0]} is there already: nothing was renamed")
    left = dict(moves)
    while left:  # numbers move up: a name is free once the file that had it has moved
        for old in [old for old, new in left.items() if new not in left]:
            _rename(folder, old, left.pop(old))


def _rename(folder: Path, old: str, new: str) -> None:
    try:
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        (folder / old).rename(folder / new)
        above = (folder / old).parent
        if above != folder and not any(above.iterdir()):
            above.rmdir()
    except OSError as error:
        raise SetupError(f"{folder / old} cannot be renamed to {new}: {error.strerror or error}") from None
