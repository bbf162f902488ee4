"""One made-up row per table of MySQL or MariaDB, so that a change that fails on rows only is seen to fail."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from ci_runner.databases.mysql.inspect import own
from ci_runner.databases.named import naming, reached
from ci_runner.databases.running import taken

if TYPE_CHECKING:
    from ci_runner.databases.mysql import Mysql

Name = tuple[str, str]

_TABLES = """SELECT table_schema, table_name FROM information_schema.tables
WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND {own} ORDER BY 1, 2"""
_LINKS = """SELECT DISTINCT table_schema, table_name, referenced_table_schema, referenced_table_name
FROM information_schema.key_column_usage WHERE referenced_table_name IS NOT NULL AND {own}"""
_COLUMNS = """SELECT column_name, data_type, column_type, is_nullable, column_default, extra, numeric_precision, numeric_scale,
 character_maximum_length FROM information_schema.columns
WHERE table_schema = '{schema}' AND table_name = '{table}' AND coalesce(generation_expression, '') = '' ORDER BY ordinal_position"""
_LABEL = re.compile(r"'((?:[^']|'')*)'")
# What checks of texts ask for: anything, an address with a dot, a document.
SHAPES = ("x", "a@b.example", "{}")
# https://dev.mysql.com/doc/refman/en/data-types.html, https://mariadb.com/docs/server/reference/data-types
_BY_TYPE = {
    "bit": "b'1'",
    "year": "2000",
    "date": "'2000-01-01'",
    "datetime": "'2000-01-01'",
    "timestamp": "'2000-01-02'",
    "time": "'00:00'",
    "json": "'{}'",
    "uuid": "'00000000-0000-0000-0000-000000000001'",
    "inet4": "'127.0.0.1'",
    "inet6": "'::1'",
    "vector": "STRING_TO_VECTOR('[1]')",
    "point": "ST_GeomFromText('POINT(0 0)')",
    "geometry": "ST_GeomFromText('POINT(0 0)')",
    "linestring": "ST_GeomFromText('LINESTRING(0 0,1 1)')",
    "polygon": "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')",
    "multipoint": "ST_GeomFromText('MULTIPOINT(0 0)')",
    "multilinestring": "ST_GeomFromText('MULTILINESTRING((0 0,1 1))')",
    "multipolygon": "ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')",
    "geometrycollection": "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(0 0))')",
    "geomcollection": "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(0 0))')",
}
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})


class Value(NamedTuple):
    """A column and the expression for its made-up value by shape of texts; ``needed`` where there must be one."""

    column: str
    expressions: tuple[str, ...]
    needed: bool


def fill(session: Mysql, script: str) -> tuple[str, ...]:
    """A row in every empty table the ``script`` concerns; the names of those where none could be made.

    Equal columns get equal values, so that foreign keys hold; a table is tried again after the ones it refers to got theirs.
    """
    waiting = [
        table for table in _wanted(session, script) if not session.query(f"SELECT 1 FROM {_quoted(table)} LIMIT 1")
    ]
    values = {table: _values(session, table) for table in waiting}
    progress = True
    while waiting and progress:
        left = [table for table in waiting if not _insert(session, _quoted(table), values[table])]
        progress, waiting = len(left) < len(waiting), left
    return tuple(name if schema == session.name else f"{schema}.{name}" for schema, name in waiting)


def _wanted(session: Mysql, script: str) -> list[Name]:
    condition = own("table_schema", session.name)
    tables = {(row[0], row[1]) for row in session.query(_TABLES.replace("{own}", condition))}
    links = [((row[0], row[1]), (row[2], row[3])) for row in session.query(_LINKS.replace("{own}", condition))]
    named = naming(script)
    return sorted(reached((table for table in tables if named(table[1])), links) & tables)


def _values(session: Mysql, table: Name) -> list[Value]:
    schema, name = (part.replace("\\", "\\\\").replace("'", "''") for part in table)
    values = []
    for column, kind, whole, nullable, default, extra, *sizes in session.query(
        _COLUMNS.replace("{schema}", schema).replace("{table}", name)
    ):
        needed = nullable == "NO" and default is None and "auto_increment" not in extra.lower()
        expressions = tuple(dict.fromkeys(_expression(kind.lower(), whole, shape, *sizes) for shape in SHAPES))
        values.append(Value(column, expressions, needed))
    return values


def _expression(kind: str, whole: str, shape: str, precision: int | None, scale: int | None, length: int | None) -> str:
    if kind in {"enum", "set"}:
        label = _LABEL.search(whole)
        return f"'{label[1]}'" if label else "''"
    if kind in _TEXTS:
        return f"'{shape[:length]}'"
    if kind in _BYTES:
        return "x'01'"
    return _BY_TYPE.get(kind, "0" if precision and precision == scale else "1")


def _insert(session: Mysql, table: str, values: list[Value]) -> bool:
    """With every value, or with those that must be there, their texts in one shape after the other."""
    chosen = (values, [value for value in values if value.needed])
    rows = (_row(columns, shape) for columns, shape in product(chosen, range(len(SHAPES))))
    return taken(session.query, (f"INSERT INTO {table} {row}" for row in rows))


def _row(values: list[Value], shape: int) -> str:
    names = ", ".join(_name(value.column) for value in values)
    row = ", ".join(value.expressions[min(shape, len(value.expressions) - 1)] for value in values)
    return f"({names}) VALUES ({row})"


def _quoted(table: Name) -> str:
    return ".".join(_name(part) for part in table)


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
