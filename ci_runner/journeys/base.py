"""Finds what a directory is compared with: a commit, a registry version, the newest files, or nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from ci_runner import changes, sources
from ci_runner.config import Config, Directory, file, load, relocate
from ci_runner.errors import ConfigError, PilotageError
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.reading import read
from ci_runner.model.directory import MigrationDir, Tree
from ci_runner.model.report import Base, ChangeSet


class Compared(Struct, frozen=True):
    """A change set, and what a person should know of how its base was found.

    ``tip`` is the newest commit of the branch that the change is to be merged into, where this clone knows it.
    """

    changeset: ChangeSet
    notes: tuple[str, ...] = ()
    tip: str | None = None


def compare(ground: Ground, directory: Directory, head: MigrationDir) -> Compared:
    """The change set of ``head`` by the flags given, else against the merge base with the target or default branch."""
    return comparing(ground, directory)(head)


def comparing(ground: Ground, directory: Directory) -> Callable[[MigrationDir], Compared]:
    """As :func:`compare`, for whoever has the head only later: what Git knows without it is asked now."""
    config = ground.config
    if sum(map(bool, (config.base, config.latest, config.all))) > 1:
        raise ConfigError("--base, --latest and --all exclude one another: give one")
    if config.all:
        return _everything()
    if latest := config.latest:
        return lambda head: Compared(changes.latest(head, latest))
    if config.base and config.base.startswith("pilotage://"):
        return partial(_registry, ground, directory, config.base)
    return _git(ground, directory, config.base)


def _everything(*notes: str) -> Callable[[MigrationDir], Compared]:
    return lambda head: Compared(changes.everything(head), notes)


def _registry(ground: Ground, directory: Directory, address: str, head: MigrationDir) -> Compared:
    from ci_runner import registry, stores

    store = trusted_registry(ground)
    if store is None:
        raise ConfigError(f"--base {address} needs a registry: give --registry URL or 'registry:' in pilotage.yml")
    reference = registry.parse_address(address)
    snapshot, entry = registry.pull(stores.open(store, ground.environ), reference.name, reference.selector)
    before = read(registry.tree(snapshot, head.path), directory, head)
    return Compared(changes.between(head, before, Base("registry", f"{reference.name}@{entry.seq}")))


def trusted_registry(ground: Ground) -> str | None:
    """The registry's address; on a pull request that of the base commit's file, because the head's is the author's word."""
    config, trigger = ground.config, ground.trigger
    from_file = ":" in config.sources.get("registry", "")
    if trigger.kind != "pull_request" or not from_file or ground.git is None or ground.config_file is None:
        return config.registry
    commit = _merge_base(ground, ground.git, None)
    content = ground.git.output("show", f"{commit}:{ground.config_file}").decode("utf-8", "replace")
    return load(file.read(content, ground.config_file), ground.environ, {}).registry


def own_rules(ground: Ground, wanted: Directory) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """(path, source) of the team's own rule files, and remarks.

    Rules are code: on a pull request both the files and the setting that names their folder are those of the base commit, so that a
    change cannot bring code that judges it. A base that cannot be had means no rules.
    """
    if not proposed(ground):
        folder = wanted.rules_path
        return (sources.texts(ground.root, folder, ".py", "rules_path") if folder else ()), ()
    if ground.git is None or ground.config_file is None:
        return (), ("own rules were left out: their base commit is not known",) if wanted.rules_path else ()
    try:
        commit = _merge_base(ground, ground.git, None)
        before = settled(ground, wanted) if commit else None
        folder = before.rules_path if before else None
        if commit is None or folder is None:
            return (), ("own rules were left out: the base commit names no rules_path",) if wanted.rules_path else ()
        return sources.texts_at(ground.git, commit, folder, ".py", "rules_path"), ()
    except PilotageError as error:
        return (), (f"own rules were left out: they come from the base commit, which could not be read ({error})",)


def proposed(ground: Ground) -> bool:
    """Whether what lies in the working tree is only proposed: the word of a pull request's author."""
    return ground.trigger.kind == "pull_request" or ground.trigger.pull_request is not None


