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

from ci_runner.lint.context import Context, File, quoted
from ci_runner.lint.facts import strong_lock
from ci_runner.lint.rule import MYSQL, Edit, Fix, Hit, rule

_SETTINGS = {
    "postgres": "lock_timeout",
    "mysql": "lock_wait_timeout",
    "mariadb": "lock_wait_timeout",
    "sqlserver": "lock_timeout",
}
_STATEMENTS = {
    "mysql": "SET SESSION lock_wait_timeout = 2;", "mariadb": "SET SESSION lock_wait_timeout = 2;", "sqlserver": "SET LOCK_TIMEOUT 2000;",
}  # fmt: skip


@rule("warning", ("postgres", *MYSQL, "sqlserver"), aliases=("require-lock-timeout",), default=False)
def check(file: File) -> Iterator[Hit]:
    """The first strong lock of a file on an old table, when no time-out is in force."""
    for step in file.steps:
        context = Context(file, step)
        table = strong_lock(context, step.operation)
        value = context.setting(_SETTINGS[file.dialect])
        if table is None or (value is not None and value.strip("'\"") not in ("0", "0s", "0ms", "-1", "default")):
            continue
        first = context.statement.start
        local = "LOCAL " if context.tx.by in ("runner", "file") else ""
        text = _STATEMENTS.get(file.dialect, f"SET {local}lock_timeout = '2s';")
        yield Hit(
            f"Nothing limits how long this waits for its lock on {quoted(table)}, with all other queries on it queued behind.",
            at=step.operation,
            fix=Fix((Edit(first, first, f"{text}\n"),), "set a time-out for the lock"),
        )
        return
