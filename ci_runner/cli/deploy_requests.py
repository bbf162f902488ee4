"""From the flags of deploy, plan, status and the commands around them to which files go to which database, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_runner.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from ci_runner.cli.world import World
    from ci_runner.config.environments import Environment
    from ci_runner.deploy import Options
    from ci_runner.journeys.deploying import Request
    from ci_runner.journeys.ground import Ground

URL_VARIABLE = "PILOTAGE_DATABASE_URL"


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
