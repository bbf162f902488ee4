"""The schema as a fold over operations: what is known of a database before a file runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from ci_runner.model import operations as ops
from ci_runner.model.operations import Name, Operation, Statement
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql import catalog_columns as columns
from ci_runner.sql import catalog_databases as databases
from ci_runner.sql import catalog_schemas as schemas
from ci_runner.sql import catalog_tables as tables
from ci_runner.sql import catalog_types as types
from ci_runner.sql.catalog_inherit import adopt, disown, passed_on
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import comparable, created, inner_table, locate
from ci_runner.sql.catalog_store import VERSION, dumps, loads

__all__ = ["VERSION", "Catalog", "apply", "dumps", "fold", "loads", "release"]


_FOLLOWED = frozenset({"clickhouse", "redshift", "snowflake", "sqlserver"})  # for SQLite, catalog_sqlite follows more


def apply(catalog: Catalog, operation: Operation, dialect: str) -> Catalog:
    """The catalog after one operation; an operation without effect on it returns it as it is."""
    step = _STEPS.get(operation.__class__)
    if step is None or ("if exists" in operation.options and _absent(catalog, operation, dialect)):
        return catalog
    after: Catalog = step(catalog, operation, dialect)
    if dialect == "sqlite":
        from ci_runner.sql.catalog_sqlite import followed

        return followed(catalog, after, operation)
    if dialect in _FOLLOWED:
        from ci_runner.sql import catalog_change

        return catalog_change.followed(catalog, after, operation, dialect)
    return passed_on(after, operation, dialect, apply_one) if after is not catalog and dialect == "postgres" else after


def _absent(catalog: Catalog, operation: Operation, dialect: str) -> bool:
    """Whether ALTER TABLE IF EXISTS names a table no file made."""
    table = getattr(operation, "table", None)
    renames = isinstance(operation, ops.RenameTable)  # which may be of a view or an index
    return table is not None and not renames and locate(catalog, table, dialect) not in catalog.tables


def apply_one(catalog: Catalog, operation: Operation, dialect: str) -> Catalog:
    """The catalog after an operation on one table, its children left alone."""
    after: Catalog = _STEPS[operation.__class__](catalog, operation, dialect)
    return after


def fold(catalog: Catalog, statements: Iterable[Statement], dialect: str) -> Catalog:
    """The catalog after those statements; between two files comes :func:`release`."""
    for statement in statements:
        for operation in statement.operations:
            catalog = apply(catalog, operation, dialect)
    return catalog


def release(catalog: Catalog, *, keep: bool = False) -> Catalog:
    """The catalog as the next file finds it: nothing is new, temporary tables and the session's settings are gone.

    With ``keep`` the next file is of the same change, and what the change has made so far is still new to it.
    """
    if catalog.born:
        kept = Layered.of(catalog.tables)
        for kind, key in catalog.born:
            table = catalog.tables.get(key) if kind == "table" else None
            if table is not None and table.temporary:
                kept = kept.without(key)
            elif table is not None and not keep:
                kept = kept.put(key, replace(table, born=False))
        catalog = replace(catalog, tables=kept, born=catalog.born if keep else {})
    if catalog.dropped and not keep:
        catalog = replace(catalog, dropped={})
    if not catalog.settings and not catalog.search_path:
        return catalog
    settings = {key: value for key, value in catalog.settings.items() if key.startswith("global ")}
    if len(settings) != len(catalog.settings) or catalog.search_path:
        catalog = _with_settings(catalog, settings)
    return catalog


def _with_settings(catalog: Catalog, settings: dict[str, str]) -> Catalog:
    for tier in ("local ", "", "global "):
        value = settings.get(f"{tier}search_path")
        if value is not None:
            names = (part.strip().strip("'\"") for part in value.strip("'").split(","))
            return replace(catalog, settings=settings, search_path=tuple(n for n in names if n and n != "$user"))
    return replace(catalog, settings=settings, search_path=())


def _setting(catalog: Catalog, op: ops.Setting, _dialect: str) -> Catalog:
    if len(catalog.settings) >= tables.MOST:
        return catalog
    tier = {"local": "local ", "global": "global ", "database": "global "}.get(op.scope, "")
    return _with_settings(catalog, {**catalog.settings, f"{tier}{op.name}": op.value})


def _transaction(catalog: Catalog, op: ops.Transaction, _dialect: str) -> Catalog:
    local = [key for key in catalog.settings if key.startswith("local ")]
    if not local or op.kind not in ("transaction.commit", "transaction.rollback"):
        return catalog
    return _with_settings(catalog, {k: v for k, v in catalog.settings.items() if k not in local})


def _enum(catalog: Catalog, op: ops.CreateEnum, dialect: str) -> Catalog:
    key = created(catalog, op.type, dialect)
    if op.conditional and key in catalog.enums:
        return catalog
    return _birth(replace(catalog, enums=Layered.of(catalog.enums).put(key, op.values)), "type", key)


def _birth(catalog: Catalog, kind: str, key: Name) -> Catalog:
    return replace(catalog, born=Layered.of(catalog.born).put((kind, key), True))


def _alter_enum(catalog: Catalog, op: ops.AlterEnum, dialect: str) -> Catalog:
    key = locate(catalog, op.type, dialect, catalog.enums)
    values = catalog.enums.get(key, ())
    if op.new:
        values = tuple(op.new if value == op.value else value for value in values)
    elif op.value not in values and len(values) < tables.MOST:
        at = len(values)
        if op.before in values or op.after in values:
            at = values.index(op.before) if op.before in values else values.index(op.after) + 1
        values = (*values[:at], op.value, *values[at:])
    return replace(catalog, enums=Layered.of(catalog.enums).put(key, values))


def _function(catalog: Catalog, op: ops.CreateFunction, dialect: str) -> Catalog:
    key = created(catalog, op.function, dialect)
    return _birth(replace(catalog, functions=Layered.of(catalog.functions).put(key, op.volatility)), "function", key)


def _view(catalog: Catalog, op: ops.CreateView, dialect: str) -> Catalog:
    key = created(catalog, op.view, dialect)
    if key in catalog.views and not op.or_replace:
        return catalog
    fresh = key not in catalog.views
    reads = tuple(locate(catalog, name, dialect) for name in op.reads)
    if op.materialized and "stores" in op.options:
        reads = (*reads, inner_table(key))
    clustered = "on cluster" in op.options
    creates = (catalog.creates[0] + clustered, catalog.creates[1] + (not clustered))
    spread = Layered.of(catalog.clustered).put(key, True) if clustered else catalog.clustered
    catalog = replace(catalog, views=Layered.of(catalog.views).put(key, reads), creates=creates, clustered=spread)
    return _birth(catalog, "view", key) if fresh else catalog


def _drop_objects(catalog: Catalog, op: ops.DropObjects, dialect: str) -> Catalog:
    for key, _, gone in types.carried(catalog, op) if dialect == "postgres" else ():
        for column in gone:
            dropped = ops.DropColumn(kind=op.kind, start=0, end=0, table=key, column=column.name)
            catalog = columns.drop_column(catalog, dropped, dialect)
    for name in op.names:
        if op.kind in ("drop-schema", "drop-database"):
            catalog = schemas.drop_schema(catalog, name, dialect, op.kind)
        elif op.kind in ("drop-view", "drop-materialized-view"):
            key = locate(catalog, name, dialect, catalog.views)
            catalog = replace(catalog, views=Layered.of(catalog.views).without(key))
        elif op.kind in ("drop-type", "drop-enum"):
            key = locate(catalog, name, dialect, catalog.enums)
            catalog = replace(catalog, enums=Layered.of(catalog.enums).without(key))
        elif op.kind == "drop-domain":
            catalog = types.drop_domain(catalog, name, dialect)
        elif op.kind in ("drop-function", "drop-procedure"):
            key = locate(catalog, name, dialect, catalog.functions)
            catalog = replace(catalog, functions=Layered.of(catalog.functions).without(key))
    return catalog


def _rename_object(catalog: Catalog, op: ops.RenameObject, dialect: str) -> Catalog:
    kind = op.kind.rpartition(".")[2]
    if kind == "rename-schema":
        return schemas.rename_schema(catalog, comparable(op.name.name, dialect), comparable(op.new.name, dialect))
    if kind == "rename-view":
        return tables.rename_table(
            catalog, ops.RenameTable(kind=kind, start=0, end=0, table=op.name, new=op.new), dialect
        )
    if kind == "rename-domain":
        return _retyped(types.rename_domain(catalog, op, dialect), op)
    if kind == "rename-type":
        key = locate(catalog, op.name, dialect, catalog.enums)
        if key in catalog.enums:
            new = Name(op.new.schema or key.schema, op.new.name)
            enums = Layered.of(catalog.enums).without(key).put(new, catalog.enums[key])
            return _retyped(tables.renamed_birth(replace(catalog, enums=enums), "type", key, new), op)
    return catalog


def _retyped(catalog: Catalog, op: ops.RenameObject) -> Catalog:
    """Columns of a renamed type follow."""
    old, new = op.name.name, op.new.name
    for key, table in list(catalog.tables.items()):
        if any(c.type is not None and c.type.base.rpartition(".")[2] == old for c in table.columns.values()):
            kept = {
                name: replace(c, type=replace(c.type, base=new, text=new))
                if c.type and c.type.base.rpartition(".")[2] == old
                else c
                for name, c in table.columns.items()
            }
            catalog = tables.with_table(catalog, key, replace(table, columns=kept))
    return catalog


def _partition(catalog: Catalog, op: ops.Partition, dialect: str) -> Catalog:
    action = op.kind.rpartition(".")[2]
    if not action.startswith(("attach-partition", "detach-partition")) or dialect not in ("postgres", "redshift"):
        return catalog
    parent = locate(catalog, op.table, dialect)
    key, child = tables.known(catalog, op.partition, dialect)
    attached = action == "attach-partition"
    options = tuple(option for option in child.options if option != "default partition")
    if attached and op.bounds.upper() == "DEFAULT":
        options += ("default partition",)
    moved = replace(child, partition_of=parent if attached else None, options=options)
    catalog = tables.with_table(catalog, key, moved)
    return adopt(catalog, parent, key) if attached else disown(catalog, parent, key)


def _swap(catalog: Catalog, op: ops.RenameTable, dialect: str) -> Catalog:
    one, first = tables.known(catalog, op.table, dialect)
    two, second = tables.known(catalog, op.new, dialect)
    catalog = tables.with_table(catalog, one, replace(second, name=first.name))
    catalog = tables.with_table(catalog, two, replace(first, name=second.name))
    new = [key for key in (one, two) if ("table", key) in catalog.born]
    if len(new) == 1:  # the mark goes with the table: release() ends what it says
        return tables.renamed_birth(catalog, "table", new[0], one if new[0] == two else two)
    return catalog


def _rename_table(catalog: Catalog, op: ops.RenameTable, dialect: str) -> Catalog:
    if dialect == "sqlserver" and (key := locate(catalog, op.table, dialect)) in catalog.functions:
        moved = Layered.of(catalog.functions).without(key)
        new = Name(key.schema, comparable(op.new.name, dialect))
        return replace(catalog, functions=moved.put(new, catalog.functions[key]))
    if op.kind.rpartition(".")[2] in ("swap-table", "exchange-tables"):
        return _swap(catalog, op, dialect)
    if locate(catalog, op.table, dialect) not in catalog.tables and columns.index_table(
        catalog, op.table, None, dialect
    ):
        named = ops.RenameIndex(kind=op.kind, start=op.start, end=op.end, index=op.table, new=op.new.name)
        return columns.rename_index(catalog, named, dialect)
    return tables.rename_table(catalog, op, dialect)


def _other(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    step = _OTHERS.get(op.kind)
    return catalog if step is None else step(catalog, op, dialect)


def _schema(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    if op.object is None:
        return catalog
    name = comparable(op.object.name, dialect)
    fresh = name not in catalog.schemas and len(catalog.schemas) < tables.MOST
    catalog = replace(catalog, schemas=catalog.schemas | {name})
    if "engine=replicated" in op.options:
        catalog = replace(catalog, replicated=catalog.replicated | {name})
    catalog = _spread(catalog, op, dialect)
    return _birth(catalog, "schema", Name("", name)) if fresh else catalog


def _renewed_schema(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """Snowflake's CREATE OR REPLACE: what was in it is gone."""
    if op.object is None:
        return catalog
    kind = op.kind.replace("create-or-replace", "drop")
    return _schema(schemas.drop_schema(catalog, op.object, dialect, kind), op, dialect)


