"""``pilotage log``: the versions of a directory in the registry."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible
from ci_runner.text.counting import counted


@click.command("log")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@manifest("log")
@click.pass_obj
def command(world: World, /, name: str | None, as_json: bool, **flags: object) -> None:
    """List the versions of NAME, newest first; without NAME, the directories the registry holds."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import versions

    base = ground(world, flags)
    if name is None:
        names = versions.names(base)
        world.say(json.dumps(names, indent=2) if as_json else "\n".join(names) or "the registry is empty")
        return
    entries = versions.log(base, name)
    if as_json:
        world.say(json.dumps({"name": name, "entries": entries}, indent=2))
        return
    for entry in reversed(entries):
        tags = click.style("  " + ", ".join(map(visible, entry["tags"])), fg="cyan") if entry["tags"] else ""
        commit = visible(str(entry["git"].get("sha", "")))[:12]
        world.say(
            f"{entry['seq']:>5}  {entry['time']}  {entry['kind']:8}  {entry['digest'][:19]}  "
            f"{counted(len(entry['files']), 'file')}  {commit}{tags}{visible('  ' + entry['reason'] if entry.get('reason') else '')}"
        )
