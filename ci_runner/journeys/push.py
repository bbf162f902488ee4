"""Push: check the directory, replay it where a dev database is configured, put it into the registry."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from ci_runner import changes, registry
from ci_runner.config import Directory
from ci_runner.errors import CheckError, ConfigError, PilotageError, UsageError
from ci_runner.journeys import lint, oracle, publishing
from ci_runner.journeys.acting import actor
from ci_runner.journeys.facts import facts
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.soundness import sound
from ci_runner.journeys.versions import ancestry, every_store
from ci_runner.model.directory import MigrationDir
from ci_runner.model.registry import Pushed


def every(
    ground: Ground, ended: Callable[[str, Pushed | PilotageError], None] = lambda _name, _result: None
) -> list[tuple[str, Pushed]]:
    """Push every configured directory under its own name; ``ended`` hears what became of each, also of the one that failed."""
    done = []
    for wanted in ground.config.directories:
        try:
            pushed = directory(ground, wanted, wanted.name, ())
        except PilotageError as error:
            ended(wanted.name, error)
            raise
        ended(wanted.name, pushed)
        done.append((wanted.name, pushed))
    return done


def name_of(reference: str) -> str:
    """The directory's name in NAME[:TAG], "" where it is none."""
    try:
        return registry.parse_reference(reference).name
    except UsageError:
        return ""


def one(
    ground: Ground, reference: str, *, allow_rewrite: bool, move_tag: bool, single_writer: bool = False
) -> tuple[str, Pushed]:
    """Push the directory that ``reference`` (NAME[:TAG]) means: the one of that name, or the only one there is."""
    asked = registry.parse_reference(reference)
    name, tag = asked.name, asked.selector.value if asked.selector.kind == "tag" else ""
    configured = ground.config.directories
    named = [wanted for wanted in configured if wanted.name == name]
    if not named and len(configured) > 1:
        known = ", ".join(wanted.name for wanted in configured)
        raise ConfigError(
            f"no directory is called '{name}' in the configuration; there are {known}: use one, or give --dir"
        )
    wanted = (named or list(configured))[0]
    tags = (tag,) if tag else ()
    return name, directory(
        ground, wanted, name, tags, allow_rewrite=allow_rewrite, move_tag=move_tag, single_writer=single_writer
    )


def directory(
    ground: Ground,
    wanted: Directory,
    name: str,
    tags: tuple[str, ...],
    *,
    allow_rewrite: bool = False,
    move_tag: bool = False,
    single_writer: bool = False,
) -> Pushed:
    """Push one directory; ConflictError for a sum that does not hold, CheckError for a replay that fails, before anything is written."""
    read = lint.folder(ground, wanted)
    sound(read, with_sum=True)
    if not ground.config.skip_replay:
        runs(ground, wanted, read)
    return commit(ground, name, read, tags, allow_rewrite=allow_rewrite, move_tag=move_tag, single_writer=single_writer)


def commit(
    ground: Ground,
    name: str,
    read: MigrationDir,
    tags: tuple[str, ...] = (),
    *,
    allow_rewrite: bool = False,
    move_tag: bool = False,
    single_writer: bool = False,
) -> Pushed:
    """Put a directory that was checked into the registry; a store never used before is tried out first, unless only one writer is promised."""
    every = every_store(ground)
    if not single_writer:
        every = [registry.FirstUse(each, ground.now, ground.nonce) for each in every]
    store, *backups = every
    snapshot = registry.snapshot(read)
    pushed = registry.push(
        store,
        name,
        snapshot,
        tags=tags,
        git=facts(ground),
        ancestry=ancestry(ground),
        actor=actor(ground) | ({"unsafe_single_writer": "yes"} if single_writer else {}),
        clock=ground.now,
        nonce=ground.nonce,
        pause=registry.jitter(time.sleep, random.random),
        backups=backups,
        allow_rewrite=allow_rewrite,
        move_tag=move_tag,
    )
    return publishing.copied(ground, name, snapshot, pushed, tags) if ground.config.publish else pushed


def runs(ground: Ground, wanted: Directory, read: MigrationDir) -> None:
    """CheckError when the directory does not run from first file to last on its dev database."""
    everything = changes.everything(read)
    outcome = oracle.replayed(ground, wanted, everything, lint.analyse(everything)) if wanted.dev_url else None
    if outcome is None or outcome.error is None:
        return
    error = outcome.error
    raise CheckError(
        f"{read.path}/{error.file}:{error.line}:{error.column} does not run on {outcome.engine}: {error.message}"
    )
