"""What the files of a change have copied and added so far: a table may be rebuilt over several of them."""

from __future__ import annotations

from itertools import islice

from msgspec.structs import replace

from ci_runner.model import operations as ops
from ci_runner.model.operations import Name, Operation
from ci_runner.model.schema import Catalog
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import comparable, created, locate

QUERIED = Name("", "*")  # what a table made AS SELECT copies: some table that its text names
_SOURCES = 8  # tables a copy is made from, at most
_NEW = 100  # new tables and columns looked through at a rename: more than changes make


def followed(before: Catalog, after: Catalog, op: Operation, dialect: str) -> Catalog:
    """``after`` with what else the operation means; ``before`` says what its names stood for."""
    if isinstance(op, ops.Dml):
        return copied(after, op, dialect)
    if isinstance(op, ops.AddColumn):
        table = before.tables.get(locate(before, op.table, dialect))
        there = table is not None and comparable(op.column.name, dialect) in table.columns
        return after if there else added(after, op, dialect)
    if isinstance(op, ops.CreateTable) and (op.selects or "clone" in op.options):
        source = locate(before, op.source, dialect) if op.source else QUERIED
        return _noted(after, created(before, op.table, dialect, temporary=op.temporary), (source,))
    return _renamed(before, after, op, dialect) if isinstance(op, ops.RenameTable) else after


def copied(catalog: Catalog, op: ops.Dml, dialect: str) -> Catalog:
    """A new table that rows are copied into: the old one may be dropped by a later file of the change."""
    if op.kind != "insert" or not op.reads or not op.tables:
        return catalog
    sources = tuple(locate(catalog, name, dialect) for name in op.reads[:_SOURCES])
    return _noted(catalog, locate(catalog, op.tables[0], dialect), sources)


def added(catalog: Catalog, op: ops.AddColumn, dialect: str) -> Catalog:
    """A column that the change adds: dropped by a later file, it holds nothing that was there before."""
    mark = ("column", Name(str(locate(catalog, op.table, dialect)), op.column.name))
    return replace(catalog, born=Layered.of(catalog.born).put(mark, True))


def _noted(catalog: Catalog, key: Name, sources: tuple[Name, ...]) -> Catalog:
    table = catalog.tables.get(key)
    if table is None or not table.born or len(table.copies) >= _SOURCES:
        return catalog
    return replace(catalog, tables=Layered.of(catalog.tables).put(key, replace(table, copies=table.copies + sources)))


def _renamed(before: Catalog, after: Catalog, op: ops.RenameTable, dialect: str) -> Catalog:
    """Copies go on knowing their sources under the names these have now."""
    old = locate(before, op.table, dialect)
    new = Name(comparable(op.new.schema, dialect) or old.schema, comparable(op.new.name, dialect) or old.name)
    names = {old: new}
    if op.kind.endswith(("swap-table", "exchange-tables")):
        new = locate(before, op.new, dialect)
        names = {old: new, new: old}
    tables = Layered.of(after.tables)
    for kind, key in islice(after.born, _NEW):
        table = after.tables.get(key) if kind == "table" else None
        if table is not None and not names.keys().isdisjoint(table.copies):
            tables = tables.put(key, replace(table, copies=tuple(names.get(name, name) for name in table.copies)))
    return replace(after, tables=tables)
