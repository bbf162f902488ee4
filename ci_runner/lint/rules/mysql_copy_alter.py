"""An ALTER copies the whole table while writes wait.

The server cannot make this change in place: it builds a new table with ALGORITHM=COPY, row by row, and blocks writes until it is done.

Instead: use an online tool (gh-ost, pt-online-schema-change, spirit), or add a new column and move over. Name ALGORITHM=INPLACE in
migrations so that such a change fails at once instead of blocking.

Bad, mysql:
    CREATE TABLE event (id INT PRIMARY KEY, code INT);
    ---
    ALTER TABLE event MODIFY COLUMN code BIGINT;

Good, mysql:
    CREATE TABLE event (id INT PRIMARY KEY, state ENUM('new', 'done'));
    ---
    ALTER TABLE event MODIFY COLUMN state ENUM('new', 'done', 'gone');
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.lint import mariadb
from ci_runner.lint.context import REACH, Context, quoted
from ci_runner.lint.mysql import algorithm, copies, fail_fast
from ci_runner.lint.rule import MYSQL, Hit, rule
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterColumnType,
    Column,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    Name,
    Operation,
    Other,
)
from ci_runner.text.pattern import later

_NOT_PLAIN = later(
    r"\(\s*\d+\s*\)|\bdesc\b", re.IGNORECASE
)  # the beginning of a column, or its values in descending order


@rule(
    "warning", MYSQL,
    on=(AlterColumnType, AddColumn, DropColumn, AlterColumn, AddConstraint, DropConstraint, CreateIndex, DropIndex, Other),
    accepts=tuple(f"MY{number}" for number in range(110, 137)),
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """What the algorithms cannot do in place; a foreign key has a rule of its own."""
    op = context.step.operation
    table = getattr(op, "table", None) or getattr(op, "object", None)
    if (
        not isinstance(table, Name)
        or not op.kind.startswith(("alter-table.", "create-index", "drop-index"))
        or not context.old(table)
    ):
        return
    asked = algorithm(op)
    if asked in ("instant", "inplace", "nocopy"):
        return  # refused at once by the server instead of copying
    if any(asked == "copy" or _reason(each, each.step.operation, table) for each in _before(context)):
        return  # one copy serves the whole statement, and is told once
    reason = _reason(context, op, table)
    observed = _observed(context)
    if observed is False or (reason is None and not observed and asked != "copy"):
        return
    because = f": {reason}" if reason else ": it names ALGORITHM=COPY" if asked == "copy" else ""
    message = f"This change copies all of {quoted(table)} while writes wait{because}."
    yield Hit(message, observed=observed is True, fix=fail_fast(context))


def _before(context: Context) -> Iterator[Context]:
    """The earlier operations of the same statement, each with the schema before it."""
    at = context.step.position
    for step in context.file.steps[max(at - REACH, 0) : at]:
        if step.statement == context.step.statement:
            yield Context(context.file, step)


def _reason(context: Context, op: Operation, table: Name) -> str | None:
    if isinstance(op, AddConstraint) and context.dialect == "mysql" and _same_key(context, op, table):
        return None
    siblings = tuple(other for other in context.statement.operations if other is not op)
    found = copies(op, context.table(table), _column(context, op), siblings, context.dialect)
    if found or context.dialect != "mariadb":
        return found
    before = next(_before(context), context).table(table)
    return mariadb.copies(
        op, context.file.text[op.start : op.end], context.table(table), before, context.statement.operations
    )


def _same_key(context: Context, op: AddConstraint, name: Name) -> bool:
    """Whether it adds the primary key that the table had before the statement, which then drops and adds nothing."""
    first = next(_before(context), context)
    table = first.table(name)
    if table is None or op.constraint.kind != "primary-key" or _NOT_PLAIN.search(context.file.text[op.start : op.end]):
        return False
    keys = [c.columns for c in table.constraints if c.kind == "primary-key"]
    return op.constraint.columns in (
        keys or [tuple(key for key, column in table.columns.items() if column.primary_key)]
    )


def _column(context: Context, op: Operation) -> Column | None:
    return context.column(op.table, op.column) if isinstance(op, AlterColumnType) else None


def _observed(context: Context) -> bool | None:
    """What the dev database did: it tried the algorithms from the cheapest on, for the whole statement."""
    seen = [
        o.detail.lower() for o in context.file.observations.get(context.step.statement, ()) if o.kind == "algorithm"
    ]
    if not seen:
        return None
    foreign = any(
        isinstance(o, AddConstraint) and o.constraint.kind == "foreign-key" for o in context.statement.operations
    )
    if any("copy" in detail and "nocopy" not in detail for detail in seen):
        alone = len(context.statement.operations) == 1
        return None if foreign or not alone else True
    return False
