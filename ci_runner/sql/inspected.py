"""The catalog as an inspected schema: what the migrations' text says a database has, in the form in which a database says it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ci_runner.model import inspected
from ci_runner.model.operations import Column, Constraint, Index, Name
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import DEFAULT_SCHEMA
from ci_runner.sql.spelling import qualified, quoted

_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
_COUNTING = {
    "mysql": "auto_increment", "mariadb": "auto_increment", "sqlserver": "identity", "redshift": "identity(0, 1)",
    "snowflake": "autoincrement", "postgres": "generated always as identity",
}  # fmt: skip


def schema(catalog: Catalog, dialect: str) -> inspected.Schema:
    """Tables, views, enums and functions by name. Of a view or function only the name is known: its text is not kept."""
    return inspected.Schema(
        tables={
            _shown(key, table.name, dialect): _table(key, table, dialect)
            for key, table in sorted(catalog.tables.items())
            if not table.temporary
        },
        views={str(_plain(key, dialect)): "" for key in sorted(catalog.views)},
        enums={str(_plain(key, dialect)): tuple(values) for key, values in sorted(catalog.enums.items())},
        functions={str(_plain(key, dialect)): "" for key in sorted(catalog.functions)},
    )


def differing(before: Catalog, after: Catalog, dialect: str) -> tuple[inspected.Schema, inspected.Schema]:
    """Both as inspected schemas that hold only what may differ, and the tables that those refer to or that refer to them.

    A table that was altered before any CREATE of it was seen is not one that the change adds, so it is left out.
    """
    tables = list(Layered.of(before.tables).differing(Layered.of(after.tables)))
    near = dict.fromkeys(tables)
    for key in tables:
        for catalog in (before, after):
            table = catalog.tables.get(key)
            parents = (each.references.table for each in table.constraints if each.references) if table else ()
            near |= dict.fromkeys((*parents, *catalog.referrers.get(key, ())))
    chosen = [key for key in near if key in before.tables or (key in after.tables and not after.tables[key].partial)]
    return _narrowed(before, chosen, dialect), _narrowed(after, chosen, dialect)


def _narrowed(catalog: Catalog, tables: Iterable[Name], dialect: str) -> inspected.Schema:
    known = ((key, catalog.tables[key]) for key in tables if key in catalog.tables)
    return schema(replace(catalog, tables=dict(known)), dialect)


def _plain(key: Name, dialect: str) -> Name:
    """The name without the schema that goes without saying."""
    return Name("" if key.schema == DEFAULT_SCHEMA.get(dialect, "") else key.schema, key.name)


def _shown(key: Name, written: Name, dialect: str) -> str:
    """The table's name in the letters it was written in."""
    return str(
        Name(_plain(key, dialect).schema, written.name if written.name.lower() == key.name.lower() else key.name)
    )


def _table(key: Name, table: Table, dialect: str) -> inspected.Table:
    unnamed: dict[str, int] = {}
    constraints: dict[str, str] = {}
    for each in table.constraints:
        if each.kind == "not-null":
            continue
        text = _constraint(each, dialect)
        number = unnamed[text] = unnamed.get(text, 0) + 1
        constraints[each.name or (text if number == 1 else f"{text} ({number})")] = text
    return inspected.Table(
        {column.name: _column(column, dialect) for column in table.columns.values()},
        {
            index.name: _index(index, _plain(key, dialect), dialect)
            for index in table.indexes.values()
            if "constraint" not in index.options
        },
        constraints,
        options=_options(table, dialect),
    )


def _options(table: Table, dialect: str) -> str:
    order = ", ".join(table.order_by)
    parts = [
        f"ENGINE = {table.engine}" if table.engine else "",
        f"PARTITION BY {table.partition_by}" if table.partition_by else "",
        f"ORDER BY ({order})" if order and dialect == "clickhouse" else f"SORTKEY ({order})" if order else "",
        *table.options,
    ]
    return " ".join(part for part in parts if part)


def _column(column: Column, dialect: str) -> inspected.Column:
    text = column.type.text if column.type else ""
    generated = ""
    if column.generated and column.default:
        generated = f"generated always as ({column.default}) {column.generated}"
    elif column.identity and not (column.type and column.type.base in _SERIAL):
        generated = _COUNTING.get(dialect, "")
    nullable = dialect != "clickhouse" if column.nullable is None else column.nullable
    return inspected.Column(text, nullable, "" if column.generated else column.default or "", generated)


def _constraint(constraint: Constraint, dialect: str) -> str:
    columns = ", ".join(quoted(column, dialect) for column in constraint.columns)
    if constraint.kind == "foreign-key" and constraint.references:
        there = constraint.references
        parents = ", ".join(quoted(column, dialect) for column in there.columns)
        text = f"FOREIGN KEY ({columns}) REFERENCES {qualified(_plain(there.table, dialect), dialect)}"
        text += f" ({parents})" if parents else ""
        text += f" ON DELETE {there.on_delete.upper()}" if there.on_delete else ""
        text += f" ON UPDATE {there.on_update.upper()}" if there.on_update else ""
    elif constraint.kind == "check":
        text = f"CHECK ({constraint.expression})"
    elif constraint.kind == "exclusion":
        text = f"EXCLUDE {constraint.expression}"
    else:
        text = f"{'PRIMARY KEY' if constraint.kind == 'primary-key' else 'UNIQUE'} ({columns})"
    return text + (" NOT VALID" if constraint.not_valid and dialect == "postgres" else "")


def _index(index: Index, table: Name, dialect: str) -> str:
    columns = ", ".join(quoted(column, dialect) if column.isidentifier() else column for column in index.columns)
    return " ".join(
        part
        for part in (
            "CREATE UNIQUE INDEX" if index.unique else "CREATE INDEX",
            quoted(index.name, dialect),
            f"ON {qualified(table, dialect)}",
            f"USING {index.method}" if index.method and dialect == "postgres" else "",
            f"({columns})",
            f"INCLUDE ({', '.join(index.include)})" if index.include else "",
            f"WHERE {index.where}" if index.where else "",
        )
        if part
    )
