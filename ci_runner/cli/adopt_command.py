"""``pilotage adopt``: takes over what another migration tool remembers."""

from __future__ import annotations

from typing import Any

import click

from ci_runner.cli.deploy_options import Answering, where
from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("adopt", cls=Answering)
@click.argument("name", required=False, metavar="[NAME]")
@where
@click.option("--from", "tool", metavar="TOOL", help="Whose history; found out when there is only one.")
@click.option("--compat", is_flag=True, help="From now on write that tool's rows, too, so that going back is possible.")
@click.option("--allow-missing", is_flag=True, help="Leave versions out that have no file any more.")
@click.option("--dry-run", is_flag=True, help="Say what would be taken over; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as deploy does.")
@manifest("baseline")
@click.pass_obj
def command(world: World, /, name: str | None, dry_run: bool, as_json: bool, **given: Any) -> int:
    """Take over the history of Atlas, Flyway, golang-migrate, dbmate, Rails, goose, Prisma, Diesel, sqlx, Supabase, Drizzle or Liquibase.

    Reads that tool's table and notes what it has applied, in one transaction; nothing runs, and its table stays as it is. Exit code 3
    when it is half-way, when a version has no file, or when a file is not the one that was applied.

    \b
    pilotage adopt app --to "$DATABASE_URL"
    pilotage adopt --dir migrations --to "$DATABASE_URL" --from goose --compat
    """
    from ci_runner.cli.deploy_output import Teller
    from ci_runner.cli.deploying import deploy
    from ci_runner.deploy import Adopt

    given["adopt"] = Adopt(given.pop("tool"), given.pop("compat"), given.pop("allow_missing"))
    return deploy(world, name, given, Teller(world, as_json=as_json), dry_run=dry_run)
