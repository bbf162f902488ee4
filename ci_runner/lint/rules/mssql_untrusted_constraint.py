"""A constraint is added or enabled without looking at existing rows.

With NOCHECK, rows that break it stay, and the optimizer does not trust the constraint: it plans as if it were not there.

Instead: follow with ALTER TABLE … WITH CHECK CHECK CONSTRAINT …, in the same file or a later one.

Bad, sqlserver, tx none:
    CREATE TABLE book (id INT NOT NULL PRIMARY KEY, price INT);
    ---
    ALTER TABLE book WITH NOCHECK ADD CONSTRAINT ck_price CHECK (price > 0);

Good, sqlserver, tx none:
    CREATE TABLE book (id INT NOT NULL PRIMARY KEY, price INT);
    ---
    ALTER TABLE book WITH NOCHECK ADD CONSTRAINT ck_price CHECK (price > 0);
    ALTER TABLE book WITH CHECK CHECK CONSTRAINT ck_price;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.sqlserver import trusted
from ci_runner.model.operations import AddColumn, AddConstraint, Name, Other, ValidateConstraint


@rule("warning", ("sqlserver",), on=(AddConstraint, AddColumn, Other))
def check(context: Context) -> Iterator[Hit]:
    """WITH NOCHECK ADD, and CHECK CONSTRAINT without WITH CHECK, unless the file validates afterwards."""
    op = context.step.operation
    if isinstance(op, AddConstraint):
        if (
            op.constraint.kind not in ("check", "foreign-key")
            or not op.constraint.not_valid
            or not context.old(op.table)
        ):
            return
        table, name = op.table, op.constraint.name
    elif isinstance(op, AddColumn):
        if "not valid" not in op.column.options or not context.old(op.table):
            return
        table, name = op.table, op.column.constraint
    else:
        assert isinstance(op, Other)  # noqa: S101
        if op.kind != "alter-table.enable-constraint" or op.object is None or not context.old(op.object):
            return
        table, name = op.object, next(iter(op.options), "")
        if _trusted(context, table, name):
            return
    for _, other in context.later(ValidateConstraint):
        if context.key(other.table) != context.key(table):
            continue
        if not name or other.name.lower() in ("all", "") or context.same(other.name, name):
            return
    named = f"constraint {quoted(name)}" if name else "the constraint"
    message = f"Existing rows of {quoted(table)} are not checked against {named}, and the optimizer will not trust it."
    yield Hit(message, fix=trusted(context, table, name))


def _trusted(context: Context, table: Name, name: str) -> bool:
    """Whether what is enabled was never disabled: scripts of Management Studio enable each constraint they add WITH CHECK."""
    known = context.table(table)
    if known is None or (name.lower() == "all" and known.partial):
        return False
    meant = [
        c
        for c in known.constraints
        if c.kind in ("check", "foreign-key") and (name.lower() == "all" or context.same(c.name, name))
    ]
    return bool(meant) and not any(constraint.not_valid for constraint in meant)
