"""``pilotage resolve``: says what became of a statement that is in doubt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ci_runner.cli.deploy_options import database
from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.errors import UsageError
from ci_runner.text import visible

if TYPE_CHECKING:
    from ci_runner.deploy import Answer


@click.command("resolve")
@click.argument("name", required=False, metavar="[NAME]")
@database
@click.option("--applied", "answer", flag_value="applied", help="The statement took effect: go on behind it.")
@click.option("--not-applied", "answer", flag_value="not-applied", help="It did not: run it again.")
@click.option("--rerun", "answer", flag_value="rerun", help="Run the whole file again from its first statement.")
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("resolve")
@click.pass_obj
def command(
    world: World, /, name: str | None, answer: Answer | None, reason: str | None, as_json: bool, **given: Any
) -> int:
    """Settle the statement that a deployment left in doubt, with a reason that is recorded. Run 'pilotage deploy' afterwards.

    NAME is what the directory is called in the database; it may be left out where there is only one.
    """
    from ci_runner.cli.deploying import resolve

    if answer is None:
        raise UsageError("what happened? give one of --applied, --not-applied, --rerun")
    if not reason or not reason.strip():
        raise UsageError("--reason TEXT: say how you know; it is recorded")
    row = resolve(world, name, given, answer, reason.strip())
    if as_json:
        world.say(
            json.dumps(
                {
                    "version": row.version,
                    "state": row.state,
                    "done": row.statements_done,
                    "total": row.statements_total,
                },
                indent=2,
            )
        )
        return 0
    world.say(
        f"{click.style('✓', fg='green')} {visible(row.name)}: settled, {row.statements_done} of {row.statements_total} statements done"
    )
    world.note("  now run the deployment again")
    return 0
