"""``pilotage status``: where a database stands."""

from __future__ import annotations

from typing import Any

import click

from ci_runner.cli.brisk import DRIFT
from ci_runner.cli.deploy_options import where
from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("status")
@click.argument("name", required=False, metavar="[NAME]")
@where
@click.option("--drift", type=click.Choice(DRIFT), help="off: do not look at the schema. [warn]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/deploy.md).")
@manifest("status")
@click.pass_obj
def command(world: World, /, name: str | None, as_json: bool, **given: Any) -> int:
    """Say which version a database is at and what a deployment would find: pending, partial, in doubt, edited, out of order, drift.

    Writes nothing and takes no lock. Exit code 0, 3 when something needs a decision, 4 when a statement is in doubt.
    """
    from ci_runner.cli.standing import show

    return show(world, name, given, as_json=as_json)
