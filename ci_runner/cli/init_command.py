"""``pilotage init``: writes pilotage.yml and the CI file."""

from __future__ import annotations

import click

from ci_runner.cli.options import among, choice
from ci_runner.cli.world import World
from ci_runner.config.options import BY_NAME

PLATFORMS = tuple(name for name in BY_NAME["platform"].choices if name != "local")


@click.command("init")
@click.option("--dir", "directory", metavar="DIR", help="Migration directory; found by looking when not given.")
@choice("dialect", "SQL dialect; guessed from the files when not given")
@click.option(
    "--platform",
    metavar="PLATFORM",
    help=f"CI platform to write a file for ({', '.join(PLATFORMS)}); found by looking when not given.",
    shell_complete=among(PLATFORMS),
)
@click.option("--registry", metavar="URL", help="Registry for merged states.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.option("--dry-run", is_flag=True, help="Print what would be written.")
@click.pass_obj
def command(
    world: World,
    /,
    directory: str | None,
    dialect: str | None,
    platform: str | None,
    registry: str | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Write pilotage.yml and the CI file for the platform this repository is on."""
    from ci_runner.cli.setup import repository
    from ci_runner.journeys import init
    from ci_runner.text import visible

    root, git = repository(world)
    plan = init.plan(root, git, directory=directory, dialect=dialect, platform=platform, registry=registry)
    for note in plan.notes:
        world.note(note)
    for path, text in plan.files:
        if dry_run:
            world.say(f"--- {visible(path)}\n{text}")
            continue
        written = init.write(root, path, text, force=force)
        world.say(f"{'written' if written else 'kept (use --force to replace it)'}: {visible(path)}")
    if not dry_run:
        world.say(f"next: pilotage lint, then commit {' and '.join(path for path, _ in plan.files)}")
