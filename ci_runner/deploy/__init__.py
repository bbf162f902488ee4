"""Deployments: what is pending, carried out exactly once under a lock, with a record in the database itself."""

from __future__ import annotations

from ci_runner.deploy.options import Adopt, Options
from ci_runner.deploy.planning import Source
from ci_runner.deploy.revisions import Memory, directories, read
from ci_runner.deploy.settling import Answer, settle
from ci_runner.deploy.stop import Stop, Tools
from ci_runner.deploy.working import decide, deploy, sizes, standing

__all__ = [
    "Adopt",
    "Answer",
    "Memory",
    "Options",
    "Source",
    "Stop",
    "Tools",
    "decide",
    "deploy",
    "directories",
    "read",
    "settle",
    "sizes",
    "standing",
]
