"""What operations on tables do to the catalog: create, drop, rename, and the shape a CREATE TABLE gives."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from ci_runner.model.operations import Column, Constraint, CreateTable, DropTable, Index, Name, RenameTable
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql import catalog_databases as databases
from ci_runner.sql.catalog_inherit import adopt, copied, disown, includes, parents
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_mysql import foreign_index, renamed_keys, spared
from ci_runner.sql.catalog_names import SCHEMA_INDEXES, comparable, constraint_name, created, index_name, locate

MOST = 5_000  # parts of one table kept; above what any database allows, and a bound on copying


def known(catalog: Catalog, name: Name, dialect: str) -> tuple[Name, Table]:
    """Key and table; a table never seen before is one of which nothing is known but its name."""
    key = locate(catalog, name, dialect)
    return key, catalog.tables.get(key) or Table(name, {}, partial=True)


def with_table(catalog: Catalog, key: Name, table: Table) -> Catalog:
    """The catalog with that table in place of whatever had its name."""
    return replace(catalog, tables=Layered.of(catalog.tables).put(key, table))


def create_table(catalog: Catalog, op: CreateTable, dialect: str) -> Catalog:
    """CREATE TABLE; nothing when it exists and the statement is guarded."""
    key = created(catalog, op.table, dialect, temporary=op.temporary)
    if key in catalog.tables and (op.if_not_exists or op.conditional) and not op.or_replace:
        return catalog
    if op.or_replace:
        catalog = shelved(catalog, key, dialect)
    clustered = "on cluster" in op.options
    changed = (
        catalog.tables.get(key) if "or alter" in op.options else None
    )  # Snowflake's CREATE OR ALTER keeps the rows
    table = Table(
        name=op.table, columns=_columns(catalog, op, dialect), partition_by=op.partition_by,
        partition_of=locate(catalog, op.partition_of, dialect) if op.partition_of else None,
        temporary=op.temporary or key.name.startswith("#"), engine=op.engine, order_by=_keys(op, dialect), charset=op.charset,
        options=op.options, born=changed is None or changed.born, partial=op.selects or (op.source is not None and not _source(catalog, op, dialect)),
    )  # fmt: skip
    creates = (catalog.creates[0] + clustered, catalog.creates[1] + (not clustered))
    catalog = replace(
        with_table(catalog, key, table), creates=creates, born=Layered.of(catalog.born).put(("table", key), True)
    )
    if dialect == "snowflake":
        catalog = databases.known(catalog, key.schema.rpartition(".")[0])
    for column in op.columns[:MOST]:
        catalog = inline_constraints(catalog, key, column, dialect)
    own = op.constraints[:MOST]
    for constraint in sorted(own, key=_unnamed) if dialect in ("mysql", "mariadb") else own:
        catalog = add_constraint(catalog, key, constraint, dialect)
    for index in op.indexes[:MOST]:
        catalog = add_index(catalog, key, index, dialect)
    return _inherit(catalog, key, op, dialect)


def _unnamed(constraint: Constraint) -> bool:
    """What has a name has it before the others are numbered."""
    return not constraint.name


def _keys(op: CreateTable, dialect: str) -> tuple[str, ...]:
    if op.order_by or dialect != "clickhouse":
        return op.order_by
    return next((c.columns for c in op.constraints if c.kind == "primary-key"), ())


def _source(catalog: Catalog, op: CreateTable, dialect: str) -> Table | None:
    return next((catalog.tables[key] for key in parents(catalog, op, dialect) if key in catalog.tables), None)


def _columns(catalog: Catalog, op: CreateTable, dialect: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for key in parents(catalog, op, dialect) if not op.selects else ():
        origin = catalog.tables.get(key)
        columns.update(
            (name, copied(column, op, dialect)) for name, column in (origin.columns if origin else {}).items()
        )
    columns.update((comparable(column.name, dialect), settled(column)) for column in op.columns[:MOST])
    return columns


def settled(column: Column) -> Column:
    """The column as it is kept: a primary key, serial or identity is NOT NULL, and its inline constraints live with the table."""
    counting = column.identity and column.nullable is None
    nullable = False if column.primary_key or counting else column.nullable
    return replace(column, nullable=nullable, references=None, check=None, unique=False)


def _inherit(catalog: Catalog, key: Name, op: CreateTable, dialect: str) -> Catalog:
    """Copies of keys and checks: MySQL's LIKE, CLONE, PostgreSQL's LIKE … INCLUDING INDEXES, CONSTRAINTS or ALL; a partition has its parent's."""
    for parent in parents(catalog, op, dialect) if op.partition_of or op.inherits else ():
        catalog = adopt(catalog, parent, key)
    origin = _source(catalog, op, dialect)
    if origin is None or op.selects:
        return catalog
    if dialect in ("mysql", "mariadb"):
        return _alike(catalog, key, origin, dialect)
    table = catalog.tables[key]
    everything = dialect not in ("postgres", "redshift") or op.partition_of is not None
    for constraint in origin.constraints:
        if constraint.kind in ("primary-key", "unique") and not op.inherits and (everything or includes(op, "indexes")):
            catalog = add_constraint(catalog, key, replace(constraint, name=""), dialect)
        checks = dialect == "postgres" and constraint.kind == "check" and "no inherit" not in constraint.options
        if checks and (op.partition_of or op.inherits or includes(op, "constraints")):
            catalog = add_constraint(catalog, key, replace(constraint, not_valid=False), dialect)
    for index in (
        origin.indexes.values() if dialect == "postgres" and (op.partition_of or includes(op, "indexes")) else ()
    ):
        if "constraint" not in index.options:
            catalog = add_index(catalog, key, replace(index, name=""), dialect)
    return with_table(catalog, key, replace(catalog.tables[key], order_by=table.order_by or origin.order_by))


