"""Reads CREATE TABLE of every dialect, DROP TABLE and TRUNCATE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_runner.model.operations import Column, Constraint, CreateTable, Dml, DropTable, Index, Operation
from ci_runner.sql.cursor import Unmatched
from ci_runner.sql.keys import constraint, settings
from ci_runner.sql.options import definition
from ci_runner.sql.table_tails import Draft, cluster_by, on_cluster, table_tail

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_LIKE_TAIL = ("INCLUDING", "EXCLUDING")
_NO_LAST_COMMA = ("postgres", "redshift", "mysql", "mariadb", "sqlite")
_NO_COLUMN = ("PROJECTION", "PERIOD", "LIKE")


class Elements:
    """What stands between the parentheses of CREATE TABLE, by sort."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.constraints: list[Constraint] = []
        self.indexes: list[Index] = []
        self.like: list[Any] = []
        self.options: list[str] = []


def create_table(
    c: Cursor, first: int, *, modifiers: frozenset[str] = frozenset(), or_replace: bool = False
) -> CreateTable:
    """CREATE TABLE behind the word TABLE; ``first`` is the token of CREATE."""
    draft: Draft = {"options": [], "if_not_exists": c.if_not_exists(), "or_replace": or_replace}
    draft["table"] = c.name()
    if c.dialect == "snowflake":
        draft["if_not_exists"] = c.if_not_exists() or draft["if_not_exists"]
    hashed = c.dialect in ("sqlserver", "redshift") and draft["table"].name.startswith("#")
    scratch = {"postgres": "pg_temp", "sqlite": "temp"}.get(c.dialect, "\0")
    temporary = (
        hashed or bool(modifiers & {"TEMP", "TEMPORARY", "VOLATILE"}) or draft["table"].schema.lower() == scratch
    )
    draft["temporary"] = temporary
    draft["options"] += [
        word.lower() for word in ("UNLOGGED", "TRANSIENT", "HYBRID", "EXTERNAL", "FOREIGN") if word in modifiers
    ]
    if c.dialect == "clickhouse" and c.take("UUID"):
        c.word()
    on_cluster(c, draft["options"])
    before = c.i
    _body(c, draft)
    if c.dialect == "postgres" and c.i == before and not c.at("AS", "USING", "WITH", "WITHOUT", "ON", "TABLESPACE"):
        c.fail()
    table_tail(c, draft)
    c.end()
    kind = "create-temp-table" if temporary else "create-table"
    if or_replace:
        kind = "create-or-replace-table"
    elif draft.get("partition_of"):
        kind = "create-partition"
    elif draft.get("selects") and not temporary:
        kind = "create-table-as"
    draft["options"] = tuple(draft["options"])
    return c.op(CreateTable, kind, first, **draft)


def _body(c: Cursor, draft: Draft) -> None:
    """What defines the columns: elements, LIKE, CLONE, a parent, a query (left for the tail)."""
    if c.dialect == "snowflake" and c.take("CLUSTER"):  # there it may stand before the columns, too
        cluster_by(c, draft)
    if c.dialect == "postgres" and c.seq("PARTITION", "OF"):
        draft["partition_of"] = c.name()
        if c.at("("):
            _elements(c, draft)
        if _bounds(c):
            draft["options"] += ["default partition"]
    elif c.at("OF"):
        c.i += 1
        c.name()
        if c.at("("):
            _elements(c, draft)
    elif c.at("LIKE", "CLONE"):
        c.i += 1
        draft["options"] += ["clone"] if c.upper[c.i - 1] == "CLONE" else []  # which brings the rows
        c.take("AS")  # ClickHouse
        draft["source"] = c.name()
        if c.at("AT", "BEFORE"):
            c.i += 1
            c.skip_parens()
    elif c.at("(") and not (c.peek() in ("SELECT", "WITH", "(") and c.dialect in ("mysql", "mariadb")):
        _elements(c, draft)


def _bounds(c: Cursor) -> bool:
    """The bounds of a partition; whether it takes what no other one does."""
    if c.take("DEFAULT"):
        return True
    c.need("FOR")
    c.need("VALUES")
    while c.at("IN", "FROM", "TO", "WITH"):
        c.i += 1
        c.skip_parens()
    return False


def _comma_less(c: Cursor, found: Elements) -> bool:
    """Whether a constraint of the table follows that needs no comma: in SQLite none behind another one does."""
    if c.dialect == "sqlite":
        return bool(found.constraints) and c.at("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK")
    return c.dialect == "sqlserver" and c.at("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN")


