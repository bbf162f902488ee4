"""What ALTER TABLE says of a table as a whole: how its rows are kept, in which order, in which character set."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.model import operations as ops
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql import catalog_tables as tables
from ci_runner.sql.catalog_mysql import recoded


def changed(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """The catalog in which the table is as that operation leaves it."""
    if op.object is None:
        return catalog
    key, table = tables.known(catalog, op.object, dialect)
    after = _CHANGES[op.kind.removeprefix("alter-table.")](table, op)
    return catalog if after is table else tables.with_table(catalog, key, after)


def _charset(table: Table, op: ops.Other) -> Table:
    found = next((option.partition("=")[2] for option in op.options if option.startswith("charset=")), "")
    return recoded(table, op, found) if found else table


def _rebuilt(table: Table, op: ops.Other) -> Table:
    """SQL Server's REBUILD of a whole table: what it says of compression holds from then on."""
    said = tuple(option for option in op.options if option.startswith("data_compression"))
    if not said or "partition" in op.options:
        return table
    kept = tuple(option for option in table.options if not option.startswith("data_compression"))
    return replace(table, options=(*kept, *said))


def _sorted(table: Table, op: ops.Other) -> Table:
    """ClickHouse's MODIFY ORDER BY: the columns it names are of the key from then on."""
    return replace(table, order_by=op.options[:1]) if op.options else table


def _logged(table: Table, _op: ops.Other) -> Table:
    return replace(table, options=tuple(option for option in table.options if option != "unlogged"))


def _unlogged(table: Table, _op: ops.Other) -> Table:
    return table if "unlogged" in table.options else replace(table, options=(*table.options, "unlogged"))


_CHANGES = {
    "convert-charset": _charset,
    "set-default-charset": _charset,
    "rebuild": _rebuilt,
    "modify-order-by": _sorted,
    "set-logged": _logged,
    "set-unlogged": _unlogged,
}
