"""``pilotage lint``: checks the changed migrations."""

from __future__ import annotations

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.config.options import REPORTS


@click.command("lint")
@click.option(
    "--format", "form", default="text", help=f"What to print: {', '.join(REPORTS)}.  [text]", metavar="FORMAT"
)
@click.option("--output", metavar="FILE", help="Write that to FILE instead of printing it.")
@manifest("lint")
@click.pass_obj
def command(world: World, /, form: str, output: str | None, **flags: object) -> int:
    """Check the changed migrations and replay them on a dev database.

    What changed is found in Git: against the merge base with the default branch, unless --base, --latest or --all says
    otherwise. Outside Git every file is analysed. Exit code 1 only when the verdict is "fail".

    \b
    pilotage lint --dir migrations --dialect postgres
    pilotage lint --dev-url embedded://postgres/18 --report sarif=pilotage.sarif
    pilotage lint --latest 1 --format json
    """
    from ci_runner.cli.output import check_format, show, write_reports
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import lint

    check_format(form)
    base = ground(world, flags)
    run = lint.run(base)
    write_reports(world, base, run)
    show(world, base, run, form, output)
    return 1 if run.verdict == "fail" else 0