def _spread(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """ClickHouse objects that the catalog knows only by whether every node has them."""
    if op.object is None or "on cluster" not in op.options:
        return catalog
    return replace(catalog, clustered=Layered.of(catalog.clustered).put(created(catalog, op.object, dialect), True))


def _reset(catalog: Catalog, op: ops.Other, _dialect: str) -> Catalog:
    if op.object is None:
        return _with_settings(catalog, {k: v for k, v in catalog.settings.items() if k.startswith("global ")})
    gone = {op.object.name, f"local {op.object.name}"}
    return _with_settings(catalog, {k: v for k, v in catalog.settings.items() if k not in gone})


def _distrust(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """SQL Server's NOCHECK CONSTRAINT: from then on the constraint is not trusted, until it is checked."""
    name = comparable(next(iter(op.options), ""), dialect)
    if op.object is None:
        return catalog
    key, table = tables.known(catalog, op.object, dialect)
    checked = tuple(
        replace(c, not_valid=True)
        if c.kind in ("foreign-key", "check") and (name == "all" or comparable(c.name, dialect) == name)
        else c
        for c in table.constraints
    )
    return tables.with_table(catalog, key, replace(table, constraints=checked))


_ATTRIBUTES = (
    "alter-table.rebuild", "alter-table.modify-order-by", "alter-table.set-logged", "alter-table.set-unlogged", "alter-table.convert-charset",
    "alter-table.set-default-charset",
)  # fmt: skip


def _attribute(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """What ALTER TABLE says of the table as a whole; few files do."""
    from ci_runner.sql import catalog_attributes

    return catalog_attributes.changed(catalog, op, dialect)


_OTHERS: dict[str, Callable[[Catalog, ops.Other, str], Catalog]] = {
    "create-schema": _schema,
    "create-database": _schema,
    "create-or-alter-schema": _schema,
    "create-or-alter-database": _schema,
    "create-or-replace-schema": _renewed_schema,
    "create-or-replace-database": _renewed_schema,
    "create-dictionary": _spread,
    "create-function": _spread,
    "create-sequence": schemas.sequence,
    **dict.fromkeys(
        map("alter-domain.{}".format, ("add-constraint", "drop-constraint", "set-not-null", "drop-not-null")),
        types.alter_domain,
    ),
    "alter-function.set-option": types.alter_function,
    "undrop-table": schemas.undrop,
    "undrop-schema": schemas.undrop,
    "reset-setting": _reset,
    "use": databases.use,
    "alter-table.disable-constraint": _distrust,
    **dict.fromkeys(_ATTRIBUTES, _attribute),
}

_STEPS: dict[type, Callable[[Catalog, Any, str], Catalog]] = {
    ops.CreateTable: tables.create_table,
    ops.DropTable: tables.drop_tables,
    ops.RenameTable: _rename_table,
    ops.AddColumn: columns.add_column,
    ops.DropColumn: columns.drop_column,
    ops.RenameColumn: columns.rename_column,
    ops.AlterColumnType: columns.alter_type,
    ops.AlterColumn: columns.alter_column,
    ops.AddConstraint: columns.constrain,
    ops.DropConstraint: columns.unconstrain,
    ops.ValidateConstraint: columns.validate,
    ops.RenameConstraint: columns.rename_constraint,
    ops.CreateIndex: columns.create_index,
    ops.DropIndex: columns.drop_indexes,
    ops.RenameIndex: columns.rename_index,
    ops.CreateEnum: _enum,
    ops.AlterEnum: _alter_enum,
    ops.CreateDomain: types.create_domain,
    ops.CreateFunction: _function,
    ops.CreateView: _view,
    **dict.fromkeys((ops.CreateTrigger, ops.Dml), lambda catalog, _op, _dialect: catalog),  # catalog_sqlite has them
    ops.DropObjects: _drop_objects,
    ops.RenameObject: _rename_object,
    ops.Partition: _partition,
    ops.Setting: _setting,
    ops.Transaction: _transaction,
    ops.Other: _other,
}


def table_of(catalog: Catalog, name: Name, dialect: str) -> Table | None:
    """The table that name means there, None when no table of that name was ever seen."""
    return catalog.tables.get(locate(catalog, name, dialect))
