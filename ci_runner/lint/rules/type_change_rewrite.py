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
from ci_runner.lint.clauses import clause, rewrite
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.postgres import type_change, utc
from ci_runner.lint.rule import Edit, Fix, Hit, rule
from ci_runner.model.operations import AlterColumnType


@rule("warning", ("postgres", "sqlserver"), on=(AlterColumnType,), aliases=("PG301", "changing-column-type"))
def check(context: Context) -> Iterator[Hit]:
    """Type changes of old columns that do not keep the stored rows."""
    op = context.step.operation
    assert isinstance(op, AlterColumnType)  # noqa: S101
    if not context.stored(op.table) or (context.dialect == "sqlserver" and _online(context.text())):
        return
    column = context.column(op.table, op.column)
    if column is None or column.type is None:
        inferred = True
    elif context.dialect == "postgres":
        inferred = type_change(column, op, context.catalog, utc=utc(context)) == "rewrite"
    else:
        inferred = sqlserver.rewrites(column.type, op.type, context.table(op.table), modern=context.file.at_least(13))
    hazard, observed = context.judged("rewrite", inferred, op.table)
    if not hazard:
        return
    fix = _fix(context, op) if context.dialect == "sqlserver" else None
    new = op.type.text or op.type.base
    if column is None or column.type is None:
        yield Hit(
            f"Changing {quoted(op.column)} to {new} may rewrite {quoted(op.table)}: its present type is not known.",
            observed=observed,
            fix=fix,
        )
        return
    old = column.type.text or column.type.base
    yield Hit(
        f"Changing {quoted(op.column)} from {old} to {new} rewrites {quoted(op.table)} while nobody can use it.",
        observed=observed,
        fix=fix,
    )


def _online(text: str) -> bool:
    """Whether SQL Server is to do it while the table stays in use."""
    options = clause(text, "WITH", "()")
    return (
        options is not None
        and clause(text[options[0] : options[1] - 1].partition("(")[2], "ONLINE", "=", "ON") is not None
    )


@rewrite
def _fix(context: Context, op: AlterColumnType) -> Fix | None:
    """ONLINE = ON, which Enterprise and Azure know for ALTER COLUMN since 2016."""
    if clause(context.text(), "WITH", "()"):
        return None
    at = op.start + len(context.text().rstrip().rstrip(";").rstrip())
    return Fix((Edit(at, at, " WITH (ONLINE = ON)"),), "do it online (Enterprise and Azure)", safe=False)
