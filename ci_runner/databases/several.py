"""Files of a history that an engine runs faster together than one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci_runner.databases import Database, Sql


def several(database: Database, files: Iterable[Sequence[Sql]]) -> int:
    """Run the first of ``files`` together, each in a transaction of its own; how many are done, and nothing of the others.

    0 where the first is to be run by itself, be it that the engine knows no other way or that it was refused. The session is to be
    reset afterwards. A lost connection is raised, with the number of the file as that of the statement.
    """
    if database.dialect != "postgres":
        return 0
    from ci_runner.databases.postgres import Postgres

    one: object = database
    if not isinstance(one, Postgres):
        return 0
    from ci_runner.databases.postgres.several import several as together

    return together(one, files)
