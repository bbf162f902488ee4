"""``pilotage show``: one version in the registry."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible


@click.command("show")
@click.argument("reference", metavar="NAME[:TAG]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("log")
@click.pass_obj
def command(world: World, /, reference: str, as_json: bool, **flags: object) -> None:
    """Show a version of NAME and its files: the latest, the one tagged TAG, or pilotage://NAME?seq=42.

    \b
    pilotage show app:v1.4 --registry file:///srv/registry
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import versions

    found = versions.show(ground(world, flags), reference)
    if as_json:
        world.say(json.dumps(found, indent=2))
        return
    git, tags = found["git"], ", ".join(found["tags"]) or "none"
    world.say(f"{found['name']} version {found['seq']}, {found['kind']} of {found['time']}")
    world.say(f"  digest  {found['digest']}\n  hash    {found['hash']}\n  tags    {visible(tags)}")
    world.say(f"  commit  {visible(git['sha'] or 'unknown')} {visible(git['ref'])} {visible(git['repo'])}".rstrip())
    world.say(f"  by      {visible(str(found['actor'].get('name', '')) or 'unknown')}")
    if found.get("yanked"):
        world.say(click.style(f"  yanked  {visible(found['yanked'])}", fg="red"))
    for file in found["files"]:
        world.say(f"  {file['kind']:10}  {file['size']:>9}  {file['sha256'][:12]}  {visible(file['name'])}")
