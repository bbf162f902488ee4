"""Tells hooks, the record and telemetry what a command came to, once its outcome stands; whatever goes wrong in that is a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ci_runner.cli.world import World
from ci_runner.errors import PilotageError

if TYPE_CHECKING:
    from datetime import datetime

    from ci_runner.config.hooks import Hook
    from ci_runner.journeys.deploying import Request
    from ci_runner.journeys.ground import Ground
    from ci_runner.model.deploy import Outcome
    from ci_runner.model.events import Event

Happened = Callable[[], Sequence["Event"]]


@contextmanager
def telling(
    world: World, ground: Ground, what: str, begun: datetime, *, record: bool = True, hooks: bool = True
) -> Iterator[Callable[[Happened], None]]:
    """``with telling(world, ground, "push", begun) as happened``: what is given to ``happened`` is told at the end, also when the block fails.

    It takes functions that make events, which are called only where somebody hears of them. ``begun`` is when the command began. ``record``:
    whether this run may write the log of hooks into the registry; ``hooks``: whether hooks hear of it at all.
    """
    makers: list[Happened] = []
    failure: PilotageError | None = None
    try:
        yield makers.append
    except PilotageError as error:
        failure = error
        raise
    finally:
        if makers or failure:
            conclude(world, ground, what, begun, makers, record=record, hooks=hooks, failure=failure)


def concluded(world: World, ground: Ground, begun: datetime, outcomes: Sequence[Outcome]) -> None:
    """Record what deployments came to in the registry, then tell hooks and telemetry; all of it only ever warns."""
    from ci_runner.journeys import happening, recording

    for outcome in outcomes:
        try:
            warnings = recording.record(ground, outcome)
        except Exception as error:  # noqa: BLE001  # the database is the record: what fails here changes no outcome
            warnings = (f"the record was not written: {type(error).__name__}: {error}",)
        for line in warnings:
            world.warn(line)
    what = outcomes[0].action if outcomes else "deploy"
    makers = [lambda: [event for each in outcomes for event in happening.deployed(ground, each)]]
    conclude(world, ground, what, begun, makers, outcomes=outcomes)


def beginning(world: World, ground: Ground, begun: datetime, requests: Sequence[Request]) -> None:
    """Tell hooks that want to know that databases are about to be changed."""
    if ground.config.hooks:
        conclude(world, ground, "deploy", begun, [lambda: _started(ground, requests)], brief=True)


def _started(ground: Ground, requests: Sequence[Request]) -> list[Event]:
    from ci_runner.journeys import happening, push

    names = [
        each.wanted.name or push.name_of(each.wanted.reference or "") or each.wanted.directory.name for each in requests
    ]
    named = dict.fromkeys(zip(names, (each.environment for each in requests), strict=True))
    return [event for name, env in named for event in happening.started(ground, name, env)]


def failed(
    world: World, ground: Ground, begun: datetime, name: str | None, env: str | None, error: PilotageError
) -> None:
    """Tell hooks and telemetry of a deployment that never reached a database."""

    def stopped() -> list[Event]:
        from ci_runner.journeys import happening, push

        asked = push.name_of(name) if name else ground.config.directories[0].name
        return happening.stopped(ground, asked, env or "", error)

    conclude(world, ground, "deploy", begun, [stopped], failure=error)


def conclude(
    world: World,
    ground: Ground,
    what: str,
    begun: datetime,
    makers: Sequence[Happened],
    *,
    record: bool = True,
    hooks: bool = True,
    failure: PilotageError | None = None,
    outcomes: Sequence[Outcome] = (),
    brief: bool = False,
) -> None:
    """Tell hooks and telemetry; one warning for each that could not be told. ``brief``: before the work, hooks only, once and not for long."""
    try:
        told = _hooks(world, ground) if hooks else ()
        traced = not brief and any(name.startswith("OTEL_EXPORTER_OTLP") for name in ground.environ)
        events = [event for make in makers for event in make()] if told or traced else []
        if told:
            _tell(world, ground, told, events, record=record, brief=brief)
        if traced:
            _trace(world, ground, what, begun, events, failure, outcomes)
    except Exception as error:  # noqa: BLE001  # neither changes an exit code, not even by a bug
        world.warn(f"hooks and telemetry were not told: {type(error).__name__}: {error}")


def _hooks(world: World, ground: Ground) -> tuple[Hook, ...]:
    from ci_runner.journeys import hooking

    found, remark = hooking.hooks(ground)
    if remark:
        world.note(remark)
    return found


def _tell(
    world: World, ground: Ground, found: Sequence[Hook], events: Sequence[Event], *, record: bool, brief: bool
) -> None:
    from ci_runner.journeys import hooking

    told = hooking.tell(ground, found, events, record=record, brief=brief)
    for line in dict.fromkeys(told.warnings):  # of several databases each has an event
        world.warn(line)
    for each in told.deliveries:
        if each.state == "delivered":
            world.note(f"hook '{each.hook}' was told of {each.type} ({each.status}, {each.milliseconds} ms)")


def _trace(
    world: World,
    ground: Ground,
    what: str,
    begun: datetime,
    events: Sequence[Event],
    failure: PilotageError | None,
    outcomes: Sequence[Outcome],
) -> None:
    from ci_runner.journeys import tracing

    ended = [each.exit_code for each in events] + [each.exit_code for each in outcomes]
    code = failure.exit_code if failure else max(ended, default=0)
    error = str(failure) if failure else next((each.error for each in events if each.exit_code), "")
    for line in tracing.report(ground, what, begun, events, code, error, outcomes):
        world.warn(line)
