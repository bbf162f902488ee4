"""``pilotage registry …``: looks after a registry as a whole."""

from __future__ import annotations

import json

import click

from ci_runner.cli.list_command import command as list_command
from ci_runner.cli.options import Subcommands, manifest
from ci_runner.cli.sync_command import command as sync_command
from ci_runner.cli.world import World
from ci_runner.text import visible


@click.group("registry", cls=Subcommands)
def command() -> None:
    """Check a registry's store, list what it holds, level its backups.

    \b
    pilotage registry check --registry "s3://acme-migrations/prod?region=eu-central-1"
    pilotage registry list
    """


command.add_command(sync_command)
command.add_command(list_command)


@command.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@manifest("log")
@click.pass_obj
def check(world: World, /, as_json: bool, **flags: object) -> int:
    """Try out the registry's store and every backup: whether they keep what they take, and whether of many writers one wins.

    A push does this by itself before it uses a store for the first time. Exit code 2 for a store that must not hold a registry.
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import upkeep

    found = upkeep.check(ground(world, flags))
    if as_json:
        world.say(json.dumps(found, indent=2))
    else:
        for one in found:
            mark = click.style("✓", fg="green") if one["ok"] else click.style("✗", fg="red")
            world.say(f"{mark} {visible(one['store'])}")
            for right, answer in one["rights"].items():
                world.say(f"  {answer}: these credentials may {right} ({_RIGHTS.get(right, 'see docs/registry.md')})")
            for problem in one["problems"]:
                world.say(f"  {visible(problem)}")
    return 0 if all(one["ok"] for one in found) else 2


_RIGHTS = {
    "overwrite hints": "what tells readers where the newest version is; without it they look for longer",
    "remove from an inbox": "what a backup took while the registry was away; only sync needs that",
}


@command.command("policy")
@click.option("--role", required=True, metavar="ROLE", help="reader, pusher, deployer, syncer or operator.")
@click.option("--cloud", metavar="CLOUD", help="s3, gcs or azure; by default that of the registry's address.")
@manifest("log")
@click.pass_obj
def policy(world: World, /, role: str, cloud: str | None, **flags: object) -> None:
    """Print the least rights a role needs, as the policy of the cloud the registry lies in.

    \b
    pilotage registry policy --role pusher --registry "s3://acme-migrations/prod?region=eu-central-1"
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import upkeep

    world.say(upkeep.policy(ground(world, flags), cloud, role))


@command.command("import")
@click.argument("reference", metavar="NAME[:TAG]")
@click.argument("path", metavar="FOLDER|TAR")
@click.option(
    "--allow-rewrite", is_flag=True, help="Accept a history that differs from the registry's; the entry says so."
)
@click.option("--move-tag", is_flag=True, help="Let TAG move from the version it names now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("push")
@click.pass_obj
def import_(
    world: World,
    /,
    reference: str,
    path: str,
    allow_rewrite: bool,
    move_tag: bool,
    as_json: bool,
    **flags: object,
) -> int:
    """Push a directory that was exported elsewhere, from a folder or a tar file; its atlas.sum must hold and stays as it is.

    \b
    pilotage registry import app:v1.4 export.tar.gz --dialect postgres
    """
    from ci_runner.cli.push_command import describe, document
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import importing

    base = ground(world, flags)
    name, pushed = importing.bring(base, reference, world.cwd / path, allow_rewrite=allow_rewrite, move_tag=move_tag)
    if as_json:
        world.say(json.dumps(document(pushed), indent=2))
    else:
        describe(world, name, pushed)
    return pushed.exit_code
