"""``pilotage tags``: the tags of a directory in the registry."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible


@click.command("tags")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@manifest("log")
@click.pass_obj
def command(world: World, /, name: str, as_json: bool, **flags: object) -> None:
    """List the tags of NAME and the versions they stand for."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import versions

    found = versions.tags(ground(world, flags), name)
    if as_json:
        world.say(json.dumps(found, indent=2))
        return
    for each in found:
        world.say(f"{each['seq']:>5}  {each['digest'][:19]}  {each['time']}  {visible(each['tag'])}")
    if not found:
        world.say(f"{visible(name)} has no tags")
