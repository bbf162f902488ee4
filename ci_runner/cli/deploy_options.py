"""The flags that deploy, plan, status and the commands around them share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ci_runner.errors import ConfigError, PilotageError, UsageError

if TYPE_CHECKING:
    from ci_runner.cli.world import World
    from ci_runner.config.environments import Environment
    from ci_runner.deploy import Options
    from ci_runner.journeys.deploying import Request
    from ci_runner.journeys.ground import Ground

Function = TypeVar("Function", bound=Callable[..., Any])
URL_VARIABLE = "PILOTAGE_DATABASE_URL"

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


def requests(
    world: World, base: Ground, name: str | None, given: dict[str, Any], *, local: bool
) -> tuple[Environment | None, list[Request]]:
    """The environment, if one is named, and a request for each database; UsageError when no database or more than one source is named."""
    from ci_runner.cli.world import keep_password
    from ci_runner.journeys.deploying import Request

    files, how = wanted(base, name, given, local=local), options(given)
    env = given.get("env")
    if env is None or given.get("url") or not _configured(base, env, world):
        return None, [Request(files, address(world, given), how, env or "")]
    from ci_runner.journeys import deploying_many

    environment, found = deploying_many.requests(base, files, how, env)
    keep_password(*(each.url for each in found))
    only = given.get("database")
    if only is not None:
        found = [each for each in found if each.database == only]
    if not found:
        raise UsageError(f"environment '{env}' has no database '{only}'")
    return environment, found


def _configured(base: Ground, env: str, world: World) -> bool:
    """Whether the environment's databases are those of the configuration; else its name alone goes with the variable's address."""
    from ci_runner.journeys import deploying_many

    try:
        deploying_many.environment(base, env)
    except ConfigError:
        if world.environ.get(URL_VARIABLE):
            return False
        raise
    return True


def one(world: World, base: Ground, name: str | None, given: dict[str, Any], *, local: bool) -> Request:
    """The only request; UsageError where an environment has several databases."""
    _, found = requests(world, base, name, given, local=local)
    if len(found) > 1:
        names = ", ".join(each.database for each in found[:10])
        raise UsageError(f"which database? give --database NAME: environment '{given.get('env')}' has {names}")
    return found[0]


def address(world: World, given: dict[str, Any]) -> str:
    """The database's URL, whose password is never printed from now on."""
    from ci_runner.cli.world import keep_password

    url: str | None = given.get("url") or world.environ.get(URL_VARIABLE)
    if not url:
        raise UsageError(f"which database? give --to URL, --env NAME or set {URL_VARIABLE}")
    keep_password(url)
    return url


def wanted(base: Ground, name: str | None, given: dict[str, Any], *, local: bool) -> Any:
    """Which files: NAME is one of the registry, unless a folder or a commit is named, too; then it is only what they are called."""
    from ci_runner.journeys.deploying_source import Wanted

    directories = base.config.directories
    commit = given.get("commit")
    from_registry = name is not None and not local and commit is None
    named = [each for each in directories if name is not None and each.name == name.partition(":")[0]]
    if not from_registry and len(directories) > 1 and not named:
        known = ", ".join(each.name for each in directories)
        raise UsageError(f"which directory? there are {known}: give NAME for one in the registry, or --dir DIR")
    return Wanted(
        directory=(named or list(directories))[0],
        reference=name if from_registry else None,
        commit=commit,
        name=None if from_registry else name,
        require_primary=bool(given.get("require_primary")),
    )


def options(given: dict[str, Any]) -> Options:
    """The options of the flags; what is not given keeps its default."""
    from ci_runner.deploy import Options

    known: dict[str, Any] = {
        "order": given.get("order"),
        "drift": given.get("drift"),
        "to_version": given.get("to_version"),
        "amount": given.get("amount"),
        "baseline": given.get("baseline_version"),
        "only_baseline": given.get("only_baseline"),
        "clean": given.get("allow_dirty"),
        "adopt": given.get("adopt"),
        "plan": given.get("plan"),
        "accept_rollback": given.get("accept_rollback"),
        "repair_indexes": given.get("repair_indexes"),
        "lock_wait": _seconds(given, "lock_wait"),
        "lock_timeout": _seconds(given, "lock_timeout"),
        "statement_timeout": _seconds(given, "timeout"),
    }
    return Options(dir="", **{key: value for key, value in known.items() if value is not None})


def _seconds(given: dict[str, Any], name: str) -> float | None:
    from ci_runner.text.durations import milliseconds

    text = given.get(name)
    if text is None:
        return None
    found = milliseconds(text)
    if found is None:
        raise UsageError(f"--{name.replace('_', '-')} takes a duration such as 30s, 500ms or 10m, not {text!r}")
    return found / 1000
