"""``pilotage list``: the directories a registry holds."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@manifest("log")
@click.pass_obj
def command(world: World, /, as_json: bool, **flags: object) -> None:
    """List the directories the registry holds."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import versions

    names = versions.names(ground(world, flags))
    world.say(json.dumps(names, indent=2) if as_json else "\n".join(names) or "the registry is empty")
