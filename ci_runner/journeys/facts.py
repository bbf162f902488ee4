"""Where a push comes from, as far as Git and the CI system say."""

from __future__ import annotations

from ci_runner.journeys.ground import Ground
from ci_runner.model.registry import GitFacts


def facts(ground: Ground) -> GitFacts:
    """Repository, commit and branch of this run; nothing where it is in no repository."""
    if ground.git is None:
        return GitFacts()
    trigger = ground.trigger
    branch = trigger.head_branch or ground.git.branch() or ""
    return GitFacts(repo=trigger.repository or ground.git.remote_slug() or "", sha=ground.git.head() or "", ref=branch)
