"""From a command's flags to the ground its journey stands on: configuration found, trigger read, repository opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ci_runner.cli.world import World, keep_password, keep_secret, known
from ci_runner.config.names import CONFIG_FILE
from ci_runner.errors import ConfigError

if TYPE_CHECKING:
    from ci_runner.config import Config
    from ci_runner.journeys.ground import Ground
    from ci_runner.sources import Git

FOREIGN = ("atlas.hcl", ".squawk.toml")


def ground(world: World, flags: Mapping[str, object]) -> Ground:
    """The ground of one run; ConfigError or SetupError when it cannot be laid."""
    from ci_runner import platforms
    from ci_runner.cache import Cache
    from ci_runner.journeys.ground import Ground

    environ = _environment(world)
    for name, meant in misspelt(environ):
        world.warn(f"{name} is set, but there is no such option — did you mean {meant}?")
    root, git = repository(world)
    config, path = configuration(world, flags, environ, root)
    config = _with_profile(config, world)
    keep_secret(config.token, *_hook_secrets(config, environ))
    keep_password(config.registry, *config.backups, *(d.dev_url for d in config.directories))
    said = {"PILOTAGE_PLATFORM": config.platform, "PILOTAGE_SCM_URL": config.scm_url}
    trigger = platforms.trigger({**environ, **{name: value for name, value in said.items() if value}}, world.read)
    keep_secret(trigger.token)
    return Ground(
        root=root,
        git=git,
        config=config,
        config_file=os.path.relpath(path, root) if path else None,
        trigger=trigger,
        environ=environ,
        cache=Cache(cache_folder(config, environ)),
        redact=known(),
        note=world.note,
        warn=world.warn,
        detail=world.detail,
        now=world.now,
        nonce=world.nonce,
        watched=world.watched,
    )


def _hook_secrets(config: Config, environ: Mapping[str, str]) -> list[str | None]:
    """What the variables hold that hooks name: addresses, signing secrets, proxies."""
    places = [place for hook in config.hooks for place in (hook.url, hook.secret, hook.old_secret, hook.proxy)]
    return [environ.get(place.name) for place in places if place and place.kind == "env"]


def _with_profile(config: Config, world: World) -> Config:
    """The registry that ``pilotage login`` remembered, where nothing else names one; a CI run is told, not remembered."""
    if config.registry is not None or world.environ.get("CI"):
        return config
    from msgspec.structs import replace

    from ci_runner.cli import profile

    kept = profile.load(world.environ)
    if not kept.registry:
        return config
    return replace(config, registry=kept.registry, sources={**config.sources, "registry": f"workspace {kept.current}"})


def configuration(
    world: World, flags: Mapping[str, object], environ: Mapping[str, str], root: Path
) -> tuple[Config, Path | None]:
    """The Config with directories relative to ``root``, and the path of its file.

    A file names paths as seen from its own folder, a flag as seen from the working folder, unless it is the name of one of the file's
    directories; a directory that nobody names lies at the root.
    """
    from ci_runner.config import load, relocate
    from ci_runner.config.options import PATHS

    path = find(world, root)
    flags = dict(flags)
    folder = path.parent if path else root
    found = _read(path, world.warn) if path else ({}, ())
    names = {str(entry["name"].value) for entry in found[1] if "name" in entry}
    for name in PATHS:
        if flags.get(name) and not (name == "dir" and flags[name] in names):
            flags[name] = os.path.relpath(world.cwd / str(flags[name]).removeprefix("file://"), folder)
    loaded = load(found, environ, flags)
    return relocate(loaded, os.path.relpath(folder, root)), path


def find(world: World, root: Path) -> Path | None:
    """pilotage.yml of the working folder or the nearest one above it, up to ``root``; else a foreign configuration beside it."""
    if world.config_file:
        path = world.cwd / world.config_file
        if not path.is_file():
            raise ConfigError(f"there is no configuration file {world.config_file} (looked at {path})")
        return path
    folders = [f for f in (world.cwd, *world.cwd.parents) if f == root or root in f.parents or f == world.cwd]
    for name in (CONFIG_FILE, CONFIG_FILE.replace(".yml", ".yaml"), *FOREIGN):
        for folder in folders:
            path = folder / name
            if path.is_file():
                return path
            if name not in FOREIGN and os.path.lexists(path):
                raise ConfigError(
                    f"{path} is no file that can be read (a folder, a pipe, a link to nothing): put the file itself there"
                )
    return None


def _read(path: Path, warn: Callable[[str], None]) -> tuple[dict, tuple[dict, ...]]:  # type: ignore[type-arg]
    from ci_runner import config

    try:
        with path.open("rb") as stream:
            data = stream.read(config.file.LIMIT + 1)
        if len(data) > config.file.LIMIT:
            raise ConfigError(
                f"{path.name} is larger than {config.file.LIMIT // 1024} KiB: that is no configuration file"
            )
        text = data.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 from byte offset {error.start} on: save it as UTF-8") from None
    if path.suffix == ".hcl":
        from ci_runner.config import atlas

        return atlas.read(text, path.name)
    if path.suffix == ".toml":
        from ci_runner.config import squawk

        settings = squawk.read(text, path.name)
        for line in squawk.unread(text, path.name):
            warn(line)
        return settings
    return config.file.read(text, path.name)


def _environment(world: World) -> dict[str, str]:
    """The environment with the action's inputs under their PILOTAGE_ names; a variable of that name wins over an input."""
    from ci_runner import platforms
    from ci_runner.config.options import BY_NAME, variable

    inputs = platforms.inputs(world.environ, platforms.detect(world.environ))
    return {**{variable(BY_NAME[name]): value for name, value in inputs.items() if name in BY_NAME}, **world.environ}


def misspelt(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that are an option's name but for a letter or two, each with that name; what is set in vain should not stay unseen."""
    from ci_runner.config.options import OPTIONS, variable

    known = [variable(option) for option in OPTIONS]
    odd = [name for name in environ if name.startswith("PILOTAGE_") and name not in known]
    odd = [name for name in odd if not any(name.startswith(f"{one}_") for one in known)]
    if not odd:
        return []
    from difflib import get_close_matches

    near = ((name, get_close_matches(name, known, 1, 0.9)) for name in sorted(odd)[:100])
    return [(name, found[0]) for name, found in near if found]


def repository(world: World) -> tuple[Path, Git | None]:
    """The root to work from and the repository, where there is one."""
    git = _git(world)
    return (Path(git.root) if git else world.cwd), git


def _git(world: World) -> Git | None:
    from ci_runner.sources import Git

    return Git.find(world.cwd, world.environ)


def cache_folder(config: Config, environ: Mapping[str, str]) -> Path | None:
    """``cache_dir``, else the user's cache folder; None where there is neither."""
    if config.cache_dir:
        return Path(config.cache_dir)
    home = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else None)
    return Path(home) / "pilotage" if home else None
