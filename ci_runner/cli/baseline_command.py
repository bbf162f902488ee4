"""``pilotage baseline``: notes which version a database is at."""

from __future__ import annotations

from typing import Any

import click

from ci_runner.cli.deploy_options import Answering, where
from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("baseline", cls=Answering)
@click.argument("names", nargs=-1, required=True, metavar="[NAME] VERSION")
@where
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as deploy does.")
@manifest("baseline")
@click.pass_obj
def command(world: World, /, names: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """Note that a database holds everything up to VERSION, without running anything.

    For a database that had migrations before Pilotage and no table of another tool to adopt. Exit code 3 when it has a history.
    """
    from ci_runner.cli.deploy_output import Teller
    from ci_runner.cli.deploying import deploy

    if len(names) > 2:
        raise click.UsageError("give [NAME] and one VERSION")
    name = names[0] if len(names) == 2 else None
    given |= {"baseline_version": names[-1], "only_baseline": True}
    return deploy(world, name, given, Teller(world, as_json=as_json), dry_run=False)