def _alike(catalog: Catalog, key: Name, origin: Table, dialect: str) -> Catalog:
    """MySQL's LIKE: keys and indexes keep their names, which are the table's own; foreign keys stay behind, MySQL names checks anew."""
    for constraint in origin.constraints:
        if constraint.kind != "foreign-key":
            anew = constraint.kind == "check" and dialect == "mysql"
            catalog = add_constraint(catalog, key, replace(constraint, name="") if anew else constraint, dialect)
    for index in origin.indexes.values():
        if "constraint" not in index.options:
            catalog = add_index(catalog, key, index, dialect)
    return catalog


def inline_constraints(catalog: Catalog, key: Name, column: Column, dialect: str) -> Catalog:
    """The constraints a column definition carries, as constraints of the table."""
    found: list[Constraint] = []
    if column.primary_key:
        found.append(Constraint("primary-key", "", (column.name,)))
    if column.unique:
        found.append(Constraint("unique", "", (column.name,)))
    if column.check is not None:
        found.append(
            Constraint("check", "", (column.name,), expression=column.check, not_valid="not valid" in column.options)
        )
    if column.references and dialect != "mysql":  # MySQL reads an inline REFERENCES and forgets it
        found.append(
            Constraint(
                "foreign-key", "", (column.name,), references=column.references, not_valid="not valid" in column.options
            )
        )
    if found and column.constraint:
        found[0] = replace(found[0], name=column.constraint)
    for constraint in found:
        catalog = add_constraint(catalog, key, replace(constraint, options=("inline",)), dialect)
    return catalog


def add_constraint(catalog: Catalog, key: Name, constraint: Constraint, dialect: str) -> Catalog:
    """A constraint with its name settled, and the index it brings."""
    table = catalog.tables[key]
    if len(table.constraints) >= MOST:
        return catalog
    given = constraint.name
    adopted = table.indexes.get(comparable(constraint.using_index, dialect)) if constraint.using_index else None
    if adopted:
        constraint = replace(
            constraint, columns=constraint.columns or adopted.columns, name=constraint.name or adopted.name
        )
    if constraint.kind == "check" and not constraint.columns and dialect in ("postgres", "mysql", "mariadb"):
        constraint = replace(constraint, columns=_mentioned(constraint.expression, table))
    if not constraint.name:
        taken = _taken(catalog, key, constraint.kind, dialect)
        constraint = replace(constraint, name=constraint_name(constraint, key.name, taken, dialect))
    if constraint.references:
        target = locate(catalog, constraint.references.table, dialect)
        constraint = replace(constraint, references=replace(constraint.references, table=target))
        catalog = _refers(catalog, target, key)
    columns = dict(table.columns)
    if constraint.kind in ("primary-key", "not-null"):
        for name in constraint.columns:
            column = columns.get(comparable(name, dialect))
            if column:
                primary = column.primary_key or constraint.kind == "primary-key"
                columns[comparable(name, dialect)] = replace(column, nullable=False, primary_key=primary)
    catalog = with_table(catalog, key, replace(table, columns=columns, constraints=(*table.constraints, constraint)))
    if constraint.using_index:
        catalog = drop_index(catalog, key, constraint.using_index, dialect)
    if constraint.kind == "foreign-key" and dialect in ("mysql", "mariadb"):
        unasked = foreign_index(catalog.tables[key], constraint, given, dialect)
        return add_index(catalog, key, unasked, dialect) if unasked else catalog
    if constraint.kind in ("primary-key", "unique", "exclusion"):
        index = Index(constraint.name, constraint.columns, constraint.kind != "exclusion", options=("constraint",))
        return add_index(catalog, key, index, dialect)
    return catalog


