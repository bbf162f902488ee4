"""Deploy: find the files, open the database, decide, carry out; one outcome for output, record and notification."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from ci_runner import __version__, databases, deploy
from ci_runner.databases import NobodyThere, Target
from ci_runner.deploy import Options, Stop, Tools
from ci_runner.errors import PilotageError, RefusedError, TemporaryError, UsageError
from ci_runner.journeys.deploying_source import Found, Wanted, find, name_of, reading
from ci_runner.journeys.ground import Ground, hold
from ci_runner.model.deploy import Applied, Failure, Outcome, Plan, Revision, Standing

_TRIES, _PAUSE = 5, 12.0


class Voice(Struct, frozen=True):
    """How a deployment talks while it runs: remarks, and each file when it is through."""

    say: Callable[[str], None]
    done: Callable[[Applied], None]


class Request(Struct, frozen=True):
    """One deployment to one database. ``options`` are completed with what only this run knows."""

    wanted: Wanted
    url: str
    options: Options
    environment: str = ""
    database: str = ""
    back: bool = False


def run(ground: Ground, request: Request, voice: Voice, stop: Stop) -> Outcome:
    """Deploy; everything that goes wrong is in the outcome."""
    started = ground.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        refuse_forks(ground)
        target = connect(request.url, ground.nonce()[:12], stop)
    except PilotageError as error:
        return failed(request, error, started)
    try:
        found = find(ground, request.wanted, target.facts.dialect)
        options = completed(ground, request, found)
    except PilotageError as error:
        target.close()
        return failed(request, error, started)
    outcome = deploy.deploy(
        target, found.source, options, tools(ground, voice, stop), found.in_chain, back=request.back
    )
    return _named(outcome, request)


def decide(ground: Ground, request: Request, stop: Stop) -> Plan:
    """The plan of the same deployment; nothing is written and no lock taken."""
    target = connect(request.url, ground.nonce()[:12], stop, look=True)
    try:
        found = find(ground, request.wanted, target.facts.dialect)
        return deploy.decide(target, found.source, completed(ground, request, found), found.in_chain, back=request.back)
    finally:
        target.close()


def failed(request: Request, error: PilotageError, started: str) -> Outcome:
    """The outcome of a deployment that never reached its database."""
    failure = Failure(error.exit_code, str(error))
    return _named(Outcome("failed", error=failure, dir=request.options.dir, started_at=started), request)


def _named(outcome: Outcome, request: Request) -> Outcome:
    adopt = request.options.adopt
    if adopt is not None and not adopt.auto:
        return replace(outcome, environment=request.environment, database=request.database, action="adopt")
    action = "down" if request.back else "baseline" if request.options.only_baseline else "deploy"
    return replace(outcome, environment=request.environment, database=request.database, action=action)


def refuse_forks(ground: Ground) -> None:
    """RefusedError on a pull request of a fork: what it holds is a stranger's."""
    if ground.trigger.is_fork:
        raise RefusedError("a pull request from a fork deploys nothing: deploy after the merge")


def connect(url: str, run_id: str, stop: Stop, *, look: bool = False) -> Target:
    """A session on the database, or one that only is to ``look``; one just starting is tried five times in a minute, then TemporaryError."""
    for repetition in range(_TRIES):
        try:
            return databases.open_target(url, f"pilotage/{run_id}", look=look)
        except (NobodyThere, TemporaryError) as error:
            if repetition == _TRIES - 1 or stop.asked:
                raise TemporaryError(str(error)) from None
            stop.wait(random.random() * _PAUSE)  # noqa: S311 - a pause is no secret
    raise AssertionError("the last repetition raises")


def completed(ground: Ground, request: Request, found: Found) -> Options:
    """The options with what the source and this run add."""
    return replace(
        request.options,
        dir=found.name,
        explained=found.explained,
        applied_bytes=found.applied_bytes,
        actor=actor(ground),
        tool_version=__version__,
        run_id=ground.nonce(),
    )


def actor(ground: Ground) -> str:
    """Who deploys, in one word: what the CI system says, else the user of this machine."""
    trigger = ground.trigger
    name = trigger.actor or ground.environ.get("USER") or ""
    return f"{trigger.platform}:{name}" if trigger.platform != "local" else name


def tools(ground: Ground, voice: Voice, stop: Stop) -> Tools:
    """The world as a deployment needs it."""
    return Tools(ground.now, time.monotonic, stop.wait, random.random, stop, voice.say, voice.done)


def standing(ground: Ground, request: Request, stop: Stop) -> Standing:
    """Where the database stands; nothing is written and no lock taken."""
    wanted = replace(request.wanted, digest=False)
    folder = reading(ground, wanted, databases.scheme_of(request.url))
    target = connect(request.url, ground.nonce()[:12], stop, look=True)
    try:
        known = (
            deploy.asked(target, name_of(wanted), request.options) if folder else None
        )  # while the folder is being read
        found = find(ground, wanted, target.facts.dialect, folder)
        hold((known, found))
        return deploy.standing(target, found.source, completed(ground, request, found), known)
    finally:
        target.close()


def measured(ground: Ground, request: Request, stop: Stop) -> tuple[Plan, dict[str, int]]:
    """The plan, and about how many rows each table it names has."""
    target = connect(request.url, ground.nonce()[:12], stop, look=True)
    try:
        found = find(ground, request.wanted, target.facts.dialect)
        plan = deploy.decide(target, found.source, completed(ground, request, found), found.in_chain, back=request.back)
        return plan, deploy.sizes(target, plan)
    finally:
        target.close()


def resolve(
    ground: Ground, request: Request, name: str | None, answer: deploy.Answer, reason: str, stop: Stop
) -> tuple[Outcome, Revision]:
    """Settle what is in doubt in the directory called ``name``, or in the only one the database knows; the outcome is for the record."""
    refuse_forks(ground)
    target = connect(request.url, ground.nonce()[:12], stop)
    try:
        known = deploy.directories(target)
        if name is None and len(known) != 1:
            raise UsageError(f"which directory? give NAME: this database knows {', '.join(known) or 'none'}")
        options = Options(name or known[0], actor=actor(ground), tool_version=__version__, run_id=ground.nonce())
        voice = Voice(ground.note, lambda _applied: None)
        row = deploy.settle(target, options, tools(ground, voice, stop), answer, reason)
    finally:
        target.close()
    outcome = Outcome(
        "ok", dir=options.dir, facts=target.facts, run_id=options.run_id, actor=options.actor,
        started_at=ground.now().strftime("%Y-%m-%dT%H:%M:%SZ"), warnings=(f"{row.name}: {row.error}",), action="resolve",
    )  # fmt: skip
    return replace(outcome, environment=request.environment, database=request.database), row
