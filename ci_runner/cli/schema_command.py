"""``pilotage schema``: the schema that the migrations of a directory come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci_runner.cli.options import among, manifest
from ci_runner.cli.world import World
from ci_runner.errors import UsageError
from ci_runner.text.counting import counted

if TYPE_CHECKING:
    from ci_runner.journeys.schema import State

FORMATS = ("mermaid", "svg", "sql", "json")


@click.command("schema")
@click.option(
    "--format",
    "form",
    default="mermaid",
    metavar="FORMAT",
    help=f"One of {', '.join(FORMATS)}.  [mermaid]",
    shell_complete=among(FORMATS),
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--output", metavar="FILE", help="Write it to FILE instead of printing it.")
@click.option("--at", metavar="VERSION", help="The schema after this version instead of the newest.")
@click.option("--tables", metavar="NAMES", help="Only these tables of a picture: names with * and ?, parted by commas.")
@manifest("schema")
@click.pass_obj
def command(
    world: World, /, form: str, output: str | None, at: str | None, tables: str | None, **flags: object
) -> None:
    """Show the schema that a directory's migrations come to: as a diagram, as CREATE statements, or as JSON.

    With a dev database they are run on it and it is asked; without one their text is read. The last line on stderr says which it was.

    \b
    pilotage schema --dir migrations --format svg --output schema.svg
    pilotage schema --format sql --at 20240611093000
    pilotage schema --tables 'order*,customer' --dev-url embedded://postgres/18
    """
    from ci_runner.cli.output import write
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import schema

    _check(form, tables)
    base = ground(world, flags)
    if len(base.config.directories) > 1:
        names = ", ".join(each.dir for each in base.config.directories)
        raise UsageError(f"the configuration has several directories ({names}): pick one with --dir")
    state = schema.state(base, base.config.directories[0], at)
    patterns = [each.strip() for each in (tables or "").split(",") if each.strip()]
    text = _text(form, state, sorted(schema.chosen(state.schema, patterns)))
    if output:
        write(world.cwd / output, base.redact(text))
    else:
        world.say(text, newline=False)
    count = len(state.schema.tables)
    how = f"run on {state.engine}" if state.engine else f"read as {state.dialect}, without a dev database (--dev-url)"
    world.note(f"{counted(count, 'table')} at version {state.version or '-'} of {state.path}, {how}")


def _check(form: str, tables: str | None) -> None:
    """UsageError for a format nobody knows, before any work is done."""
    if form not in FORMATS:
        from difflib import get_close_matches

        close = get_close_matches(form, FORMATS, 1)
        hint = f" — did you mean '{close[0]}'?" if close else ""
        raise UsageError(f"unknown format '{form}'{hint} (one of {', '.join(FORMATS)})")
    if tables and form not in ("mermaid", "svg"):
        raise UsageError(f"--tables is for pictures: {form} shows the whole schema")


def _text(form: str, state: State, tables: list[str]) -> str:
    from ci_runner.formats import schema as formats

    if form in ("mermaid", "svg"):
        title = f"Schema of {state.path}" + (f" at version {state.version}" if state.version else "")
        return formats.picture(form, state.schema, tables, title)
    where = f"{state.path} at version {state.version or '-'}"
    source = f"as {state.engine} has it" if state.engine else f"as the text of its migrations says ({state.dialect})"
    if form == "sql":
        return formats.script(state.statements, state.dialect, " ".join(f"{where}, {source}".split()))
    facts = {"path": state.path, "dialect": state.dialect, "version": state.version, "engine": state.engine or None}
    return formats.document(state.schema, facts)
