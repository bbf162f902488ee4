"""One made-up row per table, so that what a migration does to rows can be seen."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import product, starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.named import naming
from ci_runner.databases.postgres.referring import REFERRING
from ci_runner.databases.running import taken

if TYPE_CHECKING:
    from ci_runner.databases.postgres import Postgres

_TABLES = """SELECT c.oid::int8, n.nspname, c.relname, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
 AND c.oid <> ALL (ARRAY(
 SELECT objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass AND deptype = 'e'))"""
# What is not called a table and yet concerns one: its indexes, and the types of its columns.
_OTHERS = re.compile(r"\b(?:(?:drop|alter|reindex)\s+(?:\([^)]*\)\s*)?(?:index|domain|type)|cluster)\b", re.IGNORECASE)
_BESIDE = """SELECT i.indrelid::int8, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
UNION SELECT a.attrelid::int8, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND t.typtype IN ('c', 'd', 'e')"""
# A table leads to those it refers to, and a partitioned or inherited one to its children; one that leads to a named table is looked at, too.
_REACHED = f"""WITH RECURSIVE reached(number) AS (
 (SELECT unnest(ARRAY[{{numbers}}]::oid[]) UNION SELECT conrelid FROM ({REFERRING}) AS key
 UNION SELECT inhparent FROM pg_inherits WHERE inhrelid IN ({{numbers}}))
 UNION SELECT led.number FROM reached CROSS JOIN LATERAL (
 SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid = reached.number
 UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = reached.number OFFSET 0) AS led(number))
