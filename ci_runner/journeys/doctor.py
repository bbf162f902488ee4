"""Doctor: look at everything a run would use, use none of it, and say what is missing."""

from __future__ import annotations

import platform as machine
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from ci_runner import __version__, devdb, stores
from ci_runner.config import Directory
from ci_runner.config.options import PATHS
from ci_runner.errors import PilotageError
from ci_runner.journeys import lint
from ci_runner.journeys.ground import Ground
from ci_runner.text.counting import counted


class Check(Struct, frozen=True):
    """One line: what was looked at and what came out. ``missing`` is asked for by the configuration and not there."""

    area: str
    state: Literal["ok", "missing", "note"]
    text: str
    remedy: str = ""


def checks(ground: Ground) -> list[Check]:
    """Everything worth knowing before a run, in the order a run meets it."""
    return [*_here(ground), *_configuration(ground), *_directories(ground), *_parts(ground), *_registry(ground)]


def _here(ground: Ground) -> Iterator[Check]:
    yield Check(
        "Pilotage",
        "ok",
        f"pilotage {__version__} on Python {machine.python_version()}, {machine.system()} {machine.machine()}",
    )
    git, trigger = ground.git, ground.trigger
    if git is None:
        yield Check(
            "Repository", "note", f"{ground.root} is not in a Git repository", "without Git every file counts as new"
        )
    else:
        branch = git.branch() or f"detached at {(git.head() or '')[:12]}"
        yield Check("Repository", "ok", f"{git.root} on {branch}, default branch {git.default_branch() or 'not known'}")
        if git.is_shallow():
            yield Check(
                "Repository",
                "note",
                "this is a shallow clone",
                "fetch-depth: 0 (or the like) saves fetching the merge base later",
            )
    yield Check(
        "CI",
        "ok" if trigger.platform != "local" else "note",
        f"platform {trigger.platform}, this run is: {trigger.kind}",
    )
    if trigger.platform != "local" and not (ground.config.token or trigger.token):
        yield Check(
            "CI",
            "note",
            "no API token: comment, notes and status cannot be written",
            "give the job a token (docs/github.md)",
        )


def _configuration(ground: Ground) -> Iterator[Check]:
    sources = ground.config.sources
    if ground.config_file:
        yield Check("Configuration", "ok", f"read from {ground.config_file}")
    elif not sources:
        yield Check(
            "Configuration",
            "note",
            "no pilotage.yml, no PILOTAGE_ variable, no flag: defaults hold",
            "pilotage init writes one",
        )
    for option, source in sources.items():
        yield Check("Configuration", "ok", f"{option} from {source}")


def _directories(ground: Ground) -> Iterator[Check]:
    for wanted in ground.config.directories:
        area = f"Directory {wanted.dir}"
        try:
            read = lint.folder(ground, wanted)
        except PilotageError as error:
            yield Check(area, "missing", str(error))
            continue
        stated = "" if wanted.dialect else " (guessed: say 'dialect:' in pilotage.yml to be sure)"
        yield Check(area, "ok", f"{read.format}, {read.dialect}{stated}, {counted(len(read.migrations), 'migration')}")
        errors = sum(problem.level == "error" for problem in read.problems)
        if errors:
            yield Check(area, "note", counted(errors, "problem"), "pilotage ls names them")
        yield from _files(ground, wanted, area)
        yield _dev_database(ground, wanted, area)


def _files(ground: Ground, wanted: Directory, area: str) -> Iterator[Check]:
    """What the configuration names beside the directory and is not there."""
    for option in PATHS:
        path = getattr(wanted, option)
        if path and not (ground.root / path).exists():
            yield Check(
                area,
                "missing",
                f"{option} is {path}, and there is no such file or folder",
                "write the path as seen from pilotage.yml",
            )


def _dev_database(ground: Ground, wanted: Directory, area: str) -> Check:
    if not wanted.dev_url:
        return Check(
            area,
            "note",
            "no dev database: changes are judged by their text alone",
            "dev_url: in pilotage.yml (docs/dev-databases.md)",
        )
    lacking = devdb.lacking(wanted.dev_url, ground.environ)
    if lacking:
        return Check(area, "missing", f"the dev database cannot be used: {lacking}")
    return Check(area, "ok", f"dev database {devdb.shown(wanted.dev_url)}")


def _parts(ground: Ground) -> Iterator[Check]:
    for part in devdb.parts(ground.environ):
        yield Check(
            "Dev databases possible here",
            "ok" if part.present else "note",
            part.text,
            "" if part.present else part.remedy,
        )


def _registry(ground: Ground) -> Iterator[Check]:
    address = ground.config.registry
    if address is None:
        yield Check(
            "Registry", "note", "none configured: merges are not kept", "registry: file:///path in pilotage.yml"
        )
        return
    try:
        store = stores.open(address, ground.environ)
        store.get("format.json", 4096)
    except PilotageError as error:
        yield Check("Registry", "missing", str(error))
    else:
        yield Check("Registry", "ok", store.address)
