"""A person says what became of a statement nobody saw the end of, and that is written down."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from ci_runner.databases import Target
from ci_runner.deploy import hashes, locking, revisions
from ci_runner.deploy.options import Options
from ci_runner.deploy.stop import Tools
from ci_runner.errors import ConflictError, UsageError
from ci_runner.model.deploy import Revision

Answer = Literal["applied", "not-applied", "rerun"]
_OPEN = frozenset({"in_doubt", "running", "failed"})


def settle(target: Target, options: Options, tools: Tools, answer: Answer, reason: str) -> Revision:
    """Settle the one open file of ``options.dir``; its row as it is now.

    ``applied``: the statement in doubt took effect (where none is, the whole file did); ``not-applied``: it did not; ``rerun``: the whole file is
    to run again. ConflictError when nothing is open.
    """
    target.direct()
    lock = hashes.lock(options.dir, target.facts.schema)
    locking.acquire(target, lock, options.lock_wait, tools)
    try:
        row = _open(target, options)
        settled = replace(
            settled_row(row, answer),
            error=f"{answer}: {reason}" + (f" ({options.actor})" if options.actor else ""),
            run_id=options.run_id,
            finished_at=tools.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        target.write([revisions.update(target, settled)])
    finally:
        target.unlock(lock)
    return settled


def _open(target: Target, options: Options) -> Revision:
    memory = revisions.read(target, options.dir)
    if not memory.revisions:
        raise UsageError(
            f"{options.dir} has no history in {target.facts.name}: check the name (pilotage status NAME shows it)"
        )
    found = [row for row in memory.revisions if row.state in _OPEN]
    doubtful = [row for row in found if row.state == "in_doubt" or row.intent_statement is not None] or found
    if not doubtful:
        raise ConflictError(f"nothing of {options.dir} is in doubt in {target.facts.name}: there is nothing to settle")
    return doubtful[0]


def settled_row(row: Revision, answer: Answer) -> Revision:
    """The row after the answer. Pure."""
    clear = replace(row, intent_statement=None, intent_fingerprint="", error_statement=None)
    if answer == "rerun":
        return replace(clear, state="failed", statements_done=0, statement_hashes=())
    if answer == "not-applied":
        done = row.statements_done if row.intent_statement is None else row.intent_statement - 1
        return replace(clear, state="failed", statements_done=done)
    done = row.intent_statement or row.statements_total
    if row.state == "in_doubt" and row.intent_statement is None:
        done = row.statements_done + 1
    return replace(clear, state="applied" if done >= row.statements_total else "failed", statements_done=done)
