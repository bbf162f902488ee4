"""``pilotage hash``: writes atlas.sum anew."""

from __future__ import annotations

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible


@click.command("hash")
@click.option("--check", is_flag=True, help="Write nothing; exit 3 when atlas.sum is not what the files say.")
@manifest("hash")
@click.pass_obj
def command(world: World, /, check: bool, **flags: object) -> int:
    """Write atlas.sum anew (to a scratch file beside it, then renamed) and say which lines changed."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys.hashing import rehash

    worst = 0
    for path, changed in rehash(ground(world, flags), write=not check):
        verb = "differs" if check else "written"
        if not changed:
            world.note(f"{path}: already right")
            continue
        worst = 3 if check else 0
        world.say(f"{visible(path)}: {verb}")
        for line in changed:
            world.say(f"  {click.style(visible(line), fg='green' if line.startswith('+') else 'red')}")
    return worst
