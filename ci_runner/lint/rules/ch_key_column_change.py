"""A column of the table's key is changed.

ClickHouse sorts and partitions parts by these columns and refuses to drop, clear, rename or retype them (ALTER_OF_COLUMN_IS_FORBIDDEN). A
column that the engine has among its parameters, as the version of ReplacingMergeTree, can be neither dropped nor renamed.

Instead: make a new table with the key you want, copy, and EXCHANGE TABLES.

Bad, clickhouse, tx none:
    CREATE TABLE hits (id UInt32, url String) ENGINE = MergeTree ORDER BY id;
    ---
    ALTER TABLE hits MODIFY COLUMN id UInt64;

Good, clickhouse, tx none:
    CREATE TABLE hits (id UInt32, url String) ENGINE = MergeTree ORDER BY id;
    ---
    ALTER TABLE hits MODIFY COLUMN id UInt32 COMMENT 'number of the hit';
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clickhouse import cast_in_key, engine_use, key_use, same_representation
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AlterColumn, AlterColumnType, DropColumn, RenameColumn

_DONE = {DropColumn: "dropping it", RenameColumn: "renaming it", AlterColumn: "clearing it"}


@rule("error", ("clickhouse",), on=(DropColumn, RenameColumn, AlterColumn, AlterColumnType), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """DROP, CLEAR, RENAME or another representation of a column in a key; DROP or RENAME of one the engine needs."""
    op = context.step.operation
    assert isinstance(op, DropColumn | RenameColumn | AlterColumn | AlterColumnType)  # noqa: S101
    use = key_use(context.table(op.table), op.column)
    engine = None if isinstance(op, AlterColumnType | AlterColumn) else engine_use(context.table(op.table), op.column)
    if use is None and engine:
        yield Hit(
            f"Engine {engine} of {quoted(op.table)} needs column {quoted(op.column)}: ClickHouse refuses {_DONE[type(op)]}."
        )
        return
    if use is None or (isinstance(op, AlterColumn) and op.kind != "alter-table.clear-column"):
        return
    if isinstance(op, AlterColumnType):
        column = context.column(op.table, op.column)
        if not op.type.base or column is None or column.type is None or same_representation(column.type, op.type):
            return
        if cast_in_key(column.type, op.type, context.table(op.table), op.column):
            return
        what = f"changing its type from {column.type.text or column.type.base} to {op.type.text or op.type.base}"
    else:
        what = _DONE[type(op)]
    yield Hit(f"Column {quoted(op.column)} of {quoted(op.table)} is part of its {use}: ClickHouse refuses {what}.")
