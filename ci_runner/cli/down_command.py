"""``pilotage down``: takes a database back to an earlier version."""

from __future__ import annotations

from typing import Any

import click

from ci_runner.cli.deploy_options import Answering, where
from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.errors import UsageError


@click.command("down", cls=Answering)
@click.argument("name", required=False, metavar="[NAME]")
@where
@click.option("--to-version", required=True, metavar="V", help="The version that stays; 0 goes back before the first.")
@click.option("--apply", "apply_it", is_flag=True, help="Do it; needs --plan.")
@click.option("--plan", metavar="DIGEST", help="The digest that down prints without --apply.")
@click.option("--lock-wait", metavar="TIME", help="How long to wait for another deployment. [10m]")
@click.option(
    "--lock-timeout", metavar="TIME", help="How long a statement may wait for a lock before it is tried again. [5s]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as deploy does.")
@manifest("down")
@click.pass_obj
def command(world: World, /, name: str | None, apply_it: bool, as_json: bool, **given: Any) -> int:
    """Take a database back to version V by the down files or sections of the format, newest first.

    Without --apply nothing is run: what would be is printed, with the digest that --apply --plan DIGEST wants. Going back loses the rows that
    the migrations brought; nothing runs down by itself after a failure.
    """
    from ci_runner.cli.deploy_output import Teller
    from ci_runner.cli.deploying import deploy

    if apply_it and not given.get("plan"):
        raise UsageError(
            "--apply needs --plan DIGEST: run down without --apply, look at what it prints, and give its digest"
        )
    return deploy(world, name, given, Teller(world, as_json=as_json, digest=True), dry_run=not apply_it, back=True)
