"""``pilotage ls``: the migrations as Pilotage reads them."""

from __future__ import annotations

import json
from typing import Any

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.text import visible
from ci_runner.text.counting import counted


@click.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/directories.md).")
@manifest("ls")
@click.pass_obj
def command(world: World, /, as_json: bool, **flags: object) -> int:
    """List the migrations as read: format, order, versions, transaction mode, problems. Runs nothing.

    Exit code 1 with an error among the problems, 2 when the directory is refused.
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys.listing import listings

    found = listings(ground(world, flags))
    if as_json:
        shown = [listing for _, listing in found]
        world.say(json.dumps(shown[0] if len(shown) == 1 else shown, indent=2, ensure_ascii=False))
    else:
        for name, listing in found:
            _print(world, name, listing)
    return max((_code(listing) for _, listing in found), default=0)


def _code(listing: dict[str, Any]) -> int:
    if listing.get("refused"):
        return 2
    return 1 if any(problem["level"] == "error" for problem in listing.get("problems", ())) else 0


def _print(world: World, name: str, listing: dict[str, Any]) -> None:
    files = listing.get("files", [])
    dialect = f" · {listing['dialect']}" if listing.get("dialect") else ""
    world.say(
        f"{visible(name)}: {listing.get('format') or 'format unknown'}{dialect} · {counted(len(files), 'migration')}"
    )
    width = max((len(file["name"]) for file in files), default=0)
    for file in files:
        kind = f"  {file['kind']}" if file.get("kind") else ""
        count = file["statements"]
        world.say(
            f"  {visible(file['name']):{width}}  {visible(file['version']) or '-'}  {counted(count, 'statement')}"
            f"  transaction: {file['transaction']}{kind}"
        )
    if refused := listing.get("refused"):
        world.say(
            click.style(f"  refused: {refused['code']}", fg="red") + f"  {visible(str(refused.get('message', '')))}"
        )
    for problem in (*listing.get("problems", ()), *listing.get("notices", ())):
        colour = {"error": "red", "warning": "yellow"}.get(problem["level"], "cyan")
        where = ":".join(str(problem[key]) for key in ("file", "line") if problem.get(key))
        world.say(
            f"  {click.style(problem['level'], fg=colour)} {problem['code']} {visible(where)}  {visible(problem.get('message', ''))}"
        )
    for skipped in listing.get("skipped", ()):
        world.say(f"  not run: {visible(str(skipped))}")
