"""``pilotage login``: picks or makes a registry and remembers it."""

from __future__ import annotations

import re

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.errors import UsageError
from ci_runner.text import visible
from ci_runner.text.counting import counted


@click.command("login")
@click.argument("workspace", default="default")
@manifest("log")
@click.pass_obj
def command(world: World, /, workspace: str, **flags: object) -> None:
    """Use a registry from now on: check credentials and store, make the registry if there is none, and remember its address as WORKSPACE.

    Nothing secret is kept; credentials are those of the cloud's own tools. Files, variables and flags that name a registry go first.

    \b
    pilotage login work --registry "s3://acme-migrations/prod?region=eu-central-1"
    pilotage login work
    """
    from msgspec.structs import replace

    from ci_runner.cli import profile
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import upkeep

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", workspace):
        raise UsageError("a workspace's name is 1 to 63 letters, digits, dashes and underscores")
    kept = profile.load(world.environ)
    base = ground(world, flags)
    known = kept.registries.get(workspace)
    named = None if base.config.sources.get("registry", "").startswith("workspace ") else base.config.registry
    address = known if known and not flags.get("registry") else named
    if not address:
        have = ", ".join(kept.registries) or "none so far"
        raise UsageError(f"no workspace is called {workspace!r} (there are: {have}): give its address with --registry")
    base = replace(base, config=replace(base.config, registry=address, backups=()))
    made, count = upkeep.login(base)
    path = profile.save(profile.Profiles(workspace, {**kept.registries, workspace: address}), world.environ)
    state = "made" if made else f"holds {counted(count, 'directory', 'directories')}"
    world.say(f"{visible(workspace)}: {visible(address)} ({state})")
    world.note(f"remembered in {path}")
