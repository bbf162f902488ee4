"""How a dialect finds and names things: search path, default schema, case, and the names databases give by themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ci_runner.model.operations import Constraint, Name
from ci_runner.model.schema import Catalog

DEFAULT_SCHEMA = {
    "postgres": "public", "redshift": "public", "sqlserver": "dbo", "snowflake": "PUBLIC", "clickhouse": "default",
}  # fmt: skip
CASELESS = frozenset({"mysql", "mariadb", "sqlite", "sqlserver", "redshift"})  # compare names without regard to case
SCHEMA_INDEXES = frozenset({"postgres", "sqlite"})  # an index is found without its table
ONE_DATABASE = frozenset({"postgres", "redshift", "sqlserver"})  # a name with a database in front means the one at work
TEMPORARY = "pg_temp"
INNER = ".inner."
_PG_NAME = 63  # NAMEDATALEN - 1


def comparable(text: str, dialect: str) -> str:
    """``text`` as it is compared; the statements' names are folded by their dialect already, here only case is levelled."""
    return text.lower() if dialect in CASELESS else text


def path(catalog: Catalog, dialect: str) -> tuple[str, ...]:
    """The schemas a bare name is looked up in, in order; the first is where new objects go."""
    return catalog.search_path or (DEFAULT_SCHEMA.get(dialect, ""),)


def locate(catalog: Catalog, name: Name, dialect: str, among: Collection[Name] | None = None) -> Name:
    """The key under which ``name`` is (or, when nothing has that name, would be) kept; ``among`` are the tables unless given."""
    schema, text = name
    if dialect in CASELESS:
        schema, text = schema.lower(), text.lower()
    if "." in schema and dialect in ONE_DATABASE:
        schema = schema.rpartition(".")[2]
    known = catalog.tables if among is None else among
    if dialect == "snowflake":
        return _in_databases(catalog, schema, text, known)
    if schema:
        return Name("" if dialect == "sqlite" and schema == "main" else schema, text)
    schemas = path(catalog, dialect)
    for schema in (TEMPORARY, *schemas) if dialect == "postgres" else schemas:
        if (schema, text) in known:  # equal to the Name, and made in a fraction of its time
            return Name(schema, text)
    return Name(schemas[0], text)


def created(catalog: Catalog, name: Name, dialect: str, *, temporary: bool = False) -> Name:
    """The key a new object of that name gets."""
    text, schema = comparable(name.name, dialect), comparable(name.schema, dialect)
    if "." in schema and dialect in ONE_DATABASE:
        schema = schema.rpartition(".")[2]
    if dialect == "snowflake":
        return _in_databases(catalog, schema, text, catalog.tables)
    if schema:
        return Name("" if dialect == "sqlite" and schema == "main" else schema, text)
    return Name(TEMPORARY if temporary and dialect == "postgres" else path(catalog, dialect)[0], text)


def _in_databases(catalog: Catalog, schema: str, text: str, known: Collection[Name]) -> Name:
    """Snowflake's key: with the database where it is written or chosen by USE; what is known under the same schema is found without it.

    Files of one directory name their tables now with the database, now without: a connection has one, and USE chooses another.
    """
    home, _, usual = path(catalog, "snowflake")[0].rpartition(".")
    database, _, schema = schema.rpartition(".")
    schema = schema or usual if not database else schema or "PUBLIC"
    if database:
        tried = [f"{database}.{schema}", *([schema] if database == home else [])]
    elif home:
        tried = [f"{home}.{schema}", schema]
    else:
        tried = [schema, *(f"{each}.{schema}" for each in sorted(catalog.databases))]
    return next((Name(each, text) for each in tried if (each, text) in known), Name(tried[0], text))


def inner_table(view: Name) -> Name:
    """The table in which ClickHouse keeps the rows of a materialized view that has no TO."""
    return Name(view.schema, f"{INNER}{view.name}")


def constraint_name(constraint: Constraint, table: str, taken: Collection[str], dialect: str) -> str:
    """The name the database gives to an unnamed constraint of ``table``, "" where it cannot be foretold (SQL Server, SQLite)."""
    if dialect in ("postgres", "redshift"):
        return _pg_constraint(constraint, table, taken)
    if dialect in ("mysql", "mariadb"):
        return _mysql_constraint(constraint, table, taken, dialect)
    return ""


_PG_LABELS = {"unique": "key", "foreign-key": "fkey", "check": "check", "exclusion": "excl", "not-null": "not_null"}


def _pg_constraint(constraint: Constraint, table: str, taken: Collection[str]) -> str:
    if constraint.kind == "primary-key":
        return free(shortened(table, "", "pkey"), taken)
    columns = "_".join(constraint.columns)
    if constraint.kind == "check" and len(constraint.columns) > 1:
        columns = ""  # a check over several columns is named after the table alone
    return free(shortened(table, columns, _PG_LABELS.get(constraint.kind, "check")), taken)


def _mysql_constraint(constraint: Constraint, table: str, taken: Collection[str], dialect: str) -> str:
    if constraint.kind == "primary-key":
        return "primary"
    if constraint.kind == "unique":
        first = comparable(constraint.columns[0], dialect) if constraint.columns else "key"
        return first if first not in taken else _numbered(f"{first}_", taken, 2)
    if dialect == "mariadb" and constraint.kind == "check" and "inline" in constraint.options:
        return constraint.columns[0]  # a column's own CHECK goes by the column's name
    label = "ibfk" if constraint.kind == "foreign-key" else "chk"
    stem = "constraint_" if dialect == "mariadb" and label == "chk" else f"{comparable(table, dialect)}_{label}_"
    return _numbered(stem, taken, 1)


def index_name(table: str, columns: tuple[str, ...], taken: Collection[str], dialect: str) -> str:
    """The name of an unnamed index: PostgreSQL's ``t_a_b_idx``, MySQL's first column."""
    if dialect in ("mysql", "mariadb"):
        return _mysql_constraint(Constraint("unique", "", columns), table, taken, dialect)
    parts = "_".join(column if column.replace("_", "a").isalnum() else _called(column) for column in columns)
    return free(shortened(table, parts, "idx"), taken)


def _called(expression: str) -> str:
    """How an index on an expression is named after it: the function it calls, ``expr`` where it calls none."""
    name, opened, _ = expression.strip("( ").partition("(")
    return name.strip().lower() if opened and name.strip().replace("_", "a").isalnum() else "expr"


def shortened(table: str, columns: str, label: str) -> str:
    """``table_columns_label`` within PostgreSQL's 63 bytes, the longer part giving way first (makeObjectName)."""
    first, second = len(table.encode()), len(columns.encode())
    room = _PG_NAME - len(label) - 1 - (1 if columns else 0)
    while first + second > room:
        if first > second:
            first -= 1
        else:
            second -= 1
    parts = [table.encode()[:first].decode(errors="ignore"), columns.encode()[:second].decode(errors="ignore"), label]
    return "_".join(part for part in parts if part)


def free(name: str, taken: Collection[str] | Mapping[str, object]) -> str:
    """``name``, or with the first number behind it that is not taken."""
    if name not in taken:
        return name
    return _numbered(name, taken, 1)


def _numbered(stem: str, taken: Collection[str] | Mapping[str, object], first: int) -> str:
    """``stem`` with the first free number; after a while with one that is surely free, so that thousands stay linear."""
    for number in range(first, first + 64):
        if f"{stem}{number}" not in taken:
            return f"{stem}{number}"
    return f"{stem}{len(taken) + first}"
