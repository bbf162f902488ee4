"""``pilotage whoami``: who a push would be by, and where it would go."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible


@click.command("whoami")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("log")
@click.pass_obj
def command(world: World, /, as_json: bool, **flags: object) -> None:
    """Say who a push would be by, which registry it would go to, and who says so."""
    from ci_runner.cli import profile
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import acting

    base = ground(world, flags)
    kept = profile.load(world.environ)
    source = base.config.sources.get("registry", "")
    actor, registry = acting.actor(base), base.config.registry
    workspace = kept.current if registry and registry == kept.registry else None
    found = {
        "actor": actor,
        "workspace": workspace,
        "registry": registry,
        "from": source or None,
    }
    if as_json:
        world.say(json.dumps(found, indent=2))
        return
    proven = "verified" if actor["verified"] == "yes" else "not verified"
    world.say(f"user       {visible(actor['name']) or 'unknown'} ({actor['platform']}, {proven})")
    world.say(f"workspace  {visible(workspace or 'none')}")
    world.say(f"registry   {visible(registry or 'none: pilotage login --registry URL')}")
    if source:
        world.say(f"from       {visible(source)}")
