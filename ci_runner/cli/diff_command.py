"""``pilotage diff``: what changed between two versions in the registry."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible

_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


@click.command("diff")
@click.argument("first", metavar="NAME[:TAG]")
@click.argument("second", metavar="NAME[:TAG]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("log")
@click.pass_obj
def command(world: World, /, first: str, second: str, as_json: bool, **flags: object) -> None:
    """Compare two versions: files that came, went or changed, their SQL line by line, and what that does to the schema.

    \b
    pilotage diff app:v1.3 app:v1.4
    pilotage diff "pilotage://app?seq=3" app
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import comparing

    found = comparing.diff(ground(world, flags), first, second)
    if as_json:
        world.say(json.dumps(found, indent=2))
        return
    if not found["sql"]:
        world.say(f"{found['from']} and {found['to']} are the same")
        return
    world.say(f"{found['from']} → {found['to']}")
    for kind, mark in (("added", "+"), ("removed", "-"), ("changed", "~")):
        for name in found["files"][kind]:
            world.say(click.style(f"{mark} {visible(name)}", fg=_COLOURS[mark]))
    if found["schema"]:
        world.say("\nschema")
        for line in found["schema"]:
            world.say(click.style(f"  {visible(line)}", fg=_COLOURS[line[0]]))
    for part in found["sql"]:
        world.say("")
        for line in part["diff"].splitlines():
            world.say(click.style(visible(line), fg=_COLOURS.get(line[:1])))
