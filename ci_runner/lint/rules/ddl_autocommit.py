"""A file of several statements is not atomic.

On MySQL, MariaDB and Snowflake each DDL statement commits by itself. If a later statement of the file fails, the earlier ones stay, and the
file cannot simply be run again.

Instead: one DDL statement a file.

Bad, mysql:
    CREATE TABLE person (id INT PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email VARCHAR(100);
    ALTER TABLE person ADD COLUMN phone VARCHAR(20);

Good, mysql:
    CREATE TABLE person (id INT PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email VARCHAR(100), ADD COLUMN phone VARCHAR(20);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import File
from ci_runner.lint.rule import MYSQL, Hit, rule
from ci_runner.model.operations import Operation

_DDL = ("alter-", "create-", "drop-", "rename-", "truncate", "undrop")
_NAMES = {"mysql": "MySQL", "mariadb": "MariaDB", "snowflake": "Snowflake"}


@rule("notice", (*MYSQL, "snowflake"))
def check(file: File) -> Iterator[Hit]:
    """The first DDL that is followed by another statement that changes something."""
    if file.changed.change in ("removed", "renamed"):
        return
    first: Operation | None = None
    statement = -1
    for step in file.steps:
        if (
            first is not None
            and step.statement != statement
            and not step.operation.kind.startswith(("set-", "transaction.", "use", "select"))
        ):
            yield Hit(
                f"{_NAMES[file.dialect]} commits each DDL by itself: if a later statement of this file fails, this one stays.",
                at=first,
            )
            return
        if first is None and step.operation.kind.startswith(_DDL) and not getattr(step.operation, "temporary", False):
            first, statement = step.operation, step.statement
