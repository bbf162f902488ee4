"""A NOT NULL column is added without a default, and existing rows are filled silently.

MySQL and MariaDB give every old row the type's implicit value: an empty string, 0, the first value of an ENUM. Nobody asked for it, and
nothing tells these rows from real ones later.

Instead: give a default that is meant, or add the column nullable.

Bad, mysql:
    CREATE TABLE person (id INT PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN name VARCHAR(50) NOT NULL;

Good, mysql:
    CREATE TABLE person (id INT PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN name VARCHAR(50) NOT NULL DEFAULT 'unknown';
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import has_default, not_null
from ci_runner.lint.rule import MYSQL, Hit, rule
from ci_runner.lint.types import base
from ci_runner.model.operations import AddColumn, Column

_NUMBERS = {
    "tinyint",
    "smallint",
    "mediumint",
    "int",
    "bigint",
    "numeric",
    "real",
    "double precision",
    "float",
    "boolean",
    "bit",
    "year",
}
_DATES = {
    "date": "'0000-00-00'",
    "datetime": "'0000-00-00 00:00:00'",
    "timestamp": "'0000-00-00 00:00:00'",
    "time": "'00:00:00'",
}
_SPATIAL = {
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
}


@rule("warning", MYSQL, on=(AddColumn,), aliases=("MY101",))
def check(context: Context) -> Iterator[Hit]:
    """Required columns that the server fills by itself; those it refuses on MySQL are add-notnull-no-default."""
    op = context.step.operation
    assert isinstance(op, AddColumn)  # noqa: S101
    column = op.column
    if not context.old(op.table) or not not_null(column) or has_default(column):
        return
    if (op.if_not_exists or op.conditional) and context.column(op.table, column.name) is not None:
        return
    value = _filled(column)
    if context.dialect == "mysql" and (value.startswith("'0000") or value == "an empty geometry"):
        return
    yield Hit(f"Existing rows of {quoted(op.table)} silently get {value} in NOT NULL column {quoted(column.name)}.")


def _filled(column: Column) -> str:
    name = base(column.type) if column.type else ""
    if name in _NUMBERS:
        return "0"
    if name in _DATES:
        return _DATES[name]
    if name in _SPATIAL:
        return "an empty geometry"
    if name == "enum" and column.type and column.type.args:
        return f"{column.type.args[0]}"
    return "the JSON value null" if name == "json" else "an empty string"
