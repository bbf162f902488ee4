"""What a watcher of a session hands back."""

from __future__ import annotations

from typing import NamedTuple

from ci_runner.databases.failure import DatabaseFailure


class Seen(NamedTuple):
    """One thing seen at a statement: ``kind`` is rewrite, scan, index-build, lock, algorithm, mutation, rows-lost or error; ``object`` the table.

    Where the server only stands in for the real one also left-out (clauses it was not given) and not-judged (a statement it does not know).
    """

    statement: int
    kind: str
    object: str = ""
    detail: str = ""


class Watched(NamedTuple):
    """Everything seen, and the refusal that ended it."""

    seen: tuple[Seen, ...]
    failure: DatabaseFailure | None = None
