"""What operations on whole schemas do to the catalog, UNDROP, which brings tables back, too, and what SQL Server keeps beside tables."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.model import operations as ops
from ci_runner.model.operations import Name
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog_tables as tables
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import comparable, created, locate, path


def drop_schema(catalog: Catalog, name: Name, dialect: str, kind: str) -> Catalog:
    """DROP SCHEMA, or DROP DATABASE where that is a schema or Snowflake's, with all that is in it."""
    database = kind == "drop-database"
    if database and dialect not in ("mysql", "mariadb", "clickhouse", "snowflake"):
        return catalog  # there a database holds schemas, and one cannot drop the one at work
    schema = comparable(name.name, dialect)
    gone = {schema}
    if dialect == "snowflake":
        home = name.schema or path(catalog, dialect)[0].rpartition(".")[0]
        within = f"{schema}." if database else f"{home}.{schema}"
        kept = () if database or name.schema else (schema,)
        gone = {
            s
            for s in {key.schema for key in catalog.tables}
            if s in kept or (s.startswith(within) if database else s == within)
        }
    for key in [key for key in catalog.tables if key.schema in gone]:
        catalog = tables.remove_table(tables.shelved(catalog, key, dialect), key, cascade=True)
    for field in ("enums", "domains", "views", "functions"):
        rest = Layered.of(getattr(catalog, field))
        for key in [key for key in rest if key.schema in gone]:
            rest = rest.without(key)
        catalog = replace(catalog, **{field: rest})
    return replace(catalog, schemas=catalog.schemas - {schema}, replicated=catalog.replicated - {schema})


def rename_schema(catalog: Catalog, schema: str, new: str) -> Catalog:
    """A schema under its new name, and the tables in it."""
    for key in [key for key in catalog.tables if key.schema == schema]:
        moved = ops.RenameTable(kind="alter-table.set-schema", start=0, end=0, table=key, new=Name(new, key.name))
        catalog = tables.rename_table(catalog, moved, "postgres")
    catalog = replace(catalog, schemas=catalog.schemas - {schema} | {new})
    return tables.renamed_birth(catalog, "schema", Name("", schema), Name("", new))


def undrop(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """UNDROP of a table, or of a schema with the tables in it."""
    if op.object is None:
        return catalog
    if op.kind == "undrop-table":
        return tables.brought_back(catalog, locate(catalog, op.object, dialect, catalog.dropped))
    name = comparable(op.object.name, dialect)
    for key in [key for key in catalog.dropped if key.schema == name]:
        catalog = tables.brought_back(catalog, key)
    return replace(catalog, schemas=catalog.schemas | {name})


def sequence(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """SQL Server's: sp_rename names it, and a procedure, as it names a table."""
    if op.object is None or dialect != "sqlserver":
        return catalog
    return replace(
        catalog, functions=Layered.of(catalog.functions).put(created(catalog, op.object, dialect), "sequence")
    )
