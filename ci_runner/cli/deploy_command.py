"""``pilotage deploy``: brings a database to the state of a directory."""

from __future__ import annotations

from typing import Any

import click

from ci_runner.cli.deploy_options import Answering, how, where
from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("deploy", cls=Answering)
@click.argument("name", required=False, metavar="[NAME]")
@where
@how
@click.option("--plan", metavar="DIGEST", help="Run only the plan with this digest (pilotage plan).")
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option(
    "--repair-indexes", is_flag=True, help="Drop an index that a killed CREATE INDEX CONCURRENTLY left unfinished."
)
@click.option("--lock-wait", metavar="TIME", help="How long to wait for another deployment. [10m]")
@click.option(
    "--lock-timeout", metavar="TIME", help="How long a statement may wait for a lock before it is tried again. [5s]"
)
@click.option("--timeout", metavar="TIME", help="How long a statement may run. [no limit]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/deploy.md).")
@manifest("deploy")
@click.pass_obj
def command(world: World, /, name: str | None, dry_run: bool, as_json: bool, **given: Any) -> int:
    """Bring a database to the state of a directory: NAME from the registry, or --dir from here.

    Each statement takes effect exactly once, or the run stops and says what it knows. Exit codes: 0 done · 1 the database refused
    a statement · 2 usage · 3 needs a decision (edited, out of order, not clean) · 4 in doubt, needs a person · 5 run again ·
    6 the registry is not what it was.

    \b
    pilotage deploy app --to "$DATABASE_URL"                the latest state in the registry
    pilotage deploy 'pilotage://app?tag=v1.4' --to "$DATABASE_URL"
    pilotage deploy --dir migrations --to sqlite://app.db   straight from a folder
    """
    from ci_runner.cli.deploy_output import Teller
    from ci_runner.cli.deploying import deploy

    return deploy(world, name, given, Teller(world, as_json=as_json), dry_run=dry_run)
