"""A deployment runs beside the thread that hears signals, so that a request to stop reaches the statement that is running."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from threading import Thread
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from ci_runner.deploy import Stop

T = TypeVar("T")

GRACE = 25.0  # Kubernetes gives 30 s between SIGTERM and SIGKILL
STOPPED = 5


def interruptible(stop: Stop, action: Callable[[], T]) -> T:
    """``action``, which SIGTERM and SIGINT ask to stop; a second signal, or 25 s, end the process with exit code 5."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(action())
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            errors.append(error)

    since: list[float] = []

    def asked(_number: int, _frame: FrameType | None) -> None:
        if since:
            os._exit(STOPPED)
        since.append(monotonic())
        Thread(target=stop.ask, daemon=True).start()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    worker = Thread(target=work, daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(0.2)
            if since and monotonic() - since[0] > GRACE:
                os._exit(STOPPED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if errors:
        raise errors[0]
    return answers[0]
