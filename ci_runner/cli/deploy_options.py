"""The flags that deploy, plan, status and the commands around them share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ci_runner.cli.deploy_requests import URL_VARIABLE
from ci_runner.errors import PilotageError, UsageError

if TYPE_CHECKING:
    from ci_runner.cli.world import World

Function = TypeVar("Function", bound=Callable[..., Any])

_DATABASE = (
    click.option("--to", "url", metavar="URL", help=f"The database; else the variable {URL_VARIABLE}."),
    click.option(
        "--env", metavar="NAME", help="The databases of this environment in pilotage.yml (docs/environments.md)."
    ),
    click.option("--database", metavar="NAME", help="Only this database of the environment."),
)
_WHERE = (
    *_DATABASE,
    click.option("--commit", metavar="SHA", help="Take the directory from this Git commit."),
    click.option("--require-primary", is_flag=True, help="Read the registry itself, never a backup."),
)
_HOW = (
    click.option(
        "--order",
        type=click.Choice(["linear", "linear-skip", "non-linear"]),
        help="What a file that sorts before an applied one means. [linear]",
    ),
    click.option(
        "--drift",
        type=click.Choice(["off", "warn", "error"]),
        help="What a schema that changed since the last deployment means. [warn]",
    ),
    click.option("--to-version", metavar="V", help="Up to this version."),
    click.option("--amount", type=click.IntRange(1), metavar="N", help="At most so many files."),
    click.option(
        "--baseline",
        "baseline_version",
        metavar="V",
        help="The database holds everything up to version V (lint's --baseline is a file).",
    ),
    click.option("--allow-dirty", is_flag=True, help="Accept a database with tables that nothing was deployed to."),
    click.option(
        "--accept-registry-rollback",
        "accept_rollback",
        metavar="REASON",
        help="Accept a registry older than the one last deployed from.",
    ),
)


class Answering(click.Command):
    """A command whose ``--json`` answers a misspelt command line, too: whoever reads the answer finds one in every case."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click's; with ``--json`` a usage error is a failed deployment with code 2."""
        from ci_runner.cli.deploy_output import Teller

        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if "--json" not in given or parent is None:
                raise
            words = UsageError(f"{error.format_message()} (pilotage {info_name} --help)")
            raise click.exceptions.Exit(Teller(parent.obj, as_json=True).failed(words)) from None

    def invoke(self, ctx: click.Context) -> Any:
        """As click's; with ``--json`` what nobody expected (a full disk, Ctrl-C, a bug) is answered, too, before it ends the program."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if ctx.params.get("as_json"):
                _answer(ctx.obj, error)
            raise


def _answer(world: World, error: BaseException) -> None:
    """The one JSON object for an end that no deployment has; not where there is no room even for that."""
    from ci_runner.cli.deploy_output import Teller
    from ci_runner.model.deploy import Failure, Outcome

    code, words = 70, f"this is a bug in Pilotage, not in your migrations: {type(error).__name__}: {error}"
    if isinstance(error, PilotageError):
        code, words = error.exit_code, str(error)
    elif isinstance(error, KeyboardInterrupt):
        code, words = 130, "interrupted; what had been carried out is recorded, run again to go on"
    elif isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in {ENOSPC, EDQUOT}):
        code, words = 5, f"this machine has no room left ({error or 'out of memory'}): make room and run again"
    with suppress(OSError):
        Teller(world, as_json=True).ended(Outcome("failed", error=Failure(code, words)))


def database(function: Function) -> Function:
    """Decorator: which database."""
    for option in reversed(_DATABASE):
        function = option(function)
    return function


def where(function: Function) -> Function:
    """Decorator: which files, which database."""
    for option in reversed(_WHERE):
        function = option(function)
    return function


def how(function: Function) -> Function:
    """Decorator: what a deployment and its plan can be told."""
    for option in reversed(_HOW):
        function = option(function)
    return function
