"""ALGORITHM=INSTANT is combined with a LOCK clause.

MySQL refuses the pair (error 1221): an instant change takes no lock that could be chosen. MariaDB accepts LOCK=NONE there.

Instead: leave LOCK out; the server takes what little it needs by itself.

Bad, mysql:
    CREATE TABLE person (id INT PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN name VARCHAR(50), ALGORITHM=INSTANT, LOCK=NONE;

Good, mysql:
    CREATE TABLE person (id INT PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN name VARCHAR(50), ALGORITHM=INSTANT;
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Edit, Fix, Hit, rule
from ci_runner.model.operations import Operation

_LOCK = re.compile(r"\s*,\s*LOCK\s*=\s*\w+", re.IGNORECASE)


@rule("error", ("mysql",), on=(Operation,), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """Any operation whose statement says both; said once a statement."""
    op = context.step.operation
    if "algorithm=instant" not in op.options or context.statement.operations[0] is not op:
        return
    lock = next((o.partition("=")[2] for o in op.options if o.startswith("lock=")), "default")
    if lock != "default":
        table = getattr(op, "table", None) or getattr(op, "object", None)
        where = f" on {quoted(table)}" if table else ""
        yield Hit(
            f"MySQL refuses ALGORITHM=INSTANT with LOCK={lock.upper()}{where} (error 1221).", fix=_without_lock(context)
        )


def _without_lock(context: Context) -> Fix | None:
    statement = context.statement
    found = _LOCK.search(context.file.text, statement.start, statement.end)
    return Fix((Edit(found.start(), found.end(), ""),), "leave LOCK out") if found else None