class Taken:
    """The names a new index of a table cannot have: its own and, where indexes live in the schema, those of other tables there."""

    def __init__(self, catalog: Catalog, key: Name, own: Collection[str], dialect: str) -> None:
        self._catalog, self._schema, self._own = catalog, key.schema, own
        self._wide = dialect in SCHEMA_INDEXES

    def __len__(self) -> int:
        return len(self._own)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __contains__(self, name: object) -> bool:
        if name in self._own or not self._wide:
            return name in self._own
        there = Name(self._schema, str(name))
        return there in self._catalog.index_tables or there in self._catalog.tables or there in self._catalog.views


class ConstraintTaken(Taken):
    """The names PostgreSQL does not give to a constraint: those of constraints in its schema; where it brings an index, of relations too.

    Only tables whose names begin the name in question are looked at: ``a (b_c)`` and ``a_b (c)`` both ask for ``a_b_c_check``.
    """

    def __init__(self, catalog: Catalog, key: Name, own: Collection[str], kind: str) -> None:
        super().__init__(catalog, key, own, "postgres")
        self._wide = kind in ("primary-key", "unique", "exclusion")
        self._seen: dict[str, frozenset[str]] = {key.name: frozenset()}

    def __contains__(self, name: object) -> bool:
        text = str(name)
        ends = (at for at, char in enumerate(text) if char == "_")
        return super().__contains__(name) or any(text in self._constraints(text[:end]) for end in ends)

    def _constraints(self, table: str) -> frozenset[str]:
        found = self._seen.get(table)
        if found is None:
            there = self._catalog.tables.get(Name(self._schema, table))
            found = self._seen[table] = frozenset(c.name for c in there.constraints) if there else frozenset()
        return found


def _taken(catalog: Catalog, key: Name, kind: str, dialect: str) -> Taken:
    table = catalog.tables[key]
    own = {comparable(c.name, dialect) for c in table.constraints}
    if dialect == "postgres":
        return ConstraintTaken(catalog, key, own, kind)
    return Taken(catalog, key, own.union(table.indexes), dialect)


def _mentioned(expression: str, table: Table) -> tuple[str, ...]:
    """The columns a CHECK speaks of: they name it, and go with it."""
    words = set(re.findall(r"\w+", re.sub(r"'(?:[^']|'')*'", "", expression)[:10_000]))
    lowered = {word.lower() for word in words}
    return tuple(column.name for key, column in table.columns.items() if key in words or key in lowered)


def _refers(catalog: Catalog, target: Name, key: Name) -> Catalog:
    referrers = catalog.referrers.get(target, ())
    if key in referrers or len(referrers) >= MOST:
        return catalog
    return replace(catalog, referrers=Layered.of(catalog.referrers).put(target, (*referrers, key)))


def add_index(catalog: Catalog, key: Name, index: Index, dialect: str) -> Catalog:
    """An index with its name settled."""
    table = catalog.tables[key]
    if len(table.indexes) >= MOST:
        return catalog
    if not index.name:
        taken = Taken(catalog, key, table.indexes, dialect)
        index = replace(index, name=index_name(key.name, index.columns, taken, dialect))
    name = comparable(index.name, dialect)
    kept = spared(table, index, dialect) if dialect in ("mysql", "mariadb") else table.indexes
    catalog = with_table(catalog, key, replace(table, indexes={**kept, name: index}))
    if dialect not in SCHEMA_INDEXES:
        return catalog
    return replace(catalog, index_tables=Layered.of(catalog.index_tables).put(Name(key.schema, name), key))


def drop_index(catalog: Catalog, key: Name, name: str, dialect: str) -> Catalog:
    """The table without that index."""
    folded = comparable(name, dialect)
    table = catalog.tables.get(key)
    if table is None or folded not in table.indexes:
        return catalog
    indexes = {k: v for k, v in table.indexes.items() if k != folded}
    catalog = with_table(catalog, key, replace(table, indexes=indexes))
    return replace(catalog, index_tables=Layered.of(catalog.index_tables).without(Name(key.schema, folded)))


def drop_tables(catalog: Catalog, op: DropTable, dialect: str) -> Catalog:
    """DROP TABLE; where it cascades, foreign keys of others to it go too."""
    for name in op.tables:
        key = locate(catalog, name, dialect)
        if dialect == "clickhouse" and key in catalog.views:
            catalog = replace(catalog, views=Layered.of(catalog.views).without(key))
        catalog = remove_table(shelved(catalog, key, dialect), key, cascade="cascade" in op.options)
    return catalog


