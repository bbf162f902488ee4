"""A type change rewrites the whole table.

Every row is written anew and every index rebuilt while nobody can read or write; the table needs its size again on disk.

Instead: add a column of the new type, write both, copy in batches, and swap in a later migration.

Bad, postgres:
    CREATE TABLE event (id int PRIMARY KEY, code int);
    ---
    ALTER TABLE event ALTER COLUMN code TYPE bigint;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email varchar(100));
    ---
    ALTER TABLE person ALTER COLUMN email TYPE varchar(255);

Bad, sqlserver, tx none:
    CREATE TABLE event (id INT NOT NULL PRIMARY KEY, code INT);
    ---
    ALTER TABLE event ALTER COLUMN code BIGINT;

Good, sqlserver, tx none:
    CREATE TABLE person (id INT NOT NULL PRIMARY KEY, email VARCHAR(100));
    ---
    ALTER TABLE person ALTER COLUMN email VARCHAR(255);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint import sqlserver
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.postgres import type_change, utc
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AlterColumnType


@rule("warning", ("postgres", "sqlserver"), on=(AlterColumnType,), aliases=("PG301", "changing-column-type"))
def check(context: Context) -> Iterator[Hit]:
    """Type changes of old columns that do not keep the stored rows."""
    op = context.step.operation
    assert isinstance(op, AlterColumnType)  # noqa: S101
    if not context.old(op.table):
        return
    column = context.column(op.table, op.column)
    if column is None or column.type is None:
        inferred = True
    elif context.dialect == "postgres":
        inferred = type_change(column, op, utc=utc(context)) == "rewrite"
    else:
        inferred = sqlserver.rewrites(column.type, op.type, context.table(op.table), modern=context.file.at_least(13))
    hazard, observed = context.judged("rewrite", inferred, op.table)
    if not hazard:
        return
    new = op.type.text or op.type.base
    if column is None or column.type is None:
        yield Hit(
            f"Changing {quoted(op.column)} to {new} may rewrite {quoted(op.table)}: its present type is not known.",
            observed=observed,
        )
        return
    old = column.type.text or column.type.base
    yield Hit(
        f"Changing {quoted(op.column)} from {old} to {new} rewrites {quoted(op.table)} while nobody can use it.",
        observed=observed,
    )
