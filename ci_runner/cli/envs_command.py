"""``pilotage envs``: which version each environment is on."""

from __future__ import annotations

import json
from typing import Any

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import inline


@click.command("envs")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@manifest("log")
@click.pass_obj
def command(world: World, /, name: str | None, as_json: bool, **flags: object) -> None:
    """Say which version each environment is on, since when and by whom, as the registry records it."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import auditing

    found = auditing.environments(ground(world, flags), name)
    if as_json:
        world.say(json.dumps(found, indent=2))
        return
    for each in found:
        world.say(_line(each))
    if not found:
        world.say("nothing was deployed so far")


def _line(each: dict[str, Any]) -> str:
    last = each["last"] or {}
    bad = last.get("outcome") != "ok"
    mark = click.style("✗", fg="red") if bad else click.style("✓", fg="green")
    version = f"{each['version'] or '–'}" + (f" (version {each['seq']} of the registry)" if each["seq"] else "")
    behind = {None: "", 0: ", the latest"}.get(each["behind"], f", {each['behind']} behind {each['latest']}")
    since = f", since {each['time']} by {each['actor'].get('name') or '?'}" if each["time"] else ""
    trouble = f"; the last run {last.get('kind')} at {last.get('time')} ended {last.get('outcome')}" if bad else ""
    return f"{mark} {inline(each['dir'])} → {inline(each['env'])}: {inline(version)}{behind}{inline(since)}{inline(trouble)}"
