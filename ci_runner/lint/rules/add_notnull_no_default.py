"""A NOT NULL column is added without a default.

Existing rows would have no value for it, so the statement fails on the first row; it passes on the empty database of a test run.

Instead: add the column nullable, fill it, then make it NOT NULL; or give it a default.

Bad, postgres:
    CREATE TABLE users (id bigint PRIMARY KEY);
    ---
    ALTER TABLE users ADD COLUMN email text NOT NULL;

Good, postgres:
    CREATE TABLE users (id bigint PRIMARY KEY);
    ---
    ALTER TABLE users ADD COLUMN email text;

Good, sqlserver, tx none:
    CREATE TABLE users (id INT NOT NULL PRIMARY KEY);
    ---
    ALTER TABLE users ADD number INT IDENTITY(1,1) NOT NULL;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.domains import chain
from ci_runner.lint.facts import emptied, has_default, not_null
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.stepwise import required_column
from ci_runner.lint.types import base
from ci_runner.model.operations import AddColumn, Column, CreateTable

_MYSQL_REFUSES = {
    "date", "datetime", "timestamp", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
}  # fmt: skip


@rule(
    "error",
    ("postgres", "sqlite", "sqlserver", "redshift", "snowflake", "mysql"),
    on=(AddColumn, CreateTable),
    aliases=("MF103", "adding-required-field"),
    seen=("error",),
)
def check(context: Context) -> Iterator[Hit]:
    """Required columns of old tables for which old rows have no value."""
    op = context.step.operation
    if isinstance(op, CreateTable):
        if "or alter" in op.options:  # Snowflake: an ALTER that adds each column the table lacks
            yield from _lacking(context, op)
        return
    assert isinstance(op, AddColumn)  # noqa: S101
    column = op.column
    domains = tuple(chain(context.catalog, column.type))
    required = not_null(column) or any(domain.nullable is False for domain in domains)
    given = has_default(column) or (column.default is None and any(map(has_default, domains)))
    if not context.stored(op.table) or not required or given or not _refused(context, column):
        return
    if (op.if_not_exists or op.conditional) and context.column(op.table, column.name) is not None:
        return
    if emptied(context, op.table) and context.dialect != "redshift":
        return
    always = (
        " always: the database refuses it even on an empty table"
        if context.dialect == "redshift"
        else " as soon as the table has a row"
    )
    yield Hit(
        f"Adding NOT NULL column {quoted(column.name)} to {quoted(op.table)} without a default fails{always}.",
        fix=required_column(context, op) if context.dialect == "postgres" else None,
    )


def _lacking(context: Context, op: CreateTable) -> Iterator[Hit]:
    table = context.table(op.table)
    if table is None or table.partial or not context.stored(op.table) or emptied(context, op.table):
        return
    for column in op.columns:
        if context.column(op.table, column.name) is None and not_null(column) and not has_default(column):
            yield Hit(
                f"Adding NOT NULL column {quoted(column.name)} to {quoted(op.table)} without a default fails as soon as the table has a row."
            )


def _refused(context: Context, column: Column) -> bool:
    type_ = base(column.type) if column.type else ""
    if context.dialect == "sqlite":
        return not column.primary_key  # which SQLite refuses whatever the table holds
    if context.dialect == "mysql":
        return type_ in _MYSQL_REFUSES
    if context.dialect == "sqlserver":
        return type_ not in ("rowversion", "timestamp") and "rowversion" not in column.options
    return type_ != "serial" and not (column.type and "serial" in column.type.base)
