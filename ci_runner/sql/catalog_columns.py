"""What operations on columns, constraints and indexes do to the catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterColumnType,
    Column,
    Constraint,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    Name,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    ValidateConstraint,
)
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import SCHEMA_INDEXES, comparable, locate
from ci_runner.sql.catalog_tables import (
    MOST,
    Taken,
    add_constraint,
    add_index,
    drop_index,
    inline_constraints,
    known,
    settled,
    with_table,
)


def add_column(catalog: Catalog, op: AddColumn, dialect: str) -> Catalog:
    """ADD COLUMN with the constraints its definition carries."""
    key, table = known(catalog, op.table, dialect)
    name = comparable(op.column.name, dialect)
    if len(table.columns) >= MOST or (name in table.columns and (op.if_not_exists or op.conditional)):
        return catalog
    column = settled(op.column)
    if op.column.primary_key and not table.partial and any(c.kind == "primary-key" for c in table.constraints):
        column = replace(column, primary_key=False)
    columns = _placed({**table.columns, name: column}, name, column.position, dialect)
    return inline_constraints(with_table(catalog, key, replace(table, columns=columns)), key, op.column, dialect)


def _placed(columns: dict[str, Column], name: str, position: str, dialect: str) -> dict[str, Column]:
    """MySQL's FIRST and AFTER x: the order matters to those who copy a table whole."""
    if not position:
        return columns
    column = columns.pop(name)
    if position == "first":
        return {name: column, **columns}
    before = comparable(position.removeprefix("after ").strip('`"'), dialect)
    moved: dict[str, Column] = {}
    for other, value in columns.items():
        moved[other] = value
        if other == before:
            moved[name] = column
    moved.setdefault(name, column)
    return moved


def drop_column(catalog: Catalog, op: DropColumn, dialect: str) -> Catalog:
    """DROP COLUMN with the constraints and indexes that stand on it."""
    key, table = known(catalog, op.table, dialect)
    name = comparable(op.column, dialect)
    columns = {k: v for k, v in table.columns.items() if k != name}
    constraints = tuple(c for c in table.constraints if name not in {comparable(x, dialect) for x in c.columns})
    catalog = with_table(catalog, key, replace(table, columns=columns, constraints=constraints))
    for index in table.indexes.values():
        if name in {comparable(x, dialect) for x in index.columns}:
            catalog = drop_index(catalog, key, index.name, dialect)
    return catalog