SELECT number::int8 FROM reached"""
_COLUMNS = """SELECT a.attrelid::int8, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), b.typname, b.typcategory, a.atttypmod,
 a.attnotnull, a.atthasdef, (SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder LIMIT 1)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid IN ({oids}) AND a.attnum > 0 AND NOT a.attisdropped {generated} ORDER BY a.attrelid, a.attnum"""
_NEXT = """SELECT nextval(own) FROM (SELECT pg_get_serial_sequence('{table}', attname) AS own FROM pg_attribute
WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped) AS found WHERE own IS NOT NULL"""
_BY_CATEGORY = {"N": "1", "S": "x", "B": "true", "D": "2000-01-01", "T": "1 day", "A": "{}", "R": "empty"}
_SHAPED = "a@b.example"  # what checks of texts ask for most: an address, letters, a dot, some length; a cast cuts it where it is too long
_CHOICES = 4  # columns tried as the one of several that a check wants
_BY_NAME = {
    "uuid": "00000000-0000-0000-0000-000000000001",
    "json": "{}",
    "jsonb": "{}",
    "bytea": "\\x00",
    "time": "00:00",
    "timetz": "00:00+00",
    "inet": "127.0.0.1",
    "cidr": "127.0.0.1/32",
    "macaddr": "00:00:00:00:00:01",
    "macaddr8": "00:00:00:00:00:00:00:01",
    "xml": "<a/>",
    "point": "(0,0)",
    "lseg": "[(0,0),(1,1)]",
    "line": "{1,1,0}",
    "box": "(0,0),(1,1)",
    "path": "[(0,0),(1,1)]",
    "polygon": "((0,0),(1,1))",
    "circle": "<(0,0),1>",
    "tsvector": "x",
    "tsquery": "x",
    "citext": "x",
    "ltree": "x",
    "hstore": "",
    "money": "1",
}


class Value(NamedTuple):
    """A column and the expression for its made-up value, "" when none is known; ``shaped`` is one that a check of texts may like better."""

    column: str
    expression: str
    shaped: str
    needed: bool
    default: bool


def fill(session: Postgres, script: str) -> tuple[dict[int, str], tuple[str, ...]]:
    """Rows in the tables ``script`` names: (tables that hold one, by number, and the names of those where none could be made).

    Equal columns get equal values, so that foreign keys hold; a table is tried again after the ones it refers to got theirs.
    """
    listed = session.query(_TABLES)
    tables = {number: (schema, name) for number, schema, name, kind in listed if kind == "r"}
    named = naming(script)
    first = [number for number, _, name, _ in listed if named(name)]
    if _OTHERS.search(script):
        own = {number for number, *_ in listed}
        first += [number for number, name in session.query(_BESIDE) if number in own and named(name)]
    wanted = _reached(session, first) & tables.keys()
    waiting = [
        table
        for table in sorted(wanted)
        if not session.query(f"SELECT EXISTS (SELECT FROM {_quoted(tables[table])})")[0][0]
    ]
    values = _values(session, waiting)
    progress = True
    while waiting and progress:
        left = [table for table in waiting if not _given(session, table, _quoted(tables[table]), values.get(table, []))]
        progress, waiting = len(left) < len(waiting), left
    shown = {table: _shown(tables[table]) for table in wanted}
    return {table: name for table, name in shown.items() if table not in waiting}, tuple(
        shown[table] for table in waiting
    )


def _reached(session: Postgres, tables: list[int]) -> set[int]:
    """These, what leads to one of them, and all that those lead to."""
    numbers = ", ".join(map(str, tables))
    return {row[0] for row in session.query(_REACHED.replace("{numbers}", numbers))} if tables else set()


def _values(session: Postgres, tables: list[int]) -> dict[int, list[Value]]:
    if not tables:
        return {}
    generated = "AND a.attgenerated = ''" if session.version >= (12,) else ""
    sql = _COLUMNS.replace("{oids}", ", ".join(map(str, tables))).replace("{generated}", generated)
    values: dict[int, list[Value]] = {}
    for table, column, kind, base, category, modifier, needed, default, label in session.query(sql):
        plain = _expression(kind, base, category, modifier, label)
        shaped = f"'{_SHAPED}'::{kind}" if category == "S" else plain
        values.setdefault(table, []).append(Value(column, plain, shaped, needed, default))
    return values


def _expression(kind: str, base: str, category: str, modifier: int, label: Any) -> str:
    if base in {"bit", "varbit"}:
        return f"B'0'::{kind}"
    if base in {"vector", "halfvec"}:
        text: str | None = "[" + ",".join(["1"] * max(modifier, 1)) + "]"
    elif base == "numeric" and modifier > 4 and ((modifier - 4) >> 16) == ((modifier - 4) & 0x7FF):
        text = "0"  # numeric(n, n) has no digit before the point
    else:
        text = label if category == "E" else _BY_NAME.get(base, _BY_CATEGORY.get(category))
    return "" if text is None else "'" + str(text).replace("'", "''") + f"'::{kind}"


def _given(session: Postgres, number: int, table: str, values: list[Value]) -> bool:
    """Insert a row; the numbers its own sequences gave are used up, so that a migration that adds a row gets the next ones."""
    if not _insert(session, table, values):
        return False
    with suppress(DatabaseFailure):
        session.query(_NEXT.replace("{table}", table.replace("'", "''")).replace("{oid}", str(number)))
    return True


def _insert(session: Postgres, table: str, values: list[Value]) -> bool:
    """With every value that is known, or, where a check dislikes them, with those that must be there, or these and one more."""
    if any(value.needed and not value.expression and not value.default for value in values):
        return False
    known = [value for value in values if value.expression]
    needed = [value for value in known if value.needed]
    bare = [value for value in needed if not value.default]
    one_more = [[*needed, value] for value in known if not value.needed][:_CHOICES]
    rows = dict.fromkeys(starmap(_row, product((known, needed, bare, *one_more), (False, True))))
    return taken(session.query_nothing, (f"INSERT INTO {table} {row}" for row in rows))


def _row(values: list[Value], shaped: bool) -> str:
    columns = ", ".join(value.column for value in values)
    expressions = ", ".join(value.shaped if shaped else value.expression for value in values)
    return f"({columns}) OVERRIDING SYSTEM VALUE VALUES ({expressions})" if values else "DEFAULT VALUES"


def _quoted(name: tuple[str, str]) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)


def _shown(name: tuple[str, str]) -> str:
    return name[1] if name[0] == "public" else ".".join(name)
