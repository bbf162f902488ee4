"""From the flags of a deployment to its exit code; with --json every way it can end is one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_runner.cli.deploy_requests import one, requests
from ci_runner.cli.signals import interruptible
from ci_runner.cli.telling import beginning, concluded, failed
from ci_runner.config.options import BY_NAME
from ci_runner.errors import PilotageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci_runner.cli.deploy_output import Teller
    from ci_runner.cli.world import World
    from ci_runner.deploy import Answer
    from ci_runner.model.deploy import Plan, Revision, Standing


def split(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The flags of the manifest, and the command's own."""
    return {k: v for k, v in given.items() if k in BY_NAME}, {k: v for k, v in given.items() if k not in BY_NAME}


def deploy(
    world: World, name: str | None, given: dict[str, Any], teller: Teller, *, dry_run: bool, back: bool = False
) -> int:
    """Deploy (or go ``back``), or with ``dry_run`` say what would be done; to every database of an environment."""
    from msgspec.structs import replace

    from ci_runner.cli.setup import ground
    from ci_runner.deploy import Stop
    from ci_runner.journeys import deploying, deploying_many

    flags, own = split(given)
    begun = world.now()
    base = None
    try:
        base = ground(world, flags)
        environment, found = requests(world, base, name, own, local=bool(flags.get("dir")))
        found = [replace(each, back=back) for each in found]
        stop = Stop()
        if dry_run:
            return teller.all_planned([(each.database, deploying.decide(base, each, stop), {}) for each in found])
        if environment is None or len(found) == 1:
            asked = deploying_many.approved(base, environment, found, stop)[0] if environment else found[0]
            beginning(world, base, begun, [asked])
            outcomes = [interruptible(stop, lambda: deploying.run(base, asked, teller.voice(), stop))]
        else:
            beginning(world, base, begun, found)
            outcomes = interruptible(stop, lambda: deploying_many.run(base, environment, found, teller.voice, stop))
    except PilotageError as error:
        if base is not None and not dry_run:
            failed(world, base, begun, name, own.get("env"), error)
        return teller.failed(error)
    code = teller.all_ended(outcomes) if len(found) > 1 else teller.ended(outcomes[0])
    concluded(world, base, begun, outcomes)
    return code


def planned(world: World, name: str | None, given: dict[str, Any]) -> list[tuple[str, Plan, Mapping[str, int]]]:
    """For each database its name, the plan, and how many rows the tables in it have by the database's own statistics."""
    from ci_runner.cli.setup import ground
    from ci_runner.deploy import Stop
    from ci_runner.journeys import deploying

    flags, own = split(given)
    base = ground(world, flags)
    _, found = requests(world, base, name, own, local=bool(flags.get("dir")))
    return [(each.database, *deploying.measured(base, each, Stop())) for each in found]


def standings(world: World, name: str | None, given: dict[str, Any]) -> list[tuple[str, Standing]]:
    """For each database its name and where it stands."""
    from ci_runner.cli.setup import ground
    from ci_runner.deploy import Stop
    from ci_runner.journeys import deploying

    flags, own = split(given)
    base = ground(world, flags)
    _, found = requests(world, base, name, own, local=bool(flags.get("dir")))
    return [(each.database, deploying.standing(base, each, Stop())) for each in found]


def resolve(world: World, name: str | None, given: dict[str, Any], answer: Answer, reason: str) -> Revision:
    """Settle what is in doubt, and record that."""
    from ci_runner.cli.setup import ground
    from ci_runner.deploy import Stop
    from ci_runner.journeys import deploying

    flags, own = split(given)
    base = ground(world, flags)
    asked = one(world, base, None, own, local=True)
    outcome, row = deploying.resolve(base, asked, name, answer, reason, Stop())
    concluded(world, base, world.now(), [outcome])
    return row
