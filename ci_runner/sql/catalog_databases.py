"""What names without a database or a schema mean: USE, and the databases that Snowflake's names are given with."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.model import operations as ops
from ci_runner.model.operations import Name
from ci_runner.model.schema import Catalog
from ci_runner.sql.catalog_names import comparable, path

_MOST = 16  # databases told apart; a lookup without one tries them all


def use(catalog: Catalog, op: ops.Other, dialect: str) -> Catalog:
    """USE: the schema bare names are looked up in; where it names a database (SQL Server), a role or a warehouse, that stays."""
    if op.object is None or dialect == "sqlserver" or {"warehouse", "role", "secondary"} & set(op.options):
        return catalog
    if dialect == "snowflake":
        return _snowflake(catalog, op.object, schema="schema" in op.options)
    schema = comparable(op.object.name, dialect)
    return replace(catalog, search_path=(schema, *(("",) if dialect in ("mysql", "mariadb") else ())))


def _snowflake(catalog: Catalog, name: Name, *, schema: bool) -> Catalog:
    """USE [DATABASE] d means its PUBLIC, USE SCHEMA s the one of the database at work."""
    if not schema and not name.schema:
        return replace(known(catalog, name.name), search_path=(f"{name.name}.PUBLIC",))
    home = name.schema or path(catalog, "snowflake")[0].rpartition(".")[0]
    return replace(known(catalog, home), search_path=(f"{home}.{name.name}" if home else name.name,))


def known(catalog: Catalog, database: str) -> Catalog:
    """The catalog that knows of one more database."""
    if not database or database in catalog.databases or len(catalog.databases) >= _MOST:
        return catalog
    return replace(catalog, databases=catalog.databases | {database})
