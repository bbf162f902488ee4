"""A constraint is checked against every row while writes wait.

ADD FOREIGN KEY and ADD CHECK read the whole table before they let go of their lock: a foreign key stops writes on both tables, a CHECK stops
everything. MySQL and MariaDB copy the table for a foreign key while foreign_key_checks is on.

Instead: add it with NOT VALID and VALIDATE CONSTRAINT in another transaction. On MySQL and MariaDB, check the rows with a query, then add it
with SET foreign_key_checks = 0.

Bad, postgres:
    CREATE TABLE author (id bigint PRIMARY KEY);
    CREATE TABLE book (id bigint PRIMARY KEY, author_id bigint);
    ---
    ALTER TABLE book ADD CONSTRAINT book_author_fk FOREIGN KEY (author_id) REFERENCES author (id);

Good, postgres:
    CREATE TABLE author (id bigint PRIMARY KEY);
    CREATE TABLE book (id bigint PRIMARY KEY, author_id bigint);
    ---
    ALTER TABLE book ADD CONSTRAINT book_author_fk FOREIGN KEY (author_id) REFERENCES author (id) NOT VALID;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.domains import users
from ci_runner.lint.facts import has_default
from ci_runner.lint.mysql import unchecked_key
from ci_runner.lint.rule import MYSQL, POSTGRES, Hit, rule
from ci_runner.lint.stepwise import column_check, not_valid
from ci_runner.model.operations import AddColumn, AddConstraint, Constraint, Other


@rule(
    "warning", (*POSTGRES, *MYSQL), on=(AddConstraint, AddColumn, Other),
    aliases=("PG305", "PG306", "adding-foreign-key-constraint", "constraint-missing-not-valid", "ban-alter-domain-with-add-constraint"),
    seen=("scan",),
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """FOREIGN KEY and CHECK on old tables; a new column that refers is checked only when it has a default."""
    op = context.step.operation
    if isinstance(op, AddColumn):
        yield from _column(context, op)
        return
    if isinstance(op, Other):
        yield from _domain(context, op)
        return
    assert isinstance(op, AddConstraint)  # noqa: S101
    constraint = op.constraint
    if (
        constraint.kind not in ("foreign-key", "check", "not-null")
        or constraint.not_valid
        or not context.stored(op.table)
    ):
        return
    if not constraint.enforced:
        return
    if context.dialect != "postgres":
        if constraint.kind == "foreign-key" and not _unchecked(context):
            yield Hit(
                f"Adding a foreign key to {quoted(op.table)} copies the table while writes wait, to check every row.",
                fix=unchecked_key(context),
            )
        return
    yield Hit(_message(op, constraint), fix=not_valid(context, op) if constraint.kind != "not-null" else None)


def _message(op: AddConstraint, constraint: Constraint) -> str:
    if constraint.kind == "foreign-key":
        target = constraint.references.table if constraint.references else ""
        name = f" {quoted(constraint.name)}" if constraint.name else ""
        return f"Foreign key{name} is checked against every row of {quoted(op.table)} while writes to it and to {quoted(target)} wait."
    what = "CHECK" if constraint.kind == "check" else "NOT NULL"
    name = f" {quoted(constraint.name)}" if constraint.name else ""
    return f"{what}{name} is checked against every row of {quoted(op.table)} while nobody can use the table."


def _domain(context: Context, op: Other) -> Iterator[Hit]:
    if op.kind != "alter-domain.add-constraint" or op.object is None or "not valid" in op.options:
        return
    tables = [quoted(table.name) for key, table, _ in users(context.catalog, op.object) if context.stored(key)]
    if tables:
        yield Hit(
            f"The constraint is checked against every row of {', '.join(tables)}, whose columns are of domain {quoted(op.object)}, while writes wait."
        )


def _column(context: Context, op: AddColumn) -> Iterator[Hit]:
    if context.dialect != "postgres" or not context.stored(op.table):
        return
    if (op.if_not_exists or op.conditional) and context.column(op.table, op.column.name) is not None:
        return
    if op.column.check is not None:
        yield Hit(
            f"The CHECK of new column {quoted(op.column.name)} makes PostgreSQL read every row of {quoted(op.table)} while nobody can use it.",
            remedy="Add the column without the CHECK, then add the CHECK with NOT VALID and VALIDATE it in another transaction.",
            fix=column_check(context, op),
        )
    elif op.column.references and has_default(op.column):
        yield Hit(
            f"With its default, the foreign key of new column {quoted(op.column.name)} is checked for every row of {quoted(op.table)}.",
            remedy="Add the column without the default, or the foreign key with NOT VALID afterwards.",
        )


def _unchecked(context: Context) -> bool:
    return (context.setting("foreign_key_checks") or "").strip("'\"").lower() in ("0", "off", "false")
