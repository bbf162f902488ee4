"""``pilotage stats``: how large production's tables are, for findings to say."""

from __future__ import annotations

import click

from ci_runner.cli.world import World
from ci_runner.errors import UsageError
from ci_runner.text.counting import counted

VARIABLE = "PILOTAGE_STATS_URL"
NAMED = 5


@click.command("stats")
@click.option(
    "--url",
    metavar="URL",
    help=f"The database to ask; better in the variable {VARIABLE}, where no list of processes shows it.",
)
@click.option("--output", metavar="FILE", help="Write them to FILE, for example stats.yml, instead of printing them.")
@click.pass_obj
def command(world: World, /, url: str | None, output: str | None) -> None:
    """Write the rows and bytes of every table of a database as stats.yml, which the option stats of pilotage.yml names.

    One connection, read only, with time-outs; the figures are the database's own estimates, no table is read (of SQLite without ANALYZE rows are
    counted). A user that may log in is enough for PostgreSQL; elsewhere it sees the tables it may select from. The address is never printed.

    \b
    PILOTAGE_STATS_URL=postgres://reader:…@db/shop pilotage stats --output stats.yml
    """
    from ci_runner.cli.output import write
    from ci_runner.cli.world import keep_password, keep_secret
    from ci_runner.journeys import stats

    chosen = url or world.environ.get(VARIABLE)
    if not chosen:
        raise UsageError(f"give the database with --url, or in the variable {VARIABLE}")
    keep_secret(chosen)
    keep_password(chosen)
    found = stats.measure(chosen, world.now().date().isoformat())
    if output:
        write(world.cwd / output, found.text)
    else:
        world.say(found.text, newline=False)
    where = f", written to {output}" if output else ""
    world.note(f"{counted(found.tables, 'table')} of {found.engine}{where}")
    if found.unknown:
        more = " …" if len(found.unknown) > NAMED else ""
        world.note(f"never counted, run ANALYZE there: {', '.join(found.unknown[:NAMED])}{more}")
