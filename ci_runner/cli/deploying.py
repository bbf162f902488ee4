"""From the flags of a deployment to its exit code; with --json every way it can end is one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_runner.cli.deploy_options import address, request
from ci_runner.cli.signals import interruptible
from ci_runner.cli.telling import concluded
from ci_runner.config.options import BY_NAME
from ci_runner.errors import PilotageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci_runner.cli.deploy_output import Teller
    from ci_runner.cli.world import World
    from ci_runner.deploy import Answer
    from ci_runner.model.deploy import Plan, Revision


def split(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The flags of the manifest, and the command's own."""
    return {k: v for k, v in given.items() if k in BY_NAME}, {k: v for k, v in given.items() if k not in BY_NAME}


def deploy(
    world: World, name: str | None, given: dict[str, Any], teller: Teller, *, dry_run: bool, back: bool = False
) -> int:
    """Deploy (or go ``back``), or with ``dry_run`` say what would be done."""
    from msgspec.structs import replace

    from ci_runner.cli.setup import ground
    from ci_runner.deploy import Stop
    from ci_runner.journeys import deploying

    flags, own = split(given)
    try:
        base = ground(world, flags)
        asked = request(world, base, name, own, local=bool(flags.get("dir")))
        asked = replace(asked, back=back)
        stop = Stop()
        if dry_run:
            return teller.planned(deploying.decide(base, asked, stop))
        outcome = interruptible(stop, lambda: deploying.run(base, asked, teller.voice(), stop))
    except PilotageError as error:
        return teller.failed(error)
    code = teller.ended(outcome)
    concluded(world, base, [outcome])
    return code


def planned(world: World, name: str | None, given: dict[str, Any]) -> tuple[Plan, Mapping[str, int]]:
    """The plan, and how many rows the tables in it have by the database's own statistics."""
    from ci_runner.cli.setup import ground
    from ci_runner.deploy import Stop
    from ci_runner.journeys import deploying

    flags, own = split(given)
    base = ground(world, flags)
    return deploying.measured(base, request(world, base, name, own, local=bool(flags.get("dir"))), Stop())


def resolve(world: World, name: str | None, given: dict[str, Any], answer: Answer, reason: str) -> Revision:
    """Settle what is in doubt."""
    from ci_runner.cli.setup import ground
    from ci_runner.deploy import Stop
    from ci_runner.journeys import deploying

    flags, own = split(given)
    base = ground(world, flags)
    return deploying.resolve(base, address(world, own), name, answer, reason, Stop())
