"""``pilotage sync``: levels a registry with its backups."""

from __future__ import annotations

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible
from ci_runner.text.counting import counted


@click.command("sync")
@manifest("log")
@click.pass_obj
def command(world: World, /, **flags: object) -> int:
    """Bring pushes that backups took while the registry was down to it, then level every backup with it.

    Every push does this at its end; run it on a schedule where pushes are rare. Exit code 5 when a store cannot be reached.
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import versions

    synced = versions.sync(ground(world, flags))
    for address, state in synced.stores.items():
        mark = click.style("✓", fg="green") if state == "ok" else click.style("✗", fg="red")
        world.say(f"{mark} {visible(address)}: {visible(state)}")
    if synced.replayed:
        world.say(f"{counted(synced.replayed, 'push', 'pushes')} brought to the registry")
    for kept in synced.kept:
        world.warn(f"kept where it is: {kept}")
    return 0 if all(state == "ok" for state in synced.stores.values()) else 5
