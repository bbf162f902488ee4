"""``pilotage trigger``: what this CI run was taken for."""

from __future__ import annotations

import json

import click
from msgspec.structs import asdict

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World

_INNER = {"token", "request"}


@click.command("trigger")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("trigger")
@click.pass_obj
def command(world: World, /, as_json: bool, platform: str | None, scm_url: str | None) -> None:
    """Say what this CI run was taken for, from environment and event file alone.

    A value of null cannot be known from there; nothing is guessed.
    """
    from ci_runner import platforms

    said = {"PILOTAGE_PLATFORM": platform, "PILOTAGE_SCM_URL": scm_url}
    environ = {**world.environ, **{name: value for name, value in said.items() if value}}
    trigger = platforms.trigger(environ, world.read)
    found = {name: value for name, value in asdict(trigger).items() if name not in _INNER}
    if as_json:
        world.say(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for name, value in found.items():
        world.say(f"{name.replace('_', ' '):{width}}  {'not known from here' if value is None else value}")
