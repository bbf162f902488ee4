"""What a format's own tool puts into a transaction, where that hangs on the statements and not on what the file says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ci_runner.model.directory import Migration, TxMode

if TYPE_CHECKING:
    from ci_runner.model.operations import Statement


def transaction(migration: Migration, statements: Sequence[Statement], format: str) -> TxMode:  # noqa: A002 - the published word
    """The transaction mode a migration with those statements runs in.

    Prisma and golang-migrate open no transaction: they send the file's text at once, and PostgreSQL runs several statements sent at once as
    one transaction, unless they begin one of their own. A statement alone is in none, so that CREATE INDEX CONCURRENTLY works there.
    (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT)
    """
    if format not in ("prisma", "golang-migrate") or migration.transaction != "file":
        return migration.transaction
    begins = any(
        operation.kind == "transaction.begin" for statement in statements for operation in statement.operations
    )
    return "none" if len(statements) == 1 or begins else "file"
