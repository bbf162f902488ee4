"""``pilotage rebase``: moves a branch's migrations behind what was merged meanwhile."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible


@click.command("rebase")
@click.option("--onto", metavar="BRANCH", help="The branch to run after.  [the one this branch is to be merged into]")
@click.option("--check", is_flag=True, help="Rename nothing; exit 3 when something would be.")
@click.option("--json", "as_json", is_flag=True, help="Print the renames as JSON.")
@manifest("rebase")
@click.pass_obj
def command(world: World, /, onto: str | None, check: bool, as_json: bool, **flags: object) -> int:
    """Give this branch's new migrations versions behind those that the base branch gained, and write atlas.sum anew.

    Their order stays, down files move along, and only names change: nothing is committed.
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys.rebasing import rebase

    done = rebase(ground(world, flags), onto, write=not check)
    if as_json:
        world.say(
            json.dumps([{"dir": d.dir, "moves": dict(d.moves), "missing": list(d.missing)} for d in done], indent=2)
        )
        return 3 if check and any(each.moves for each in done) else 0
    for each in done:
        for old, new in each.moves:
            world.say(f"{visible(each.dir)}: {visible(old)} → {click.style(visible(new), fg='green')}")
        if not each.moves:
            world.say(f"{visible(each.dir)}: runs after the base branch as it is")
        if each.moves and each.missing:
            world.note(
                f"not here yet: {', '.join(map(visible, each.missing[:3]))}; merge the base branch, then run 'pilotage hash'"
            )
    return 3 if check and any(each.moves for each in done) else 0
