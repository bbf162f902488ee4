"""How large the tables of a live database are: its own estimates, by one short query, with no more rights than to look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ci_runner.model.stats import Size

if TYPE_CHECKING:
    from ci_runner.databases import Database

SECONDS = 30  # for a query, 3 for a lock
# Said before anything is asked, so that nothing is written and nobody waits for us.
GUARDS = {
    "postgres": (
        "SET default_transaction_read_only = on",
        f"SET statement_timeout = '{SECONDS}s'",
        "SET lock_timeout = '3s'",
    ),
    "redshift": (f"SET statement_timeout TO {SECONDS * 1000}",),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_execution_time = {SECONDS * 1000}"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_statement_time = {SECONDS}"),
    "sqlserver": ("SET LOCK_TIMEOUT 3000",),
    "snowflake": (f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {SECONDS}",),
}
# pg_total_relation_size() would wait for locks and read files; pages as last counted do neither.
_POSTGRES = """SELECT n.nspname, c.relname, c.oid::int8, c.relkind = 'p', c.reltuples::int8, c.relpages,
 (c.relpages + coalesce(t.relpages, 0))::int8 * current_setting('block_size')::int8
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2"""
_CHILDREN = "SELECT inhparent::int8, inhrelid::int8 FROM pg_inherits"
_MYSQL = """SELECT table_schema, table_name, table_rows, data_length FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY 1, 2"""
_CLICKHOUSE = """SELECT t.database, t.name, t.total_rows, t.total_bytes FROM system.tables AS t WHERE NOT t.is_temporary
 AND t.engine NOT LIKE '%View' AND t.database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') ORDER BY 1, 2"""
# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html: size in blocks of 1 MB
_REDSHIFT = 'SELECT "schema", "table", tbl_rows::int8, size::int8 * 1048576 FROM svv_table_info ORDER BY 1, 2'
# https://learn.microsoft.com/sql/relational-databases/system-dynamic-management-views/sys-dm-db-partition-stats-transact-sql: pages of 8 KB
_SQLSERVER = """SELECT s.name, t.name, SUM(p.row_count), SUM(p.in_row_data_page_count + p.lob_used_page_count
 + p.row_overflow_used_page_count) * CAST(8192 AS bigint)
FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id
JOIN sys.dm_db_partition_stats p ON p.object_id = t.object_id AND p.index_id IN (0, 1) GROUP BY s.name, t.name ORDER BY 1, 2"""
_SNOWFLAKE = """SELECT table_schema, table_name, row_count, bytes FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema <> 'INFORMATION_SCHEMA' ORDER BY 1, 2"""
_SQLITE = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY 1"


def sizes(database: Database) -> dict[str, Size]:
    """Rows and bytes of every table (with its long values, without its indexes) by name, qualified outside of the default schema."""
    from ci_runner.databases import Sql

    guards = GUARDS.get(database.dialect, ())
    database.execute([Sql(guard) for guard in guards], transaction=False)
    return READERS[database.dialect](database)


def _postgres(database: Database) -> dict[str, Size]:
    """Estimates of the last ANALYZE or VACUUM; a partitioned table has those of its partitions together."""
    rows = database.query(_POSTGRES)
    children: dict[int, list[int]] = {}
    for parent, child in database.query(_CHILDREN):
        children.setdefault(parent, []).append(child)
    unknown = (
        -1 if database.version >= (14,) else 0
    )  # before 14 a table that was never looked at says 0 rows on 0 pages
    own = {
        oid: Size(None if count < 0 or (pages == 0 and count == unknown) else count, much)
        for _, _, oid, _, count, pages, much in rows
    }
    return {
        _name(schema, table, "public"): _together(oid, own, children) if split else own[oid]
        for schema, table, oid, split, *_ in rows
    }


def _together(oid: int, own: dict[int, Size], children: dict[int, list[int]]) -> Size:
    """The sum over a partitioned table's leaves; rows are unknown where those of one are."""
    leaves, waiting = [], list(children.get(oid, ()))
    while waiting:
        each = waiting.pop()
        below = children.get(each, ())
        waiting += below
        if not below and each in own:
            leaves.append(own[each])
    counts = [leaf.rows for leaf in leaves if leaf.rows is not None]
    return Size(sum(counts) if len(counts) == len(leaves) else None, sum(leaf.bytes or 0 for leaf in leaves))


def _plain(query: str, default: Callable[[Database], str]) -> Callable[[Database], dict[str, Size]]:
    """A reader for a query of schema, table, rows, bytes."""

    def read(database: Database) -> dict[str, Size]:
        return _sized(database.query(query), default(database))

    return read


def _sized(rows: Iterable[tuple[Any, ...]], default: str) -> dict[str, Size]:
    return {_name(schema, table, default): Size(_number(count), _number(much)) for schema, table, count, much in rows}


def _sqlite(database: Database) -> dict[str, Size]:
    """What ANALYZE kept, else a count; bytes where this SQLite was built to tell them."""
    from ci_runner.databases import DatabaseFailure

    names = [row[0] for row in database.query(_SQLITE)]
    kept: dict[str, int] = {}
    if database.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"):
        for table, stat in database.query("SELECT tbl, stat FROM sqlite_stat1 WHERE stat IS NOT NULL"):
            kept[table] = max(kept.get(table, 0), _number(str(stat).partition(" ")[0]) or 0)
    try:
        pages = dict(database.query("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    except DatabaseFailure:
        pages = {}
    return {
        name: Size(kept[name] if name in kept else _count(database, name), _number(pages.get(name))) for name in names
    }


def _count(database: Database, table: str) -> int | None:
    quoted = table.replace('"', '""')
    return _number(database.query(f'SELECT count(*) FROM "{quoted}"')[0][0])


def _name(schema: str, table: str, default: str) -> str:
    return table if schema == default else f"{schema}.{table}"


def _number(value: Any) -> int | None:
    """A count as servers send it: a number, its text, a decimal; None for nothing."""
    try:
        return max(0, int(value)) if value is not None else None
    except (TypeError, ValueError):
        return None


READERS: dict[str, Callable[[Database], dict[str, Size]]] = {
    "postgres": _postgres,
    "mysql": _plain(_MYSQL, lambda database: database.name),
    "mariadb": _plain(_MYSQL, lambda database: database.name),
    "sqlite": _sqlite,
    "clickhouse": _plain(_CLICKHOUSE, lambda database: database.name or "default"),
    "redshift": _plain(_REDSHIFT, lambda _database: "public"),
    "sqlserver": _plain(_SQLSERVER, lambda _database: "dbo"),
    "snowflake": _plain(_SNOWFLAKE, lambda _database: "PUBLIC"),
}
