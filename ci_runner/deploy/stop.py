"""A request to stop, made by a signal while statements run in another thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event, Lock
from typing import NamedTuple

from ci_runner.model.deploy import Applied


class Stop:
    """``ask`` interrupts the statement that runs now and keeps the next from beginning."""

    def __init__(self) -> None:
        self._event = Event()
        self._guard = Lock()
        self._interrupt: Callable[[], None] | None = None
        self._children: list[Stop] = []

    @property
    def asked(self) -> bool:
        """Has anybody asked?"""
        return self._event.is_set()

    def watch(self, interrupt: Callable[[], None] | None) -> None:
        """What stops the running statement from now on."""
        with self._guard:
            self._interrupt = interrupt

    def ask(self) -> None:
        """Stop as soon as possible."""
        self._event.set()
        with self._guard:
            interrupt, children = self._interrupt, tuple(self._children)
        if interrupt is not None:
            interrupt()
        for child in children:
            child.ask()

    def child(self) -> Stop:
        """The same request for one of several deployments at once."""
        made = Stop()
        with self._guard:
            self._children.append(made)
        if self.asked:
            made.ask()
        return made

    def wait(self, seconds: float) -> None:
        """Sleep, unless or until somebody asks."""
        self._event.wait(seconds)


def _nothing(_applied: Applied) -> None:
    """Nobody watches."""


class Tools(NamedTuple):
    """What a deployment needs of the world: the time of day for the record, a clock that never jumps, waiting, chance, and a voice.

    ``done`` hears of each file when it is through.
    """

    now: Callable[[], datetime]
    clock: Callable[[], float]
    wait: Callable[[float], None]
    random: Callable[[], float]
    stop: Stop
    say: Callable[[str], None]
    done: Callable[[Applied], None] = _nothing