def configured(ground: Ground) -> Config | None:
    """The configuration of the base commit, with the environment's word over it; None where that commit or its file is not known."""
    name = ground.config_file
    commit = _merge_base(ground, ground.git, None) if ground.git and name else None
    if ground.git is None or commit is None or name is None or not name.endswith((".yml", ".yaml")):
        return None
    code, content, _ = ground.git.attempt("show", f"{commit}:{name}")
    return None if code else load(file.read(content.decode("utf-8", "replace"), name), ground.environ, {})


def settled(ground: Ground, wanted: Directory) -> Directory | None:
    """The directory as the configuration of the base commit has it; None where that has none of it."""
    config = configured(ground)
    if config is None:
        return None
    below = relocate(config, posixpath.dirname(ground.config_file or "") or ".")
    return next((each for each in below.directories if each.dir == wanted.dir), None)


def text_at_base(ground: Ground, path: str) -> str | None:
    """The text of a file of the base commit; None where it has no such file."""
    commit = _merge_base(ground, ground.git, None) if ground.git else None
    if ground.git is None or commit is None:
        return None
    code, content, _ = ground.git.attempt("show", f"{commit}:{path}")
    return None if code else content.decode("utf-8", "replace")


def _git(ground: Ground, directory: Directory, wanted: str | None) -> Callable[[MigrationDir], Compared]:
    git = ground.git
    if git is None:
        if wanted:
            raise ConfigError(f"--base {wanted} names a commit, but {ground.root} is not in a Git repository")
        return _everything("not a Git repository: every file is analysed")
    try:
        commit = _merge_base(ground, git, wanted)
    except PilotageError as error:
        if wanted:
            raise
        return _everything(f"the base is unknown, so every file is analysed: {error}")
    if commit is None:
        return _everything("no base branch was found: every file is analysed")
    place = located(ground, git, directory)
    if place is None:
        why = f"{directory.dir} lies outside the Git repository {git.root} or in another one inside it"
        return _everything(f"{why}: every file is analysed; run Pilotage in that repository")
    tree, tip = sources.listed(git, commit, place), _known_tip(ground, git)

    def compared(head: MigrationDir) -> Compared:
        before = read(tree(unread(head)), directory, head, judged=False)
        return Compared(changes.between(head, before, Base("git", commit)), tip=tip)

    return compared


def target(ground: Ground, git: sources.Git) -> str | None:
    """The branch that the change is to be merged into; None where there is none to be known."""
    branch = ground.trigger.base_branch
    return f"{git.remote}/{branch}" if branch else git.default_branch()


def _known_tip(ground: Ground, git: sources.Git) -> str | None:
    try:
        name = target(ground, git)
        return git.resolve(name) if name else None
    except PilotageError:  # whoever needs it asks again, and says so
        return None


def located(ground: Ground, git: sources.Git, directory: Directory) -> str | None:
    """Where Git has the directory, behind symbolic links in its path; None where that is not in this repository's own files."""
    place = (ground.root / directory.dir).resolve()
    root = git.root.resolve()
    if not place.is_relative_to(root):
        return None
    folders = [place, *place.parents]
    inside = folders[: folders.index(root)]
    if any((folder / ".git").exists() for folder in inside):
        return None  # a submodule, or a clone that lies in the working tree
    return place.relative_to(root).as_posix()


def _merge_base(ground: Ground, git: sources.Git, wanted: str | None) -> str | None:
    trigger = ground.trigger
    target = wanted or trigger.base_sha
    if target is None and trigger.base_branch:
        target = f"origin/{trigger.base_branch}"
    if target is None:
        target = git.default_branch()
    return git.merge_base(ground.commit or "HEAD", target) if target else None


def unread(head: MigrationDir) -> Tree:
    """The files of a directory as if nothing had been made of them: what another state of it is read like."""
    return Tree(head.path, head.files, blobs=head.blobs)
