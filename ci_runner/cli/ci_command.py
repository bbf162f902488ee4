"""``pilotage ci``: does what this CI run is for."""

from __future__ import annotations

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World


@click.command("ci")
@manifest("ci")
@click.pass_obj
def command(world: World, /, **flags: object) -> int:
    """Do what this CI run is for: lint a pull request and comment on it, push a merge, or nothing — and say why.

    A comment that cannot be posted is a warning; a push that fails, fails.
    """
    from ci_runner.cli.output import rendered, write_reports
    from ci_runner.cli.setup import ground
    from ci_runner.cli.telling import telling
    from ci_runner.journeys import ci, happening

    begun = world.now()
    base, choice, warning = ci.settle(ground(world, flags))
    if warning:
        world.warn(warning)
    world.note(f"{choice.journey}: {choice.reason}")
    if choice.journey == "lint":
        done = ci.lint(base, world.log)
        world.say(rendered(world, base, done.run, "text", to_file=False).rstrip("\n"))
        for line in done.posted.done:
            world.note(line)
        for line in done.posted.warnings:
            world.warn(line)
        write_reports(world, base, done.run)
        # The job of a pull request holds no credential that writes to the registry.
        with telling(world, base, "lint", begun, record=False) as happened:
            happened(lambda: happening.linted(base, done.run))
        return 1 if done.run.verdict == "fail" else 0
    if choice.journey == "push":
        with telling(world, base, "push", begun) as happened:
            ended = lambda name, end: happened(lambda: happening.pushed(base, name, end))  # noqa: E731
            return _push(world, ci.push(base, world.log, ended))
    return 0


def _push(world: World, results: list) -> int:  # type: ignore[type-arg]
    from ci_runner.cli.push_command import describe

    for name, pushed in results:
        describe(world, name, pushed)
    return max((pushed.exit_code for _, pushed in results), default=0)
