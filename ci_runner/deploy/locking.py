"""Waits for the lock of a directory: polled with jitter, never handed out by a clock."""

from __future__ import annotations

from ci_runner.databases import Lock, Target
from ci_runner.deploy.stop import Tools
from ci_runner.errors import TemporaryError

_FIRST, _LONGEST = 0.2, 2.0


def acquire(target: Target, lock: Lock, patience: float, tools: Tools) -> int:
    """Milliseconds waited. TemporaryError naming the holder after ``patience`` seconds, or when somebody asks to stop."""
    start = tools.clock()
    pause, said = _FIRST, False
    while not target.try_lock(lock):
        waited = tools.clock() - start
        holder = target.holder(lock)
        if tools.stop.asked:
            raise TemporaryError("stopped while waiting for another deployment; nothing was done")
        if waited >= patience:
            raise TemporaryError(
                f"another deployment to {target.facts.name} holds the lock since before we came, {waited:.0f} s ago"
                f"{f': {holder}' if holder else ''}. Run again when it is through (--lock-wait says how long to wait)"
            )
        if not said:
            tools.say(f"waiting for another deployment{f': {holder}' if holder else ''}")
            said = True
        tools.wait(min(pause * (0.5 + tools.random()), max(0.0, patience - waited)))
        pause = min(pause * 1.5, _LONGEST)
    return int((tools.clock() - start) * 1000)
