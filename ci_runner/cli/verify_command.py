"""``pilotage verify``: recomputes every hash of a registry."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible
from ci_runner.text.counting import counted


@click.command("verify")
@click.argument("name", required=False)
@click.option(
    "--anchor", metavar="SEQ:HASH", help="A head remembered from an earlier push; it must still be in the history."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("verify")
@click.pass_obj
def command(world: World, /, name: str | None, anchor: str | None, as_json: bool, **flags: object) -> int:
    """Recompute every hash of a registry (or of NAME) and name what is damaged. Exit code 6 when something is."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import versions

    found = versions.verify(ground(world, flags), name, anchor)
    if as_json:
        world.say(json.dumps(found, indent=2))
    else:
        for one in found["directories"]:
            mark = click.style("✗", fg="red") if one["damages"] else click.style("✓", fg="green")
            count = f"{counted(one['entries'], 'version')}, {counted(one['blobs'], 'blob')}, head {one['head']}"
            world.say(f"{mark} {visible(one['name']) or 'the registry itself'}: {count}")
            for damage in one["damages"]:
                world.say(f"  version {damage['seq'] or '-'}: {visible(damage['where'])}: {visible(damage['what'])}")
    return 0 if found["ok"] else 6
