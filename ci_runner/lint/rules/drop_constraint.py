"""A CHECK or PRIMARY KEY is dropped.

What it kept out may come in from now on; replication tools and ORMs that rely on a primary key stop working.

Instead: name in the migration what keeps the rule from now on, or put the new constraint into the same file.

Bad, postgres:
    CREATE TABLE item (id bigint PRIMARY KEY, price int CONSTRAINT price_positive CHECK (price > 0));
    ---
    ALTER TABLE item DROP CONSTRAINT price_positive;

Good, mysql:
    CREATE TABLE item (id INT, shop INT, PRIMARY KEY (id));
    ---
    ALTER TABLE item DROP PRIMARY KEY, ADD PRIMARY KEY (shop, id);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.constraints import dropped, replaced
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import proves_not_null
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import Constraint, DropConstraint


@rule("notice", on=(DropConstraint,), aliases=("CD102", "CD103", "ban-drop-constraint"))
def check(context: Context) -> Iterator[Hit]:
    """CHECKs and primary keys of old tables that go; a CHECK that SET NOT NULL has replaced is no loss."""
    op = context.step.operation
    assert isinstance(op, DropConstraint)  # noqa: S101
    found = dropped(context, op)
    if (
        found is None
        or found.kind not in ("check", "primary-key")
        or replaced(context, op, found)
        or _superseded(context, op, found)
    ):
        return
    if context.dropped_later(op.table):
        return
    what = "the primary key" if found.kind == "primary-key" else f"CHECK {quoted(op.name)}"
    yield Hit(f"Dropping {what} of {quoted(op.table)}: rows it refused are accepted from now on.")


def _superseded(context: Context, op: DropConstraint, found: Constraint) -> bool:
    table = context.table(op.table)
    return any(
        c.nullable is False and proves_not_null(found, c.name) for c in (table.columns.values() if table else ())
    )