def shelved(catalog: Catalog, key: Name, dialect: str) -> Catalog:
    """The catalog with the table, about to be dropped, kept where UNDROP finds it."""
    table = catalog.tables.get(key) if dialect in ("clickhouse", "snowflake") else None
    return catalog if table is None else replace(catalog, dropped=Layered.of(catalog.dropped).put(key, table))


def brought_back(catalog: Catalog, key: Name) -> Catalog:
    """The catalog after UNDROP of that table; nothing where no file of the change dropped it."""
    table = catalog.dropped.get(key)
    if table is None or key in catalog.tables:
        return catalog
    return with_table(replace(catalog, dropped=Layered.of(catalog.dropped).without(key)), key, table)


def remove_table(catalog: Catalog, key: Name, *, cascade: bool) -> Catalog:
    """The catalog without that table and its partitions' knowledge of it."""
    table = catalog.tables.get(key)
    if table is None:
        return catalog
    catalog = disown(catalog, table.partition_of, key)
    if cascade and catalog.views:
        catalog = _without_views(catalog, key)
    for part in table.children if table.partition_by or cascade else ():
        catalog = remove_table(catalog, part, cascade=cascade)
    for name in catalog.referrers.get(key, ()) if cascade else ():
        child = catalog.tables.get(name)
        if child:
            kept = tuple(c for c in child.constraints if not (c.references and c.references.table == key))
            catalog = with_table(catalog, name, replace(child, constraints=kept))
    indexes = Layered.of(catalog.index_tables)
    for index in table.indexes:
        indexes = indexes.without(Name(key.schema, index))
    return replace(catalog, tables=Layered.of(catalog.tables).without(key), index_tables=indexes)


def _without_views(catalog: Catalog, key: Name) -> Catalog:
    """The catalog without the views that read ``key``, nor those that read them."""
    kept, gone = Layered.of(catalog.views), [key]
    while gone:
        read = gone.pop()
        for view in [view for view, reads in kept.items() if read in reads]:
            kept = kept.without(view)
            gone.append(view)
    return replace(catalog, views=kept)


def rename_table(catalog: Catalog, op: RenameTable, dialect: str) -> Catalog:
    """A table under its new name, still born here if it was, with the foreign keys of others following."""
    key = locate(catalog, op.table, dialect)
    new = Name(comparable(op.new.schema, dialect) or key.schema, comparable(op.new.name, dialect) or key.name)
    if key in catalog.views and key not in catalog.tables:
        views = Layered.of(catalog.views).without(key).put(new, catalog.views[key])
        return renamed_birth(replace(catalog, views=views), "view", key, new)
    table = catalog.tables.get(key) or Table(op.table, {}, partial=True)
    if dialect in ("mysql", "mariadb"):
        table = renamed_keys(table, key.name, new.name)
    named = Name(op.new.schema or table.name.schema, op.new.name or table.name.name)
    tables = Layered.of(catalog.tables).without(key).put(new, replace(table, name=named))
    for child in table.children:
        if child in catalog.tables and catalog.tables[child].partition_of == key:
            tables = tables.put(child, replace(catalog.tables[child], partition_of=new))
    parent = catalog.tables.get(table.partition_of) if table.partition_of else None
    if parent and table.partition_of:
        renamed = tuple(new if child == key else child for child in parent.children)
        tables = tables.put(table.partition_of, replace(parent, children=renamed))
    indexes = Layered.of(catalog.index_tables)
    for index in table.indexes if dialect in SCHEMA_INDEXES else ():
        indexes = indexes.without(Name(key.schema, index)).put(Name(new.schema, index), new)
    return _follow(renamed_birth(replace(catalog, tables=tables, index_tables=indexes), "table", key, new), key, new)


def renamed_birth(catalog: Catalog, kind: str, key: Name, new: Name) -> Catalog:
    """The mark "made by this file" follows a rename."""
    if (kind, key) not in catalog.born:
        return catalog
    return replace(catalog, born=Layered.of(catalog.born).without((kind, key)).put((kind, new), True))


def _follow(catalog: Catalog, key: Name, new: Name) -> Catalog:
    """Foreign keys of other tables point at the new name, and those of the renamed table come from it."""
    if new in catalog.tables:
        for constraint in catalog.tables[new].constraints:
            if constraint.references:
                catalog = _refers(catalog, constraint.references.table, new)
    for name in catalog.referrers.get(key, ()):
        child = catalog.tables.get(name)
        if child:
            moved = tuple(
                replace(c, references=replace(c.references, table=new))
                if c.references and c.references.table == key
                else c
                for c in child.constraints
            )
            catalog = _refers(with_table(catalog, name, replace(child, constraints=moved)), new, name)
    return catalog
