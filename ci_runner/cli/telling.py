"""Tells hooks what a command came to, once its outcome stands; whatever goes wrong in telling is a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ci_runner.cli.world import World

if TYPE_CHECKING:
    from ci_runner.journeys.ground import Ground
    from ci_runner.model.deploy import Outcome
    from ci_runner.model.events import Event

Happened = Callable[[], Sequence["Event"]]


@contextmanager
def telling(world: World, ground: Ground, *, record: bool = True) -> Iterator[Callable[[Happened], None]]:
    """``with telling(world, ground) as happened``: what is given to ``happened`` is told at the end, also when the block fails.

    It takes functions that make events, which are called only where there is a hook to hear of them. ``record``: whether this run may
    write the log of hooks into the registry.
    """
    makers: list[Happened] = []
    try:
        yield makers.append
    finally:
        if makers:
            tell(world, ground, makers, record=record)


def concluded(world: World, ground: Ground, outcomes: Sequence[Outcome]) -> None:
    """Record what deployments came to in the registry, then tell hooks; both only ever warn."""
    from ci_runner.journeys import happening, recording

    for outcome in outcomes:
        try:
            warnings = recording.record(ground, outcome)
        except Exception as error:  # noqa: BLE001  # the database is the record: what fails here changes no outcome
            warnings = (f"the record was not written: {type(error).__name__}: {error}",)
        for line in warnings:
            world.warn(line)
    tell(
        world, ground, [lambda: [event for each in outcomes for event in happening.deployed(ground, each)]], record=True
    )


def tell(world: World, ground: Ground, makers: Sequence[Happened], *, record: bool) -> None:
    """Tell hooks; one warning for each that could not be told."""
    try:
        from ci_runner.journeys import hooking

        found, remark = hooking.hooks(ground)
        if remark:
            world.note(remark)
        if not found:
            return
        told = hooking.tell(ground, found, [event for make in makers for event in make()], record=record)
    except Exception as error:  # noqa: BLE001  # a hook changes no exit code, not even by a bug
        world.warn(f"hooks were not told: {type(error).__name__}: {error}")
        return
    for line in told.warnings:
        world.warn(line)
    for each in told.deliveries:
        if each.state == "delivered":
            world.note(f"hook '{each.hook}' was told of {each.type} ({each.status}, {each.milliseconds} ms)")
