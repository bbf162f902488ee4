"""``pilotage doctor``: what was detected, which parts are missing, how to get them."""

from __future__ import annotations

import json

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible

_MARKS = {"ok": ("✓", "green"), "missing": ("✗", "red"), "note": ("•", "cyan")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@manifest("doctor")
@click.pass_obj
def command(world: World, /, as_json: bool, **flags: object) -> int:
    """Say what was detected here, which parts are missing and how to get them.

    Exit code 2 when something the configuration asks for is missing; what is merely optional does not count.
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import doctor

    checks = doctor.checks(ground(world, flags))
    if as_json:
        world.say(
            json.dumps(
                [{"area": c.area, "state": c.state, "text": c.text, "remedy": c.remedy} for c in checks], indent=2
            )
        )
    else:
        area = ""
        for check in checks:
            if check.area != area:
                area = check.area
                world.say(click.style(area, bold=True))
            mark, colour = _MARKS[check.state]
            world.say(f"  {click.style(mark, fg=colour)} {visible(check.text)}")
            if check.remedy:
                world.say(f"    → {visible(check.remedy)}")
    return 2 if any(check.state == "missing" for check in checks) else 0
