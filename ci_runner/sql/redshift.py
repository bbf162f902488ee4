"""What Redshift's statements begin with: PostgreSQL's of old, COPY and UNLOAD, datashares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import Other
from ci_runner.sql import changes, postgres
from ci_runner.sql.session import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_runner.model.operations import Operation
    from ci_runner.sql.cursor import Cursor

_WITHOUT = (
    "DO",
    "LISTEN",
    "UNLISTEN",
    "NOTIFY",
    "REINDEX",
    "CLUSTER",
    "SECURITY",
    "REASSIGN",
    "IMPORT",
    "MOVE",
    "CHECKPOINT",
    "LOAD",
)


def _show(c: Cursor, first: int) -> list[Operation]:
    """SHOW setting; SHOW TABLE s.a and its sisters."""
    return command("show", named=c.i + 1 == c.last)(c, first)


def _copy(c: Cursor, first: int) -> list[Operation]:
    """COPY, or what is done to the job that a COPY … JOB CREATE left behind."""
    if c.at("JOB") and c.peek() in ("ALTER", "DROP", "RUN", "LIST", "SHOW"):
        c.i += 1
        verb = c.word().lower()
        name = None if c.done else c.name()
        c.rest()
        return [c.op(Other, f"{verb}-copy-job", first, object=name)]
    return changes.copy(c, first)


HEADS: dict[str, Callable[[Cursor, int], list[Operation]]] = {
    **{word: reader for word, reader in postgres.HEADS.items() if word not in _WITHOUT},
    "SHOW": _show,
    "COPY": _copy,
    "CANCEL": command("cancel", named=False),
    "DESC": command("explain", named=False),
    "DESCRIBE": command("explain", named=False),
}
