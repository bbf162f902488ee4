"""``pilotage plan``: writes down what a deployment would do."""

from __future__ import annotations

import json
from typing import Any

import click

from ci_runner.cli.deploy_options import how, where
from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("plan")
@click.argument("name", required=False, metavar="[NAME]")
@where
@how
@click.option("--output", metavar="FILE", help="Also write the plan to FILE, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as one JSON object (docs/deploy.md).")
@manifest("plan")
@click.pass_obj
def command(world: World, /, name: str | None, output: str | None, as_json: bool, **given: Any) -> int:
    """Say what a deployment would do: files, statements, locks, rows, warnings; and the digest that deploy --plan DIGEST runs.

    Writes nothing to the database and takes no lock. The digest changes with the files, the database, its version and its schema, so that what was
    approved is what runs, or nothing.
    """
    from ci_runner.cli.deploy_output import Teller, plans_document
    from ci_runner.cli.deploying import planned
    from ci_runner.cli.output import write

    found = planned(world, name, given)
    text = json.dumps(plans_document(found), indent=2, ensure_ascii=False)
    if output:
        write(world.cwd / output, text + "\n")
        world.note(f"plan written to {output}")
    if as_json:
        world.say(text)
        return 0
    return Teller(world, as_json=False, digest=True).all_planned(found)
