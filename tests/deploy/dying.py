"""A target that kills its own process with SIGKILL right before or after one of its calls, and a child process to do it in."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from ci_runner.databases import Target

_COUNTED = frozenset({"run", "write", "commit", "begin", "try_lock", "reset", "unlock"})


class Dying:
    """Passes everything on to ``target``; at call number ``at`` (from 0) of those that change something, the process dies.

    ``within``: for calls with several statements also between any two of them.
    """

    def __init__(self, target: Target, at: int, when: str) -> None:
        self._target, self._at, self._when = target, at, when
        self._count = -1

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name not in _COUNTED:
            return found

        def call(*arguments: Any) -> Any:
            self._count += 1
            if self._count == self._at and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            answer = found(*arguments)
            if self._count == self._at and self._when == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return call


def in_child(action: Callable[[], int]) -> int | None:
    """The exit code of ``action`` in a process of its own, None when it was killed."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = action()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else None
