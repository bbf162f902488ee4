"""``pilotage push``: puts the directory into the registry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.errors import PilotageError
from ci_runner.text import visible

if TYPE_CHECKING:
    from ci_runner.model.registry import Pushed

_SAID = {
    "ok": "pushed as version {seq}",
    "noop": "already there as version {seq}, nothing to push",
    "stale": "an older state than version {seq}: kept, latest stays where it is",
    "diverged": "not pushed: its history differs from version {seq}",
}
_TAGGED = "already there, now tagged {tags} (version {seq})"


@click.command("push")
@click.argument("reference", metavar="NAME[:TAG]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--allow-rewrite", is_flag=True, help="Accept a history that differs from the registry's; the entry says so."
)
@click.option("--move-tag", is_flag=True, help="Let TAG move from the version it names now.")
@click.option(
    "--unsafe-single-writer",
    "single_writer",
    is_flag=True,
    help="Use a store that fails its check; every version says so.",
)
@manifest("push")
@click.pass_obj
def command(
    world: World,
    /,
    reference: str,
    as_json: bool,
    allow_rewrite: bool,
    move_tag: bool,
    single_writer: bool,
    **flags: object,
) -> int:
    """Put the directory into the registry as the next version of NAME, tagged TAG when given.

    The same content again is no new version. Where a dev database is configured the whole directory is replayed first. Exit
    code 3 when the history in the registry differs: somebody edited or removed what was released.

    \b
    pilotage push app --dir migrations --registry file:///srv/registry
    pilotage push app:v1.4 --registry file:///srv/registry
    """
    from ci_runner.cli.setup import ground
    from ci_runner.cli.telling import telling
    from ci_runner.journeys import happening, push

    begun = world.now()
    base = ground(world, flags)
    with telling(world, base, "push", begun) as happened:
        try:
            name, pushed = push.one(
                base, reference, allow_rewrite=allow_rewrite, move_tag=move_tag, single_writer=single_writer
            )
        except PilotageError as error:
            refused = error
            happened(lambda: happening.rejected(base, push.name_of(reference), refused))
            raise
        if as_json:
            world.say(json.dumps(document(pushed), indent=2))
        else:
            describe(world, name, pushed)
        happened(lambda: happening.pushed(base, name, pushed))
    return pushed.exit_code


def document(pushed: Pushed) -> dict[str, object]:
    """The JSON of a push."""
    found: dict[str, object] = {
        "outcome": pushed.outcome,
        "seq": pushed.seq,
        "digest": pushed.digest,
        "head": pushed.head,
        "stores": dict(pushed.stores),
    }
    if pushed.differences:
        found["differences"] = list(pushed.differences)
    if pushed.reason:
        found["reason"] = pushed.reason
    if pushed.degraded:
        found["degraded"] = True
    return found


def describe(world: World, name: str, pushed: Pushed) -> None:
    """Say what a push came to."""
    if pushed.degraded:
        world.warn(
            f"{visible(name)}: the registry is down; a backup took the push, and it gets its number when the registry is back"
        )
        _stores(world, pushed)
        return
    mark = click.style("✗", fg="red") if pushed.outcome == "diverged" else click.style("✓", fg="green")
    said = _TAGGED if pushed.outcome == "noop" and pushed.tagged else _SAID[pushed.outcome]
    world.say(f"{mark} {visible(name)}: {said.format(seq=pushed.seq, tags=', '.join(pushed.tagged))}")
    world.note(f"  digest {pushed.digest}\n  head   {pushed.head}")
    _stores(world, pushed)
    for line in pushed.differences:
        world.say(f"  {visible(line)}")
    if pushed.reason:
        world.say(f"  {visible(pushed.reason)}")
    for line in pushed.warnings:
        world.warn(line)


def _stores(world: World, pushed: Pushed) -> None:
    for store, state in pushed.stores.items():
        world.note(f"  {store}: {visible(state)}")
