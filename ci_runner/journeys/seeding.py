"""Seed: the SQL files whose rows the tables of a dev database hold when a change is watched."""

from __future__ import annotations

from ci_runner import sources
from ci_runner.config import Directory
from ci_runner.errors import RefusedError
from ci_runner.journeys.ground import Ground
from ci_runner.model.report import ChangeSet

MIB = 1024 * 1024
LIMIT = 64 * MIB  # characters of all seeds of a directory


def files(ground: Ground, wanted: Directory, changes: ChangeSet) -> tuple[tuple[str, str], ...]:
    """(path, text) of each seed file, in the order of their names.

    They belong to the schema before the change, so they are those of the commit it is compared with; where that has none, those of the
    working tree. RefusedError for more than is read, SetupError for a folder that is nowhere.
    """
    if not wanted.seeds or not changes.released:
        return ()  # before the first migration there is no table to put rows into
    base = changes.base
    found: tuple[tuple[str, str], ...] = ()
    if ground.git is not None and base.kind == "git" and base.ref:
        found = sources.texts_at(ground.git, base.ref, wanted.seeds, ".sql", "seeds")
    if not found and ground.git is not None and ground.commit is not None:
        found = sources.texts_at(ground.git, ground.git.ensure_commit(ground.commit), wanted.seeds, ".sql", "seeds")
    elif not found:
        found = sources.texts(ground.root, wanted.seeds, ".sql", "seeds")
    size = sum(len(text) for _, text in found)
    if size > LIMIT:
        raise RefusedError(
            f"seeds: {wanted.seeds} holds {size // MIB} MiB, more than the {LIMIT // MIB} MiB that are run"
        )
    return found
