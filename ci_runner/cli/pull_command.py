"""``pilotage pull``: writes a version from the registry into a folder."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text.counting import counted


@click.command("pull")
@click.argument("reference", metavar="NAME[:TAG]")
@click.option("--output", required=True, metavar="DIR", help="Folder to write to; it must be empty or not there.")
@click.option("--seq", type=int, help="This version number instead of the latest.")
@click.option("--digest", help="This digest (sha256:…) instead of the latest.")
@click.option("--version", "version", help="The newest state cut right after this migration version.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("pull")
@click.pass_obj
def command(
    world: World,
    /,
    reference: str,
    output: str,
    seq: int | None,
    digest: str | None,
    version: str | None,
    as_json: bool,
    **flags: object,
) -> None:
    """Write a version of NAME into a folder: the latest, or the one TAG, --seq, --digest or --version names.

    Every byte is checked against its hash before it is written, and nothing is written outside the folder.
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import versions

    pulled = versions.pull(
        ground(world, flags), reference, Path(world.cwd / output), seq=seq, digest=digest, version=version
    )
    if as_json:
        world.say(json.dumps(pulled, indent=2))
        return
    world.say(
        f"{pulled['name']}: version {pulled['seq']} written to {output} ({counted(len(pulled['files']), 'file')})"
    )
