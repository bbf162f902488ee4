"""What a table takes from another in the catalog: LIKE and CLONE copy it once, partitions and children of INHERITS follow their parent."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ci_runner.model import operations as ops
from ci_runner.model.operations import Column, CreateTable, Name, Operation
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import locate

_POSTGRES = ("postgres", "redshift")
_PASSED = frozenset({ops.AddColumn, ops.DropColumn, ops.RenameColumn, ops.AlterColumnType, ops.AlterColumn})
_CHECKS = frozenset({ops.DropConstraint, ops.RenameConstraint, ops.ValidateConstraint})
_DEEPEST = 8  # levels of partitions below one another


def includes(op: CreateTable, what: str) -> bool:
    """Whether LIKE copies ``what`` (defaults, constraints, identity, generated, indexes)."""
    last = [
        option
        for option in op.options
        if option in (f"including {what}", f"excluding {what}", "including all", "excluding all")
    ]
    return bool(last) and last[-1].startswith("including")


def copied(column: Column, op: CreateTable, dialect: str) -> Column:
    """A column as LIKE copies it: PostgreSQL leaves defaults, identity and generation behind unless they are asked for."""
    if dialect not in _POSTGRES or op.partition_of or op.inherits:
        return column
    kept: dict[str, object] = {}
    if column.generated:
        if not includes(op, "generated"):
            kept = {"generated": "", "default": None}
    elif column.identity and not includes(op, "defaults" if _serial(column) else "identity"):
        kept = {"identity": False, "default": None}
    elif not includes(op, "defaults"):
        kept = {"default": None}
    if column.primary_key and not includes(op, "indexes"):
        kept["primary_key"] = False
    return replace(column, **kept) if kept else column


def _serial(column: Column) -> bool:
    return column.type is not None and "serial" in column.type.base


def parents(catalog: Catalog, op: CreateTable, dialect: str) -> tuple[Name, ...]:
    """The keys of the tables a new one takes its columns from."""
    names = op.inherits or ((op.source or op.partition_of,) if op.source or op.partition_of else ())
    return tuple(locate(catalog, name, dialect) for name in names if name)


def adopt(catalog: Catalog, parent: Name, child: Name) -> Catalog:
    """The parent with one more child."""
    table = catalog.tables.get(parent)
    if table is None or child in table.children or parent == child:
        return catalog
    return _with(catalog, parent, (*table.children, child))


def disown(catalog: Catalog, parent: Name | None, child: Name) -> Catalog:
    """The parent without that child."""
    table = catalog.tables.get(parent) if parent else None
    if parent is None or table is None or child not in table.children:
        return catalog
    return _with(catalog, parent, tuple(name for name in table.children if name != child))


def _with(catalog: Catalog, key: Name, children: tuple[Name, ...]) -> Catalog:
    table: Table = replace(catalog.tables[key], children=children)
    return replace(catalog, tables=Layered.of(catalog.tables).put(key, table))


def passed_on(
    catalog: Catalog, op: Operation, dialect: str, apply: Callable[[Catalog, Operation, str], Catalog], depth: int = 0
) -> Catalog:
    """The catalog after PostgreSQL did to the children what ``op`` did to their parent, unless ONLY says it did not."""
    if dialect != "postgres" or not (op.__class__ in _PASSED or _checks(op)) or "only" in op.options:
        return catalog
    key = locate(catalog, op.table, dialect)  # type: ignore[attr-defined]
    table = catalog.tables.get(key)
    for child in table.children if table and depth < _DEEPEST else ():
        each = replace(op, table=child)
        catalog = passed_on(apply(catalog, each, dialect), each, dialect, apply, depth + 1)
    return catalog


def _checks(op: Operation) -> bool:
    """Whether it adds or drops a CHECK, which children have under the same name."""
    if isinstance(op, ops.AddConstraint):
        return op.constraint.kind == "check" and "no inherit" not in op.constraint.options
    return op.__class__ in _CHECKS
