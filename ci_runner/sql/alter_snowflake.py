"""ALTER TABLE of Snowflake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import Constraint, DropConstraint, Name, Operation, RenameTable
from ci_runner.sql.alter import (
    CONSTRAINT_HEADS,
    Action,
    actions,
    add_column,
    add_constraint,
    alter_type,
    drop_column,
    drop_constraint,
    drop_primary_key,
    kind,
    one,
    other,
    property_change,
    rename,
    set_default,
    type_change,
)
from ci_runner.sql.keys import columns, constraint, tail
from ci_runner.sql.options import stops
from ci_runner.sql.types import read_type

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_POLICIES = ("MASKING", "PROJECTION", "AGGREGATION", "JOIN", "ROW", "STORAGE")


def alter_table(c: Cursor, _first: int) -> list[Operation]:
    """ALTER TABLE behind the word TABLE."""
    c.if_exists()
    table = c.name()
    return actions(c, table, _ACTIONS)


def _metric(c: Cursor, table: Name, first: int) -> list[Operation]:
    """ADD, DROP or MODIFY of a DATA METRIC FUNCTION, behind those words."""
    verb = c.upper[first].lower()
    c.rest()
    return other(c, table, first, f"{verb}-data-metric-function")


def _add(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.seq("DATA", "METRIC", "FUNCTION"):
        return _metric(c, table, first)
    if c.at(*CONSTRAINT_HEADS):
        key = constraint(c)
        if isinstance(key, Constraint):
            return one(add_constraint(c, table, first, key))
    if c.seq("SEARCH", "OPTIMIZATION"):
        c.rest()
        return other(c, table, first, "add-search-optimization")
    if c.at(*_POLICIES) and (c.peek() == "POLICY" or c.peek(2) == "POLICY"):
        return _policy(c, table, first, "add")
    c.take("COLUMN")
    found: list[Operation] = []
    while True:
        begin = first if not found else c.i
        found.append(add_column(c, table, begin, if_not_exists=c.if_not_exists()))
        if not c.at(",") or c.peek() in ("ADD", "DROP", "RENAME"):
            return found
        c.i += 1
        c.take("COLUMN")


def _policy(c: Cursor, table: Name, first: int, verb: str) -> list[Operation]:
    sort = c.word().lower()
    if sort in ("row", "storage"):
        sort = f"{sort}-{c.upper[c.i].lower()}"
        c.need("ACCESS", "LIFECYCLE")
    c.need("POLICY", "POLICIES")
    c.until(frozenset())
    return other(c, table, first, f"{verb}-{sort}-policy")


def _drop(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.seq("DATA", "METRIC", "FUNCTION"):
        return _metric(c, table, first)
    if c.seq("PRIMARY", "KEY"):
        c.i -= 1
        return drop_primary_key(c, table, first)
    if c.at("UNIQUE", "FOREIGN") and (c.peek() in ("(", "KEY")):
        sort = "unique" if c.word() == "UNIQUE" else "foreign-key"
        c.take("KEY")
        keys = columns(c)
        tail(c)
        c.take("CASCADE", "RESTRICT")
        action = "drop-foreign-key" if sort == "foreign-key" else "drop-constraint"
        fields = {"table": table, "name": "", "constraint_kind": sort, "columns": keys}
        return one(c.op(DropConstraint, kind(action), first, **fields))
    if c.take("CONSTRAINT"):
        return drop_constraint(c, table, first)
    if c.seq("CLUSTERING", "KEY"):
        return other(c, table, first, "drop-clustering-key")
    if c.seq("SEARCH", "OPTIMIZATION"):
        c.rest()
        return other(c, table, first, "drop-search-optimization")
    if c.at("ALL") and c.peek() == "ROW":
        c.i += 1
    if c.at(*_POLICIES) and (c.peek() == "POLICY" or c.peek(2) in ("POLICY", "POLICIES")):
        return _policy(c, table, first, "drop")
    c.take("COLUMN")
    found: list[Operation] = []
    while True:
        begin = first if not found else c.i
        found += drop_column(c, table, begin)
        if not c.at(",") or c.peek() in ("ADD", "DROP", "RENAME"):
            return found
        c.i += 1


def _swap(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("WITH")
    return one(c.op(RenameTable, kind("swap-table"), first, table=table, new=c.name()))


def _cluster(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("BY")
    c.take("LINEAR")
    c.skip_parens()
    return other(c, table, first, "alter-clustering-key")


def _recluster(c: Cursor, table: Name, first: int) -> list[Operation]:
    verb = c.upper[first].lower()
    if verb != "recluster" and not c.take("RECLUSTER"):
        c.rest()
        return other(c, table, first, verb)
    c.rest()
    return other(c, table, first, f"{verb}-recluster" if verb != "recluster" else "recluster")


def _alter(c: Cursor, table: Name, first: int) -> list[Operation]:
    """ALTER or MODIFY: a constraint, one column, or several with or without parentheses."""
    if c.seq("DATA", "METRIC", "FUNCTION"):
        return _metric(c, table, first)
    if c.at("CONSTRAINT", "PRIMARY", "FOREIGN") or (c.at("UNIQUE") and c.peek() == "("):
        c.rest()
        return other(c, table, first, "alter-constraint")
    inside = c.take("(")
    found = [_alter_column(c, table, first)]
    while c.at(",") and c.peek() not in ("ADD", "RENAME"):
        c.i += 1
        found.append(_alter_column(c, table, c.i))
    if inside:
        c.need(")")
    return found


def _alter_column(c: Cursor, table: Name, first: int) -> Operation:
    c.take("ALTER", "MODIFY") if c.peek() == "COLUMN" else None
    c.take("COLUMN")
    column = c.column()
    if c.take("TYPE") or c.seq("SET", "DATA", "TYPE"):
        return alter_type(c, table, column, first)
    if c.take("SET"):
        return _set_column(c, table, column, first)
    if c.seq("DROP", "NOT", "NULL"):
        return property_change(c, table, column, first, "drop-not-null")
    if c.seq("DROP", "DEFAULT"):
        return property_change(c, table, column, first, "drop-column-default")
    if c.seq("NOT", "NULL"):
        return property_change(c, table, column, first, "set-not-null")
    if c.take("UNSET"):
        return _unset_column(c, table, column, first)
    if c.take("COMMENT"):
        c.take("=")
        c.word()
        return property_change(c, table, column, first, "set-column-comment")
    new = read_type(c, stops(c.dialect))
    if new is None:
        c.fail()
    return type_change(c, table, column, first, new)


def _set_column(c: Cursor, table: Name, column: str, first: int) -> Operation:
    if c.take("DEFAULT"):
        return set_default(c, table, column, first)
    if c.seq("NOT", "NULL"):
        return property_change(c, table, column, first, "set-not-null")
    if c.take("TAG"):
        c.until(frozenset())
        while c.at(",") and c.peek(2) in ("=", "."):
            c.i += 1
            c.until(frozenset())
        return property_change(c, table, column, first, "set-column-tag")
    sort = c.word().lower()
    if sort == "comment":
        c.take("=")
        c.word()
        return property_change(c, table, column, first, "set-column-comment")
    c.need("POLICY")
    c.name()
    if c.take("USING"):
        c.skip_parens()
    c.take("FORCE")
    return property_change(c, table, column, first, f"set-{sort}-policy")


def _unset_column(c: Cursor, table: Name, column: str, first: int) -> Operation:
    word = c.word().lower()
    if word == "tag":
        c.name()
        while c.at(",") and c.peek(2) in ("", ",", ".", ")", ";"):
            c.i += 1
            c.name()
        return property_change(c, table, column, first, "unset-column-tag")
    if word == "comment":
        return property_change(c, table, column, first, "set-column-comment")
    c.need("POLICY")
    return property_change(c, table, column, first, f"unset-{word}-policy")


def _set(c: Cursor, table: Name, first: int) -> list[Operation]:
    word = c.upper[c.i]
    if c.at(*_POLICIES) and c.peek() == "POLICY":
        action = f"{c.upper[first].lower()}-{word.lower()}-policy"
    elif c.upper[first] == "UNSET":
        action = {"TAG": "unset-tag", "COMMENT": "set-comment"}.get(word, "unset-table-option")
    else:
        action = {"TAG": "set-tag", "COMMENT": "set-comment"}.get(word, "set-table-option")
    if c.done:
        c.fail()
    c.rest()
    return other(c, table, first, action)


def _refresh(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.rest()
    return other(c, table, first, "refresh")


_ACTIONS: dict[str, Action] = {
    "ADD": _add, "DROP": _drop, "RENAME": rename, "SWAP": _swap, "CLUSTER": _cluster, "SUSPEND": _recluster, "RESUME": _recluster,
    "RECLUSTER": _recluster, "ALTER": _alter, "MODIFY": _alter, "SET": _set, "UNSET": _set, "REFRESH": _refresh, "CONVERT": _refresh,
}  # fmt: skip
