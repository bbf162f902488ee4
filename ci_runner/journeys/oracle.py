"""Replay a change on the dev database a directory asks for; without one, say what could not be seen."""

from __future__ import annotations

from collections.abc import Mapping

from ci_runner import devdb, replay
from ci_runner.config import Directory
from ci_runner.journeys.ground import Ground
from ci_runner.model.operations import Statement
from ci_runner.model.report import ChangeSet, Replay

NO_DATABASE = (
    "no dev database: the change was judged by its text alone, not run; errors, rewrites and scans that only a database shows "
    "are not seen (--dev-url, docs/dev-databases.md)"
)


def replayed(
    ground: Ground, wanted: Directory, changes: ChangeSet, statements: Mapping[str, tuple[Statement, ...]]
) -> Replay:
    """What the dev database was seen to do with the change, after its base was replayed there."""
    if not wanted.dev_url:
        return Replay("skipped", reason=NO_DATABASE)
    if not changes.files:
        return Replay("skipped", reason="nothing changed")
    if ground.trigger.is_fork and not devdb.sandboxed(wanted.dev_url):
        return Replay("skipped", reason="a fork's SQL is not run on a database that is not a throw-away of this run")
    with devdb.open(wanted.dev_url, environment=ground.environ, run_id=ground.nonce(), report=ground.note) as database:
        return replay.replay(replay.files(changes, statements), database)
