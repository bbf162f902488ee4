"""``pilotage yank``: marks a version as not to be used."""

from __future__ import annotations

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.errors import UsageError
from ci_runner.text import visible


@click.command("yank")
@click.argument("reference", metavar="NAME[:TAG]")
@click.option("--reason", help="Why nobody should use it; the history keeps it.")
@click.option("--undo", is_flag=True, help="Take an earlier yank back.")
@manifest("log")
@click.pass_obj
def command(world: World, /, reference: str, reason: str | None, undo: bool, **flags: object) -> None:
    """Mark a version as not to be used. It stays readable by tag, number and digest; as the latest it is refused with exit code 3.

    \b
    pilotage yank app:v1.4 --reason "locks orders for minutes"
    pilotage yank app:v1.4 --undo
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import upkeep

    if bool(reason) == undo:
        raise UsageError("a yank needs --reason TEXT; to take one back, give --undo alone")
    entry, synced = upkeep.yank(ground(world, flags), reference, reason or "")
    world.say(
        f"{visible(reference)}: {'no longer yanked' if undo else 'yanked'} (version {entry.seq} of the log says so)"
    )
    for address, state in synced.stores.items():
        if state != "ok":
            world.warn(f"{address} may be behind: {state}")
