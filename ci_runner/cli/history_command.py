"""``pilotage history``: what was done to the databases of a directory."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("history")
@click.argument("name", required=False)
@click.option("--env", "env", metavar="NAME", help="Only this environment.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1), help="How many to print.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@manifest("log")
@click.pass_obj
def command(world: World, /, name: str | None, env: str | None, most: int, as_json: bool, **flags: object) -> None:
    """List deployments, newest first, as the registry records them: of NAME, or of every directory.

    \b
    pilotage history app --env prod
    """
    from ci_runner.cli.audit_command import table
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import auditing

    found = auditing.history(ground(world, flags), name, env, most)
    if as_json:
        world.say(json.dumps(found, indent=2))
    else:
        table(world, found)
