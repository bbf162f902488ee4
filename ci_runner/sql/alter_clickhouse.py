"""ALTER TABLE of ClickHouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import (
    AddConstraint,
    AlterColumnType,
    Constraint,
    CreateIndex,
    Dml,
    DropIndex,
    Index,
    Name,
    Operation,
    RenameColumn,
)
from ci_runner.sql.alter import (
    Action,
    actions,
    add_column,
    drop_column,
    drop_constraint,
    kind,
    one,
    other,
    partition,
    property_change,
    with_options,
)
from ci_runner.sql.keys import constraint
from ci_runner.sql.options import definition
from ci_runner.sql.queries import find, parts
from ci_runner.sql.table_tails import on_cluster

if TYPE_CHECKING:
    from collections.abc import Collection

    from ci_runner.sql.cursor import Cursor

_PARTS = ("PARTITION", "PART")
_ENDS = frozenset({"FROM", "TO", "WITH", "IN", "SETTINGS", "WHERE"})


def alter_table(c: Cursor, _first: int) -> list[Operation]:
    """ALTER TABLE behind the word TABLE."""
    c.take("TEMPORARY")
    c.if_exists()
    table = c.name()
    options: list[str] = []
    on_cluster(c, options)
    cut_settings(c)
    _unwrap(c)
    return with_options(actions(c, table, _ACTIONS), tuple(options))


def cut_settings(c: Cursor) -> None:
    """Leaves a trailing ``SETTINGS name = value`` unread; a column or table called settings has no ``=`` behind the next word."""
    end = find(c, frozenset({"SETTINGS"}), c.i)
    while end < c.last and c.peek(end + 2 - c.i) != "=":
        end = find(c, frozenset({"SETTINGS"}), end + 1)
    if end < c.last:
        c.last = end
        c.text[end] = c.upper[end] = ""


def _unwrap(c: Cursor) -> None:
    """``ALTER TABLE a (ADD …), (DROP …)``: the parentheses around each action are left out."""
    begin, gone = c.i, set[int]()
    while c.at("("):
        gone.add(c.i)
        c.skip_parens()
        gone.add(c.i - 1)
        if not c.take(","):
            break
    c.i = begin
    leave_out(c, gone)


def leave_out(c: Cursor, gone: Collection[int]) -> None:
    """Takes tokens that are still to be read out of the statement."""
    if gone:
        kept = [i for i in range(len(c.text)) if i not in gone]
        c.text[:], c.upper[:], c.start[:] = (
            [c.text[i] for i in kept],
            [c.upper[i] for i in kept],
            [c.start[i] for i in kept],
        )
        c.last -= len(gone)


def _add(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at("INDEX") and c.peek() != ",":
        return _add_index(c, table, first)
    if c.take("PROJECTION"):
        c.if_not_exists()
        c.identifier()
        c.need("INDEX") if not c.at("(") else None
        c.until(frozenset({"AFTER", "FIRST"}))
        _place(c)
        return other(c, table, first, "add-projection")
    if c.at("CONSTRAINT"):
        return _add_constraint(c, table, first)
    if c.take("STATISTICS"):
        return _statistics(c, table, first, "add-statistics")
    c.take("COLUMN")
    return one(add_column(c, table, first, if_not_exists=c.if_not_exists()))


def _statistics(c: Cursor, table: Name, first: int, action: str) -> list[Operation]:
    """``[IF …] a, b [TYPE tdigest, uniq]``; names follow until another action begins."""
    c.until(frozenset())
    while c.at(",") and c.peek() not in _ACTIONS:
        c.i += 1
        c.until(frozenset())
    return other(c, table, first, action)


def _place(c: Cursor) -> None:
    if c.take("AFTER"):
        c.name()
    else:
        c.take("FIRST")


def _add_index(c: Cursor, table: Name, first: int) -> list[Operation]:
    exists = c.ahead("INDEX", "IF", "NOT", "EXISTS")
    if exists:
        c.i += 3
        c.upper[c.i] = "INDEX"
    found = constraint(c)
    if not isinstance(found, Index):
        c.fail()
    _place(c)
    return one(c.op(CreateIndex, kind("add-index"), first, table=table, index=found, if_not_exists=exists))


def _add_constraint(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.i += 1
    c.if_not_exists()
    name = c.identifier()
    c.need("CHECK", "ASSUME")
    key = Constraint("check", name, expression=c.until(frozenset()))
    return one(c.op(AddConstraint, kind("add-check"), first, table=table, constraint=key))


def _drop(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.take("INDEX"):
        exists = c.if_exists()
        index = Name("", c.identifier())
        _in_partition(c)
        return one(c.op(DropIndex, kind("drop-index"), first, indexes=(index,), table=table, if_exists=exists))
    if c.take("STATISTICS"):
        return _statistics(c, table, first, "drop-statistics")
    if c.take("PROJECTION"):
        c.if_exists()
        c.identifier()
        return other(c, table, first, "drop-projection")
    if c.take("CONSTRAINT"):
        return drop_constraint(c, table, first)
    if c.at("DETACHED"):
        c.i += 1
        return _part(c, table, first, "drop-detached-partition")
    if c.at(*_PARTS):
        return _part(c, table, first, "drop-partition")
    c.take("COLUMN")
    return drop_column(c, table, first)


def _part(c: Cursor, table: Name, first: int, action: str) -> list[Operation]:
    """PARTITION or PART and what names it, then where it goes to or comes from."""
    if c.at("PART"):
        action = action.removesuffix("ition")
    c.need(*_PARTS)
    name = c.until(_ENDS)
    begin = c.i
    if not c.done and not c.at(","):
        c.until(frozenset())
    return partition(c, table, first, action, Name("", name), bounds=c.slice(begin, c.i))


def _partitions(action: str) -> Action:
    def read(c: Cursor, table: Name, first: int) -> list[Operation]:
        if not c.at(*_PARTS):
            c.until(frozenset())
            return other(c, table, first, action.removesuffix("-partition"))
        return _part(c, table, first, action)

    return read


def _in_partition(c: Cursor) -> None:
    if c.seq("IN", "PARTITION"):
        c.until(_ENDS - {"IN"})


def _named(verb: str) -> Action:
    """MATERIALIZE and CLEAR of a column, an index, a projection, statistics; MATERIALIZE TTL."""

    def read(c: Cursor, table: Name, first: int) -> list[Operation]:
        word = c.word().lower()
        if word not in ("column", "index", "projection", "statistics", "ttl"):
            c.i -= 1
            c.fail()
        if word == "column":
            c.if_exists()
            column = c.column()
            _in_partition(c)
            return one(property_change(c, table, column, first, f"{verb}-column"))
        if word != "ttl":
            c.if_exists()
            c.until(frozenset({"IN"}))
        _in_partition(c)
        return other(c, table, first, f"{verb}-{word}")

    return read


def _modify(c: Cursor, table: Name, first: int) -> list[Operation]:
    for words, action in _MODIFIED.items():
        if c.seq(*words):
            begin = c.i
            if action == "modify-view-query":
                c.rest()
            else:
                c.until(frozenset())
                if action in ("modify-ttl", "modify-setting", "modify-statistics", "modify-refresh"):
                    _settings_list(c)
            return other(c, table, first, action, *([c.slice(begin, c.i)] if action == "modify-order-by" else []))
    c.take("COLUMN")
    return _modify_column(c, table, first)


def _settings_list(c: Cursor) -> None:
    """More of ``a = 1, b = 2`` or of ``TTL x, y DELETE``: whatever does not begin another action."""
    while c.at(",") and c.peek() not in _ACTIONS:
        c.i += 1
        c.until(frozenset())


_MODIFIED = {
    ("TTL",): "modify-ttl", ("ORDER", "BY"): "modify-order-by", ("SAMPLE", "BY"): "modify-sample-by", ("SETTING",): "modify-setting",
    ("QUERY",): "modify-view-query", ("COMMENT",): "set-comment", ("REFRESH",): "modify-refresh", ("SQL", "SECURITY"): "modify-sql-security",
    ("DEFINER",): "modify-sql-security", ("STATISTICS",): "modify-statistics", ("PARTITION", "BY"): "modify-partition-by",
    ("CONSTRAINT",): "alter-constraint",
}  # fmt: skip
_PROPERTIES = frozenset(
    {
        "REMOVE",
        "MODIFY",
        "RESET",
        "DEFAULT",
        "MATERIALIZED",
        "ALIAS",
        "EPHEMERAL",
        "COMMENT",
        "CODEC",
        "TTL",
        "STATISTICS",
        "FIRST",
        "AFTER",
    }
)


_REMOVED = ("DEFAULT", "MATERIALIZED", "ALIAS", "EPHEMERAL", "COMMENT", "CODEC", "TTL", "SETTINGS", "STATISTICS")


def _modify_column(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.if_exists()
    column = c.column()
    if c.take("REMOVE"):
        c.need(*_REMOVED)
        return one(property_change(c, table, column, first, "modify-column-property"))
    if c.seq("ADD", "ENUM", "VALUES"):
        c.skip_parens()
        return one(property_change(c, table, column, first, "modify-column-property"))
    if c.at("MODIFY", "RESET"):
        c.i += 1
        c.need("SETTING")
        if not c.until(frozenset()):
            c.fail()
        _settings_list(c)
        return one(property_change(c, table, column, first, "modify-column-property"))
    if c.at("TYPE"):
        c.i += 1
    new = definition(c, column)
    if new.type is None:
        return one(property_change(c, table, column, first, "modify-column-property", new.default))
    return one(
        c.op(
            AlterColumnType, kind("alter-column-type"), first, table=table, column=column, type=new.type, definition=new
        )
    )


def _alter(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.take("COLUMN")
    return _modify_column(c, table, first)


def _rename(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("COLUMN")
    c.if_exists()
    column = c.column()
    c.need("TO")
    return one(c.op(RenameColumn, kind("rename-column"), first, table=table, column=column, new=c.column()))


def _comment(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("COLUMN")
    c.if_exists()
    column = c.column()
    c.word()
    return one(property_change(c, table, column, first, "set-column-comment"))


def _remove(c: Cursor, table: Name, first: int) -> list[Operation]:
    word = c.word().lower()
    if word == "sample":
        c.need("BY")
        word = "sample-by"
    return other(c, table, first, f"remove-{word}")


def _reset(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("SETTING")
    c.until(frozenset())
    _settings_list(c)
    return other(c, table, first, "reset-setting")


def _update(c: Cursor, table: Name, first: int) -> list[Operation]:
    begin = c.i
    end = find(c, frozenset({"WHERE", "IN"}), begin)
    assigned = parts(c, begin, end)
    c.i = end
    _in_partition(c)
    where = c.take("WHERE")
    c.until(frozenset())
    columns = tuple(text.partition("=")[0].strip(' `"') for text in assigned)
    values = tuple(text.partition("=")[2].strip() for text in assigned)
    return one(c.op(Dml, kind("update"), first, tables=(table,), where=where, columns=columns, values=values))


def _delete(c: Cursor, table: Name, first: int) -> list[Operation]:
    _in_partition(c)
    c.need("WHERE")
    c.until(frozenset())
    return one(c.op(Dml, kind("delete"), first, tables=(table,), where=True))


def _apply(c: Cursor, table: Name, first: int) -> list[Operation]:
    patches = c.take("PATCHES")
    if not patches and not c.seq("DELETED", "MASK"):
        c.fail()
    _in_partition(c)
    return other(c, table, first, "apply-patches" if patches else "apply-deleted-mask")


def _rewrite(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("PARTS")
    _in_partition(c)
    return other(c, table, first, "rewrite-parts")


def _freeze(c: Cursor, table: Name, first: int) -> list[Operation]:
    verb = c.upper[first].lower()
    if c.at(*_PARTS):
        return _part(c, table, first, f"{verb}-partition")
    c.until(frozenset())
    return other(c, table, first, f"{verb}-partition")


_ACTIONS: dict[str, Action] = {
    "ADD": _add, "DROP": _drop, "MODIFY": _modify, "ALTER": _alter, "RENAME": _rename, "COMMENT": _comment, "REMOVE": _remove,
    "RESET": _reset, "UPDATE": _update, "DELETE": _delete, "APPLY": _apply, "MATERIALIZE": _named("materialize"), "CLEAR": _named("clear"),
    "DETACH": _partitions("detach-partition"), "ATTACH": _partitions("attach-partition"), "REPLACE": _partitions("replace-partition"),
    "MOVE": _partitions("move-partition"), "FETCH": _partitions("fetch-partition"), "FREEZE": _freeze, "UNFREEZE": _freeze,
    "FORGET": _partitions("forget-partition"), "EXPORT": _partitions("export-partition"), "REWRITE": _rewrite,
}  # fmt: skip
