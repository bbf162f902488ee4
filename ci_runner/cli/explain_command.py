"""``pilotage explain``: what each statement of a file does."""

from __future__ import annotations

import json

import click
from msgspec.structs import asdict

from ci_runner.cli.options import choice
from ci_runner.cli.world import World
from ci_runner.model.report import StatementEffect
from ci_runner.model.stats import amount
from ci_runner.text import line


@click.command("explain")
@click.argument("file", metavar="FILE")
@choice("dialect", "SQL dialect; taken from the configuration or guessed when not given")
@choice("dir_format", "Directory format; taken from the configuration or detected when not given")
@click.option("--server-version", metavar="VERSION", help="Version of the production server.")
@click.option("--stats", metavar="FILE", help="File with the rows and bytes of production's tables.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/explain.md).")
@click.pass_obj
def command(world: World, /, file: str, as_json: bool, **flags: object) -> None:
    """Show what each statement of FILE does, to what, with which lock, and for how long in kind.

    The effect is metadata (an instant), scan (reads the table), rewrite (copies the table) or none.
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import explain

    rows = explain.effects(ground(world, flags), world.cwd / file)
    if as_json:
        world.say(json.dumps({"statements": [document(row) for row in rows]}, indent=2, ensure_ascii=False))
        return
    for row in rows:
        what = ", ".join(
            f"{kind} {name}".strip() + (" (conditional)" if maybe else "") for kind, name, maybe in row.operations
        )
        world.say(click.style(f"{row.line}: ", dim=True) + click.style(line(row.text)[: world.width - 8], bold=True))
        if what:
            world.say(f"   {what}")
        if row.not_analysed:
            world.say(click.style(f"   not analysed: {row.not_analysed}", fg="yellow"))
        if row.operations:
            colour = {"rewrite": "red", "scan": "yellow"}.get(row.effect, "green")
            much = f" of {amount(row.size)}" if row.size else ""
            world.say(f"   {click.style(row.effect, fg=colour)}{much}{', lock: ' + row.lock if row.lock else ''}")


def document(row: StatementEffect) -> dict[str, object]:
    """One statement as JSON values."""
    found = asdict(row)
    size = found.pop("size")
    found["rows"], found["bytes"] = (size.rows, size.bytes) if size else (None, None)
    found["operations"] = [{"kind": k, "object": o, "conditional": c} for k, o, c in found["operations"]]
    ordered = ("line", "end_line", "text", "operations", "lock", "effect", "rows", "bytes", "not_analysed")
    return {key: found[key] for key in ordered}
