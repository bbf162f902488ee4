"""A strong lock is taken without a time-out.

While the statement waits for a running query, every other query on the table queues behind it: a harmless change stops the application.

Instead: SET LOCAL lock_timeout = '2s' (SQL Server: SET LOCK_TIMEOUT 2000, MySQL: SET SESSION lock_wait_timeout = 2) and try again when it
fails.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email text;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    SET LOCAL lock_timeout = '2s';
    ALTER TABLE person ADD COLUMN email text;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import strong_lock
from ci_runner.lint.rule import MYSQL, Edit, Fix, Hit, rule
from ci_runner.model.operations import Operation

_SETTINGS = {
    "postgres": "lock_timeout",
    "mysql": "lock_wait_timeout",
    "mariadb": "lock_wait_timeout",
    "sqlserver": "lock_timeout",
}
_STATEMENTS = {
    "mysql": "SET SESSION lock_wait_timeout = 2;", "mariadb": "SET SESSION lock_wait_timeout = 2;", "sqlserver": "SET LOCK_TIMEOUT 2000;",
}  # fmt: skip


@rule("warning", ("postgres", *MYSQL, "sqlserver"), on=(Operation,), aliases=("require-lock-timeout",), default=False)
def check(context: Context) -> Iterator[Hit]:
    """The first strong lock of a file on an old table, when no time-out is in force."""
    op = context.step.operation
    table = strong_lock(context, op)
    value = context.setting(_SETTINGS[context.dialect])
    if table is None or (value is not None and value.strip("'\"") not in ("0", "0s", "0ms", "-1", "default")):
        return
    if any(strong_lock(context, step.operation) for step in context.earlier()):
        return
    first = context.statement.start
    local = "LOCAL " if context.tx.by in ("runner", "file") else ""
    text = _STATEMENTS.get(context.dialect, f"SET {local}lock_timeout = '2s';")
    yield Hit(
        f"Nothing limits how long this waits for its lock on {quoted(table)}, with all other queries on it queued behind.",
        fix=Fix((Edit(first, first, f"{text}\n"),), "set a time-out for the lock"),
    )
