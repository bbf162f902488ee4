"""What a change did to a schema, from a session that ran it and one on a copy of the database before it, where an engine can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ci_runner.databases import Database
    from ci_runner.model.inspected import Schema


class Comparison(Protocol):
    """A change that is about to be made in one of two equal databases."""

    def schemas(self) -> tuple[Schema, Schema] | None:
        """Before and after it, of all that differs and the tables tied to that by foreign keys; None where only reading all of both tells."""
        ...


def comparable(database: Database) -> bool:
    """Is it worth making a copy of this database before the change, because its server can tell what changed?"""
    if database.dialect != "postgres":
        return False
    from ci_runner.databases.postgres import Postgres

    return isinstance(database, Postgres)


def comparison(after: Database, before: Database) -> Comparison | None:
    """Begun: the change may run through ``after`` now. None where the two may differ in more than it."""
    from ci_runner.databases.postgres import Postgres
    from ci_runner.databases.postgres.since import since

    one: object = after
    other: object = before
    return since(one, other) if isinstance(one, Postgres) and isinstance(other, Postgres) else None
