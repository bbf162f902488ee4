"""Which hooks want to hear of an event."""

from __future__ import annotations

from fnmatch import fnmatchcase

from ci_runner.config.hooks import Hook
from ci_runner.model.events import Event


def wants(hook: Hook, event: Event, last_outcome: str | None = None) -> bool:
    """Whether ``hook`` is told of ``event``.

    ``last_outcome`` is that of the last event of the same family, directory and environment this hook was told of; None when there was
    none or it is not known. A hook that names environments is not told of events that belong to none.
    """
    if not any(matches(pattern, event.type) for pattern in hook.events):
        return False
    if not _among(hook.dirs, event.dir) or not _among(hook.envs, event.env):
        return False
    return not (hook.only_on_change and last_outcome is not None and last_outcome == event.outcome)


def _among(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name is one of those, or fits one with ``*``; no names mean all."""
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def matches(pattern: str, event_type: str) -> bool:
    """``*``, ``deploy.*`` or a whole type; the test event is only ever sent on purpose."""
    if event_type == "hook.test":
        return pattern == event_type
    return pattern in ("*", event_type) or (pattern.endswith(".*") and event_type.startswith(pattern[:-1]))