def rename_column(catalog: Catalog, op: RenameColumn, dialect: str) -> Catalog:
    """A column under its new name, in constraints, indexes and other tables' references too."""
    from ci_runner.sql.catalog_expressions import respelled

    key, table = known(catalog, op.table, dialect)
    old, new = comparable(op.column, dialect), comparable(op.new, dialect)

    def named(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(op.new if comparable(x, dialect) == old else x for x in columns)

    columns = {(new if k == old else k): (replace(v, name=op.new) if k == old else v) for k, v in table.columns.items()}
    constraints = tuple(replace(c, columns=named(c.columns)) for c in table.constraints)
    indexes = {k: replace(v, columns=named(v.columns)) for k, v in table.indexes.items()}
    table = replace(table, columns=columns, constraints=constraints, indexes=indexes, order_by=named(table.order_by))
    table = respelled(table, old, op.new)
    catalog = with_table(catalog, key, table)
    for name in catalog.referrers.get(key, ()):
        child = catalog.tables.get(name)
        if child:
            catalog = with_table(catalog, name, _pointed(child, key, named))
    return catalog


def _pointed(child: Table, key: Name, named: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Table:
    def moved(c: Constraint) -> Constraint:
        if not c.references or c.references.table != key:
            return c
        return replace(c, references=replace(c.references, columns=named(c.references.columns)))

    return replace(child, constraints=tuple(moved(c) for c in child.constraints))


def alter_type(catalog: Catalog, op: AlterColumnType, dialect: str) -> Catalog:
    """A new type; with a whole definition (MySQL, SQL Server, ClickHouse) what it leaves out is gone."""
    key, table = known(catalog, op.table, dialect)
    name = comparable(op.column, dialect)
    old = table.columns.get(name) or Column(op.column, None)
    retyped = replace(old, type=op.type, collation=op.collation or old.collation)
    new = retyped if op.definition is None else _redefined(old, op.definition, dialect)
    columns = _placed({**table.columns, name: new}, name, new.position, dialect)
    if dialect == "mariadb":  # a column's own CHECK is part of its definition
        own = ("check", ("inline",), (name,))
        kept = tuple(c for c in table.constraints if (c.kind, c.options, c.columns) != own)
        table = replace(table, constraints=kept)
    catalog = with_table(catalog, key, replace(table, columns=columns))
    if op.definition is not None and op.definition.unique:
        return inline_constraints(
            catalog, key, replace(op.definition, primary_key=False, check=None, references=None), dialect
        )
    return catalog


def _redefined(old: Column, definition: Column, dialect: str) -> Column:
    new = replace(settled(definition), name=old.name, primary_key=old.primary_key)
    if old.primary_key:
        new = replace(new, nullable=False)
    if dialect in ("sqlserver", "clickhouse"):  # these keep the default (and IDENTITY) unless the statement sets one
        return replace(
            new,
            default=old.default if definition.default is None else definition.default,
            identity=old.identity or new.identity,
        )
    return new


_COLUMN_STEPS: dict[str, Callable[[Column, AlterColumn], dict[str, Any]]] = {
    "set-not-null": lambda _c, _o: {"nullable": False},
    "drop-not-null": lambda _c, _o: {"nullable": True},
    "set-column-default": lambda _c, o: {"default": o.default},
    "drop-column-default": lambda _c, _o: {"default": None},
    "add-identity": lambda _c, _o: {"identity": True, "nullable": False},
    "drop-identity": lambda _c, _o: {"identity": False},
    "drop-expression": lambda _c, _o: {"generated": "", "default": None},
}


def alter_column(catalog: Catalog, op: AlterColumn, dialect: str) -> Catalog:
    """One property of a column."""
    step = _COLUMN_STEPS.get(op.kind.rpartition(".")[2])
    if step is None:
        return catalog
    key, table = known(catalog, op.table, dialect)
    name = comparable(op.column, dialect)
    column = table.columns.get(name) or Column(op.column, None)
    return with_table(
        catalog, key, replace(table, columns={**table.columns, name: replace(column, **step(column, op))})
    )


_WITHOUT_INDEX = ("foreign-key", "check")  # an index may go by the name of one


def constrain(catalog: Catalog, op: AddConstraint, dialect: str) -> Catalog:
    """ADD CONSTRAINT."""
    key, table = known(catalog, op.table, dialect)
    return add_constraint(with_table(catalog, key, table), key, op.constraint, dialect)


def unconstrain(catalog: Catalog, op: DropConstraint, dialect: str) -> Catalog:
    """DROP CONSTRAINT, DROP FOREIGN KEY, DROP PRIMARY KEY: the constraint and the index it is; that of a foreign key stays."""
    key, table = known(catalog, op.table, dialect)
    gone = find_constraint(table, op, dialect)
    if gone is None:
        of_index = dialect in ("mysql", "mariadb") and op.constraint_kind not in _WITHOUT_INDEX
        return drop_index(catalog, key, op.name, dialect) if of_index else catalog
    kept = tuple(c for c in table.constraints if c is not gone)
    columns = table.columns
    if gone.kind == "primary-key":
        columns = {k: replace(v, primary_key=False) for k, v in columns.items()}
    catalog = with_table(catalog, key, replace(table, constraints=kept, columns=columns))
    return catalog if gone.kind in _WITHOUT_INDEX else drop_index(catalog, key, gone.name, dialect)


def find_constraint(table: Table, op: DropConstraint, dialect: str) -> Constraint | None:
    """The constraint a DROP means: by name, and by kind where the statement needs no name (DROP PRIMARY KEY)."""
    name = comparable(op.name, dialect)
    for constraint in table.constraints:
        if comparable(constraint.name, dialect) == name and name and op.constraint_kind in ("", constraint.kind):
            return constraint
    if op.columns:
        return next((c for c in table.constraints if (c.kind, c.columns) == (op.constraint_kind, op.columns)), None)
    if op.constraint_kind == "primary-key":
        return next((c for c in table.constraints if c.kind == "primary-key"), None)
    return None


def validate(catalog: Catalog, op: ValidateConstraint, dialect: str) -> Catalog:
    """VALIDATE CONSTRAINT; no name means all of the table's."""
    key, table = known(catalog, op.table, dialect)
    name = comparable(op.name, dialect)
    every = name in ("", "all")
    done = tuple(
        replace(c, not_valid=False) if every or comparable(c.name, dialect) == name else c for c in table.constraints
    )
    return with_table(catalog, key, replace(table, constraints=done))


def rename_constraint(catalog: Catalog, op: RenameConstraint, dialect: str) -> Catalog:
    """RENAME CONSTRAINT; its index, if it has one, goes by the new name too."""
    key, table = known(catalog, op.table, dialect)
    name = comparable(op.name, dialect)
    named = tuple(replace(c, name=op.new) if comparable(c.name, dialect) == name else c for c in table.constraints)
    catalog = with_table(catalog, key, replace(table, constraints=named))
    return _renamed_index(catalog, key, op.name, op.new, dialect)


def create_index(catalog: Catalog, op: CreateIndex, dialect: str) -> Catalog:
    """CREATE INDEX; nothing when one of that name is there and the statement is guarded."""
    key, table = known(catalog, op.table, dialect)
    name = comparable(op.index.name, dialect)
    if (op.if_not_exists or op.conditional) and name in Taken(catalog, key, table.indexes, dialect):
        return catalog
    if key in catalog.views and key not in catalog.tables:
        return catalog
    if key not in catalog.tables:
        catalog = with_table(catalog, key, table)
    return add_index(catalog, key, op.index, dialect)


def drop_indexes(catalog: Catalog, op: DropIndex, dialect: str) -> Catalog:
    """DROP INDEX, found through its table or, where indexes live in a schema, by its name alone."""
    for name in op.indexes:
        key = index_table(catalog, name, op.table, dialect)
        if key is not None:
            catalog = drop_index(catalog, key, name.name, dialect)
    return catalog


def index_table(catalog: Catalog, index: Name, table: Name | None, dialect: str) -> Name | None:
    """The key of the table an index belongs to; None when that is not known."""
    if table is not None:
        return locate(catalog, table, dialect)
    found = locate(catalog, index, dialect, catalog.index_tables)
    return catalog.index_tables.get(found)


def rename_index(catalog: Catalog, op: RenameIndex, dialect: str) -> Catalog:
    """An index under a new name."""
    key = index_table(catalog, op.index, op.table, dialect)
    return catalog if key is None else _renamed_index(catalog, key, op.index.name, op.new, dialect)


def _renamed_index(catalog: Catalog, key: Name, name: str, new: str, dialect: str) -> Catalog:
    table = catalog.tables.get(key)
    old = comparable(name, dialect)
    if table is None or old not in table.indexes:
        return catalog
    folded = comparable(new, dialect)
    indexes = {(folded if k == old else k): (replace(v, name=new) if k == old else v) for k, v in table.indexes.items()}
    catalog = with_table(catalog, key, replace(table, indexes=indexes))
    if dialect not in SCHEMA_INDEXES:
        return catalog
    moved = Layered.of(catalog.index_tables).without(Name(key.schema, old)).put(Name(key.schema, folded), key)
    return replace(catalog, index_tables=moved)
