"""An exclusion constraint is built while all access waits.

EXCLUDE builds its index and compares every row under an ACCESS EXCLUSIVE lock; there is no NOT VALID and no CONCURRENTLY for it.

Instead: put the constraint on a new table and move over, or choose an hour in which the table may stand still.

Bad, postgres:
    CREATE TABLE booking (id bigint PRIMARY KEY, during tstzrange);
    ---
    ALTER TABLE booking ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&);

Good, postgres:
    CREATE TABLE booking (id bigint PRIMARY KEY, during tstzrange);
    ALTER TABLE booking ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import AddConstraint


@rule("warning", POSTGRES, on=(AddConstraint,), aliases=("constraint-missing-not-valid",), seen=("index-build",))
def check(context: Context) -> Iterator[Hit]:
    """EXCLUDE on old tables."""
    op = context.step.operation
    assert isinstance(op, AddConstraint)  # noqa: S101
    if op.constraint.kind == "exclusion" and context.old(op.table):
        yield Hit(
            f"Building exclusion constraint {quoted(op.constraint.name)} blocks all access to {quoted(op.table)}."
        )