def _elements(c: Cursor, draft: Draft) -> None:
    found = Elements()
    c.need("(")
    while not c.at(")"):
        _element(c, found)
        if not c.take(",") and not _comma_less(c, found):
            break
        if c.at(")") and c.dialect in _NO_LAST_COMMA:
            c.fail()
    c.need(")")
    draft["columns"] = tuple(found.columns)
    draft["constraints"] = tuple(found.constraints)
    draft["indexes"] = tuple(found.indexes)
    draft["options"] += found.options
    if found.like:
        draft["source"] = found.like[0]


def _element(c: Cursor, found: Elements) -> None:
    token = c.upper[c.i]
    if token in _NO_COLUMN and _special(c, found):
        return
    key = constraint(c) if token in _KEY_HEADS else None
    if key is None:
        if c.dialect == "postgres" and c.peek() == "WITH" and c.peek(2) == "OPTIONS":
            name = c.column()
            c.i += 2
            found.columns.append(definition(c, name))
            return
        found.columns.append(definition(c))
    elif isinstance(key, Index):
        found.indexes.append(key)
    else:
        found.constraints.append(key)


_KEY_HEADS = frozenset(
    {
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "FOREIGN",
        "CHECK",
        "EXCLUDE",
        "NOT",
        "INDEX",
        "KEY",
        "FULLTEXT",
        "SPATIAL",
        "VECTOR",
        "CONNECTION",
    }
)


def _special(c: Cursor, found: Elements) -> bool:
    """LIKE among the elements, a projection, a period; False where a column has that word for its name."""
    if c.at("LIKE"):
        c.i += 1
        found.like.append(c.name())
        while c.at(*_LIKE_TAIL):
            first = c.i
            c.i += 2
            found.options.append(c.slice(first, c.i).lower())
        return True
    if c.dialect == "clickhouse" and c.at("PROJECTION") and c.peek(2) in ("(", "INDEX"):
        c.i += 2
        c.until(frozenset())
        return True
    if c.at("PERIOD") and c.peek() == "FOR":
        c.i += 2
        c.identifier()
        c.skip_parens()
        return True
    return False


def drop_table(c: Cursor, first: int, kind: str = "drop-table") -> Operation:
    """DROP TABLE behind the word TABLE."""
    if_exists = c.if_exists()
    tables = c.names()
    options = drop_tail(c)
    return c.op(DropTable, kind, first, tables=tables, if_exists=if_exists, options=options)


def drop_tail(c: Cursor) -> tuple[str, ...]:
    """CASCADE, RESTRICT and what else ends a DROP, to the end of the statement."""
    found: list[str] = []
    while not c.done:
        if c.take("CASCADE", "RESTRICT", "PURGE", "SYNC", "CONSTRAINTS", "PERMANENTLY", "FORCE"):
            found.append(c.upper[c.i - 1].lower())
        elif c.seq("NO", "DELAY") or c.seq("IF", "EMPTY"):
            continue
        elif c.take("WAIT", "NOWAIT"):
            c.take(c.upper[c.i]) if c.upper[c.i].isdigit() else None
        elif not on_cluster(c, found):
            c.fail()
    return tuple(found)


def truncate(c: Cursor, first: int) -> Operation:
    """TRUNCATE [TABLE] behind the word TRUNCATE."""
    c.take("TABLE")
    c.if_exists()
    tables = []
    while True:
        c.take("ONLY")
        tables.append(c.name())
        c.take("*")
        if not c.take(","):
            break
    found: list[str] = []
    while not c.done:
        if c.take("CASCADE", "RESTRICT", "SYNC"):
            found.append(c.upper[c.i - 1].lower())
        elif c.take("RESTART", "CONTINUE"):
            c.need("IDENTITY")
        elif c.take("WAIT", "NOWAIT"):
            c.take(c.upper[c.i]) if c.upper[c.i].isdigit() else None
        elif c.at("WITH") and c.dialect == "sqlserver":
            c.i += 1
            found += settings(c)
        elif not on_cluster(c, found):
            c.fail()
    return c.op(Dml, "truncate", first, tables=tuple(tables), options=tuple(found))


def foreign_table(c: Cursor, first: int, kind: str) -> CreateTable:
    """CREATE FOREIGN or EXTERNAL TABLE behind the word TABLE: its columns, and whatever says where the rows are."""
    draft: Draft = {"options": [kind.split("-")[1]], "if_not_exists": c.if_not_exists(), "table": c.name()}
    if c.seq("PARTITION", "OF"):
        draft["partition_of"] = c.name()
    elif c.at("("):
        begin = c.i
        try:
            _elements(c, draft)
        except Unmatched:  # types of a lake: STRUCT<a:INT>
            c.i = begin
            c.skip_parens()
    c.rest()
    draft["options"] = tuple(draft["options"])
    return c.op(CreateTable, kind, first, **draft)
