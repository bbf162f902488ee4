"""Deploy to the databases of an environment: how many at a time, what becomes of the rest when one fails, and one approval for all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from threading import Event

from msgspec.structs import replace

from ci_runner.config import environments
from ci_runner.config.environments import Environment
from ci_runner.deploy import Adopt, Options, Stop
from ci_runner.errors import ApprovalError, ConfigError, ConflictError
from ci_runner.journeys import base, deploying
from ci_runner.journeys.deploying import Request, Voice
from ci_runner.journeys.deploying_source import Wanted
from ci_runner.journeys.ground import Ground
from ci_runner.model.deploy import Failure, Outcome, Plan


def environment(ground: Ground, name: str) -> Environment:
    """The environment called ``name``; on a pull request that of the base commit, because the head's is its author's word."""
    config = base.configured(ground) if base.proposed(ground) else ground.config
    known = config.environments if config is not None else ()
    found = next((each for each in known if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in known) or "none"
        raise ConfigError(f"there is no environment '{name}' in the configuration; there are: {names}")
    return found


def requests(ground: Ground, wanted: Wanted, options: Options, name: str) -> tuple[Environment, list[Request]]:
    """One request for each database of the environment; what the command says goes before what the environment says."""
    found = environment(ground, name)
    default = Options(options.dir)
    said = {
        "order": found.order, "drift": found.drift, "lock_wait": found.lock_wait, "lock_timeout": found.lock_timeout,
        "statement_timeout": found.timeout, "adopt": Adopt(auto=True) if found.adopt else None,
    }  # fmt: skip
    given = {
        key: value
        for key, value in said.items()
        if value is not None and getattr(options, key) == getattr(default, key)
    }
    options = replace(options, **given)
    wanted = replace(wanted, require_primary=wanted.require_primary or found.require_primary)
    databases = environments.resolved(found, ground.environ)
    return found, [
        Request(wanted, url, options, f"{name}-{database}" if database else name, database)
        for database, url in databases
    ]


def run(
    ground: Ground, found: Environment, asked: Sequence[Request], voice: Callable[[str], Voice], stop: Stop
) -> list[Outcome]:
    """Deploy to all of them, at most ``found.parallel`` at a time, in the order of the file; an outcome for each."""
    from concurrent.futures import ThreadPoolExecutor

    asked = approved(ground, found, asked, stop)
    failed = Event()

    def one(request: Request) -> Outcome:
        if failed.is_set() and found.on_failure == "stop":
            return _not_begun(request)
        outcome = deploying.run(ground, request, voice(request.database), stop.child())
        if outcome.error is not None:
            failed.set()
        return outcome

    with ThreadPoolExecutor(max(1, min(found.parallel, len(asked)))) as pool:
        return list(pool.map(one, asked))


def _not_begun(request: Request) -> Outcome:
    words = "not begun, because another database of this environment failed; run again when that is mended (on_failure: continue goes on)"
    return Outcome("failed", error=Failure(5, words), environment=request.environment, database=request.database)


def approved(ground: Ground, found: Environment, asked: Sequence[Request], stop: Stop) -> list[Request]:
    """The requests with the digest of their own plan each, when the one given stands for all of them together.

    UsageError where the environment wants an approval and there is none, ConflictError when anything changed since.
    """
    digest = asked[0].options.plan if asked else None
    if digest is None:
        if found.require_approval and not any(request.back for request in asked):
            raise ApprovalError(
                f"environment '{found.name}' wants an approval: run 'pilotage plan --env {found.name}', have it approved, and deploy with "
                "--plan DIGEST"
            )
        return list(asked)
    if len(asked) == 1:
        return list(asked)
    plans = [deploying.decide(ground, request, stop) for request in asked]
    if all(not plan.steps and not plan.baseline for plan in plans):
        return list(asked)
    if together(plans).removeprefix("sha256:") != digest.removeprefix("sha256:"):
        raise ConflictError(
            f"these are not the plans that were approved: their digest is {together(plans)}, not {digest}. Files, a database, its version or its "
            "schema changed since: run 'pilotage plan' again and have that approved"
        )
    return [
        replace(request, options=replace(request.options, plan=plan.digest))
        for request, plan in zip(asked, plans, strict=True)
    ]


def together(plans: Sequence[Plan]) -> str:
    """One digest for the plans of several databases; that of the only one for one."""
    if len(plans) == 1:
        return plans[0].digest
    return "sha256:" + hashlib.sha256("\n".join(plan.digest for plan in plans).encode()).hexdigest()


def code(outcomes: Sequence[Outcome]) -> int:
    """The exit code of all: in doubt before anything, else that of the first that failed."""
    codes = [outcome.exit_code for outcome in outcomes if outcome.exit_code]
    return 4 if 4 in codes else codes[0] if codes else 0
