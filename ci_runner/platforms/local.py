"""A plain machine: no CI system, so nothing is known but what git and the configuration say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ci_runner.model.ci import Trigger
from ci_runner.platforms.plain import outlets

__all__ = ["outlets", "trigger"]


def trigger(env: Mapping[str, str], read: Callable[[str], bytes]) -> Trigger:  # noqa: ARG001
    """The trigger of a run by hand: kind ``local`` and no fact."""
    return Trigger(platform="local", scm=None, kind="local", is_fork=False)
