"""What a statement of PostgreSQL costs where the schema before it is known: what the rules know, for the table of what a file does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ci_runner.lint.domains import chain
from ci_runner.lint.facts import expressed, has_default, index_on, mentions, not_null, proves_not_null
from ci_runner.lint.partitions import covered, ruled_out
from ci_runner.lint.postgres import rewrites_by_adding, type_change, utc_zone, volatile
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterColumnType,
    Name,
    Operation,
    Other,
    Partition,
)
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql.catalog_names import comparable, locate
from ci_runner.sql.effect_table import Cost


def exact(operation: Operation, found: Cost, state: Catalog) -> Cost:
    """``found``, the cost by the statement's words alone, made exact by the schema; the lock stays."""
    if not operation.kind.startswith("alter-table.") or found.effect not in ("scan", "rewrite", "metadata"):
        return found
    table = _table(state, getattr(operation, "table", None) or getattr(operation, "object", None))
    if table is not None and "foreign" in table.options:
        return Cost(found.lock, "metadata")
    judge = _JUDGES.get(operation.__class__)
    effect = judge(operation, table, state) if judge else ""
    return Cost(found.lock, effect) if effect else found


def _table(state: Catalog, name: object) -> Table | None:
    return state.tables.get(locate(state, name, "postgres")) if isinstance(name, Name) else None


def _added(op: AddColumn, table: Table | None, state: Catalog) -> str:
    column = op.column
    if table is not None and op.if_not_exists and comparable(column.name, "postgres") in table.columns:
        return "metadata"
    if rewrites_by_adding(column, state):
        return "rewrite"
    if column.default is None and not column.generated:
        inherited = next((each.default for each in chain(state, column.type) if each.default is not None), None)
        if inherited is not None and volatile(inherited, state) is not None:
            return "rewrite"
    read = column.check or column.unique or column.primary_key or (column.references and has_default(column))
    return "scan" if read else "metadata"


def _retyped(op: AlterColumnType, table: Table | None, state: Catalog) -> str:
    """A rewrite; else a scan where a CHECK is tested anew or an index built anew."""
    column = table.columns.get(comparable(op.column, "postgres")) if table else None
    if table is None or column is None or column.type is None:
        return ""
    zone = state.settings.get("local timezone") or state.settings.get("timezone") or ""
    effect = type_change(column, op, state, utc=utc_zone(zone))
    if effect == "rewrite":
        return effect
    tested = any(c.kind == "check" and mentions(c.expression, op.column) for c in table.constraints)
    built = expressed(table, op.column) or (effect == "index" and index_on(table, op.column, "postgres"))
    return "scan" if tested or built else "metadata"


def _proven(table: Table, column: str) -> bool:
    known = table.columns.get(comparable(column, "postgres"))
    if known is not None and not_null(known):
        return True
    return any(proves_not_null(c, column) and not c.not_valid and c.enforced for c in table.constraints)


def _altered(op: AlterColumn, table: Table | None, _state: Catalog) -> str:
    spared = op.kind == "alter-table.set-not-null" and table is not None and _proven(table, op.column)
    return "metadata" if spared else ""


def _constrained(op: AddConstraint, table: Table | None, _state: Catalog) -> str:
    kind, using = op.constraint.kind, op.constraint.using_index
    if table is None or kind not in ("primary-key", "unique"):
        return ""
    if "only" in op.options and table.partition_by:
        return "metadata"
    index = table.indexes.get(using) if using and kind == "primary-key" else None
    return "scan" if index is not None and not all(_proven(table, column) for column in index.columns) else ""


def _attached(op: Partition, parent: Table | None, state: Catalog) -> str:
    child = _table(state, op.partition)
    if not op.kind.endswith(".attach-partition") or child is None or parent is None:
        return ""
    others = [state.tables[name] for name in parent.children if name in state.tables]
    defaults = [table for table in others if "default partition" in table.options]
    known = child.born or "foreign" in child.options or covered(child, parent, op.bounds)
    return "metadata" if known and all(ruled_out(each, parent) for each in defaults) else ""


def _kept(op: Other, table: Table | None, _state: Catalog) -> str:
    """SET LOGGED or SET UNLOGGED of what is so already."""
    if op.kind not in ("alter-table.set-logged", "alter-table.set-unlogged") or table is None or table.partial:
        return ""
    return "metadata" if ("unlogged" in table.options) == op.kind.endswith("unlogged") else ""


_JUDGES: dict[type[Operation], Callable[[Any, Table | None, Catalog], str]] = {
    AddColumn: _added,
    AlterColumnType: _retyped,
    AlterColumn: _altered,
    AddConstraint: _constrained,
    Partition: _attached,
    Other: _kept,
}
