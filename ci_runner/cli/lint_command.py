"""``pilotage lint``: checks the changed migrations."""

from __future__ import annotations

import click

from ci_runner.cli.options import among, manifest
from ci_runner.cli.world import World
from ci_runner.config.options import REPORTS
from ci_runner.errors import UsageError


@click.command("lint")
@click.option(
    "--format",
    "form",
    default="text",
    help=f"What to print: {', '.join(REPORTS)}.  [text]",
    metavar="FORMAT",
    shell_complete=among(REPORTS),
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--output", metavar="FILE", help="Write that to FILE instead of printing it.")
@click.option(
    "--fix", is_flag=True, help="Make the suggested changes that keep the meaning, in files not released yet."
)
@click.option("--dry-run", is_flag=True, help="With --fix: print the changes as a diff and make none.")
@click.option(
    "--write-baseline", metavar="FILE", help="Write what is found in all files to FILE, as known from now on."
)
@manifest("lint")
@click.pass_obj
def command(
    world: World,
    /,
    form: str,
    output: str | None,
    fix: bool,
    dry_run: bool,
    write_baseline: str | None,
    **flags: object,
) -> int:
    """Check the changed migrations and replay them on a dev database.

    What changed is found in Git: against the merge base with the default branch, unless --base, --latest or --all says
    otherwise. Outside Git every file is analysed. Exit code 1 only when the verdict is "fail".

    \b
    pilotage lint --dir migrations --dialect postgres
    pilotage lint --dev-url embedded://postgres/18 --report sarif=pilotage.sarif
    pilotage lint --latest 1 --format json
    pilotage lint --fix --dry-run
    """
    from ci_runner.cli import linting

    if dry_run and not fix:
        raise UsageError("--dry-run goes with --fix: it shows what --fix would change")
    if write_baseline:
        linting.keep(world, flags, write_baseline)
        return 0
    return linting.lint(world, flags, form, output, fix="preview" if dry_run else "write" if fix else None)
