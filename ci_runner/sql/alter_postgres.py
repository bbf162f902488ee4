"""ALTER TABLE of PostgreSQL and, with its own additions, of Redshift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import Name, Operation, RenameTable
from ci_runner.sql.alter import (
    Action,
    actions,
    add,
    alter_type,
    drop,
    kind,
    one,
    other,
    partition,
    property_change,
    rename,
    set_default,
    validate,
    with_options,
)  # fmt: skip

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor


def alter_table(c: Cursor, _first: int) -> list[Operation]:
    """ALTER TABLE behind the word TABLE."""
    if c.seq("ALL", "IN", "TABLESPACE"):
        c.rest()
        return other(c, Name("", ""), 0, "set-tablespace")
    options = ("if exists",) if c.if_exists() else ()
    if c.take("ONLY"):
        options = (*options, "only")
    table = c.name()
    c.take("*")
    found = actions(c, table, _REDSHIFT if c.dialect == "redshift" else _ACTIONS)
    return with_options(found, options)


def _alter(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at("CONSTRAINT") and c.peek() not in ("TYPE", "SET", "DROP", "ADD"):
        c.i += 1
        c.identifier()
        while c.take("NOT", "DEFERRABLE", "INITIALLY", "DEFERRED", "IMMEDIATE", "ENFORCED", "NO", "INHERIT", "SET"):
            pass
        return other(c, table, first, "alter-constraint")
    c.take("COLUMN")
    column = c.column()
    word = c.word()
    if word == "TYPE":
        return one(alter_type(c, table, column, first))
    change = _COLUMN.get(word)
    if change is None:
        c.i -= 1
        c.fail()
    return one(change(c, table, column, first))


def _set(c: Cursor, table: Name, column: str, first: int) -> Operation:
    if c.take("DEFAULT"):
        return set_default(c, table, column, first)
    if c.seq("NOT", "NULL"):
        return property_change(c, table, column, first, "set-not-null")
    if c.seq("DATA", "TYPE"):
        return alter_type(c, table, column, first)
    if c.at("("):
        c.skip_parens()
        return property_change(c, table, column, first, "set-column-option")
    if c.take("GENERATED"):
        if not c.take("ALWAYS"):
            c.need("BY")
            c.need("DEFAULT")
        if c.at("SET", "RESTART"):
            _identity_options(c)
        return property_change(c, table, column, first, "set-identity")
    if c.seq("EXPRESSION", "AS"):
        text = c.parens()
        return property_change(c, table, column, first, "set-expression", text)
    for word in ("STATISTICS", "STORAGE", "COMPRESSION"):
        if c.take(word):
            c.take("-")
            c.word()
            return property_change(c, table, column, first, f"set-column-{word.lower()}")
    if c.at("INCREMENT", "START", "MINVALUE", "MAXVALUE", "CACHE", "CYCLE", "NO", "RESTART"):
        c.i -= 1
        _identity_options(c)
        return property_change(c, table, column, first, "set-identity")
    return c.fail()


def _identity_options(c: Cursor) -> None:
    while c.take("SET", "RESTART", "WITH", "INCREMENT", "BY", "START", "MINVALUE", "MAXVALUE", "CACHE", "CYCLE", "NO", "-", "GENERATED",
                 "ALWAYS", "DEFAULT") or c.upper[c.i].isdigit():  # fmt: skip
        if c.upper[c.i].isdigit():
            c.i += 1


def _drop_property(c: Cursor, table: Name, column: str, first: int) -> Operation:
    if c.take("DEFAULT"):
        return property_change(c, table, column, first, "drop-column-default")
    if c.seq("NOT", "NULL"):
        return property_change(c, table, column, first, "drop-not-null")
    word = c.upper[c.i]
    c.need("IDENTITY", "EXPRESSION")
    c.if_exists()
    return property_change(c, table, column, first, f"drop-{word.lower()}")


def _add_property(c: Cursor, table: Name, column: str, first: int) -> Operation:
    c.need("GENERATED")
    if not c.take("ALWAYS"):
        c.need("BY")
        c.need("DEFAULT")
    c.need("AS")
    c.need("IDENTITY")
    if c.at("("):
        c.skip_parens()
    return property_change(c, table, column, first, "add-identity")


def _reset_property(c: Cursor, table: Name, column: str, first: int) -> Operation:
    c.skip_parens()
    return property_change(c, table, column, first, "reset-column-option")


def _restart(c: Cursor, table: Name, column: str, first: int) -> Operation:
    c.i -= 1
    _identity_options(c)
    return property_change(c, table, column, first, "set-identity")


def _options_property(c: Cursor, table: Name, column: str, first: int) -> Operation:
    c.skip_parens()
    return property_change(c, table, column, first, "set-column-option")


def _encode_property(c: Cursor, table: Name, column: str, first: int) -> Operation:
    c.word()
    return property_change(c, table, column, first, "alter-column-encoding")


_COLUMN = {
    "SET": _set, "DROP": _drop_property, "ADD": _add_property, "RESET": _reset_property, "RESTART": _restart,
    "OPTIONS": _options_property, "ENCODE": _encode_property,
}  # fmt: skip


def _validate(c: Cursor, table: Name, first: int) -> list[Operation]:
    return validate(c, table, first)


def _attach(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("PARTITION")
    child = c.name()
    begin = c.i
    if not c.take("DEFAULT"):
        c.need("FOR")
        c.need("VALUES")
        while c.at("IN", "FROM", "TO", "WITH"):
            c.i += 1
            c.skip_parens()
    return partition(c, table, first, "attach-partition", child, bounds=c.slice(begin, c.i))


def _detach(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("PARTITION")
    child = c.name()
    concurrently = c.take("CONCURRENTLY")
    c.take("FINALIZE")
    action = "detach-partition-concurrently" if concurrently else "detach-partition"
    return partition(c, table, first, action, child, concurrently=concurrently)


def _set_table(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.take("SCHEMA"):
        new = Name(c.identifier(), table.name)
        return one(c.op(RenameTable, kind("set-schema"), first, table=table, new=new))
    if c.take("TABLESPACE"):
        c.identifier()
        c.take("NOWAIT")
        return other(c, table, first, "set-tablespace")
    if c.at("("):
        c.skip_parens()
        return other(c, table, first, "set-table-option")
    if c.take("LOGGED", "UNLOGGED"):
        return other(c, table, first, f"set-{c.upper[c.i - 1].lower()}")
    if c.take("WITHOUT"):
        c.need("CLUSTER", "OIDS")
        return other(c, table, first, f"set-without-{c.upper[c.i - 1].lower()}")
    if c.seq("WITH", "OIDS"):
        return other(c, table, first, "set-with-oids")
    if c.seq("ACCESS", "METHOD"):
        c.identifier()
        return other(c, table, first, "set-access-method")
    if c.take("LOCATION"):
        c.word()
        return other(c, table, first, "set-location")
    if c.dialect == "redshift" and c.seq("TABLE", "PROPERTIES"):
        c.skip_parens()
        return other(c, table, first, "set-table-option")
    if c.dialect == "redshift" and c.seq("FILE", "FORMAT"):
        c.word()
        return other(c, table, first, "set-table-option")
    return c.fail()


def _reset(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.skip_parens()
    return other(c, table, first, "reset-table-option")


def _owner(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("TO")
    c.identifier()
    return other(c, table, first, "set-owner")


def _state(c: Cursor, table: Name, first: int) -> list[Operation]:
    """ENABLE, DISABLE, FORCE and NO FORCE; NO INHERIT begins like the last."""
    c.i -= 1
    if c.seq("NO", "INHERIT"):
        c.name()
        return other(c, table, first, "no-inherit")
    c.take("NO")
    c.word()
    c.take("ALWAYS", "REPLICA")
    if c.seq("ROW", "LEVEL", "SECURITY"):
        return other(c, table, first, "set-row-security")
    word = c.upper[c.i]
    c.need("TRIGGER", "RULE")
    c.identifier()
    return other(c, table, first, f"set-{word.lower()}-state")


def _replica(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("IDENTITY")
    if c.seq("USING", "INDEX"):
        c.identifier()
    else:
        c.need("FULL", "NOTHING", "DEFAULT")
    return other(c, table, first, "set-replica-identity")


def _inherit(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.name()
    return other(c, table, first, "inherit")


def _repartition(c: Cursor, table: Name, first: int) -> list[Operation]:
    """MERGE PARTITIONS (a, b) INTO c and SPLIT PARTITION a INTO (PARTITION …), of PostgreSQL 19."""
    merged = c.upper[first] == "MERGE"
    c.need("PARTITIONS" if merged else "PARTITION")
    c.skip_parens() if merged else c.name()
    c.need("INTO")
    c.name() if merged else c.skip_parens()
    return other(c, table, first, "merge-partitions" if merged else "split-partition")


def _cluster(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("ON")
    c.identifier()
    return other(c, table, first, "set-cluster-index")


def _of(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.name()
    return other(c, table, first, "set-type")


def _not_of(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("OF")
    return other(c, table, first, "drop-type")


def _foreign_options(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.skip_parens()
    return other(c, table, first, "set-table-option", "foreign")


_ACTIONS: dict[str, Action] = {
    "ADD": add, "DROP": drop, "ALTER": _alter, "RENAME": rename, "VALIDATE": _validate, "ATTACH": _attach, "DETACH": _detach,
    "SET": _set_table, "RESET": _reset, "OWNER": _owner, "ENABLE": _state, "DISABLE": _state, "FORCE": _state, "NO": _state,
    "REPLICA": _replica, "INHERIT": _inherit, "CLUSTER": _cluster, "OF": _of, "NOT": _not_of, "OPTIONS": _foreign_options, "MERGE": _repartition,
    "SPLIT": _repartition,
}  # fmt: skip


# ── Redshift ──


def _alter_redshift(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.take("DISTSTYLE"):
        c.need("ALL", "EVEN", "KEY", "AUTO")
        if c.take("DISTKEY"):
            c.identifier()
        return other(c, table, first, "alter-distribution")
    if c.take("DISTKEY"):
        c.identifier()
        return other(c, table, first, "alter-distribution")
    if c.take("COMPOUND") or c.at("SORTKEY"):
        c.need("SORTKEY")
        c.skip_parens() if c.at("(") else c.need("AUTO", "NONE")
        return other(c, table, first, "alter-sort-key")
    if c.take("ENCODE"):
        c.need("AUTO")
        return other(c, table, first, "alter-encoding")
    return _alter(c, table, first)


def _append(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("FROM")
    c.name()
    while c.take("IGNOREEXTRA", "FILLTARGET"):
        pass
    return other(c, table, first, "append-from")


def _row_security(c: Cursor, table: Name, first: int) -> list[Operation]:
    """ROW LEVEL SECURITY ON | OFF of Redshift, and for datashares."""
    c.need("LEVEL")
    c.need("SECURITY")
    c.need("ON", "OFF")
    c.rest()
    return other(c, table, first, "set-row-security")


def _masking(c: Cursor, table: Name, first: int) -> list[Operation]:
    """MASKING ON | OFF FOR DATASHARES."""
    c.need("ON", "OFF")
    c.need("FOR")
    c.need("DATASHARES")
    return other(c, table, first, "set-masking")


def _external_partition(c: Cursor, table: Name, first: int) -> list[Operation] | None:
    if not c.at("PARTITION") and not c.ahead("IF", "NOT", "EXISTS", "PARTITION"):
        return None
    begin = c.i
    c.rest()
    return partition(c, table, first, "add-partition", Name("", c.slice(begin, c.i)))


def _add_redshift(c: Cursor, table: Name, first: int) -> list[Operation]:
    return _external_partition(c, table, first) or add(c, table, first)


def _of_partition(c: Cursor, table: Name, first: int) -> list[Operation]:
    """PARTITION (…) SET LOCATION '…' of an external table."""
    c.skip_parens()
    c.need("SET")
    c.need("LOCATION")
    c.word()
    return other(c, table, first, "set-location")


def _drop_redshift(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at("PARTITION"):
        begin = c.i
        c.rest()
        return partition(c, table, first, "drop-partition", Name("", c.slice(begin, c.i)))
    return drop(c, table, first)


_REDSHIFT: dict[str, Action] = {
    **_ACTIONS, "ALTER": _alter_redshift, "APPEND": _append, "ROW": _row_security, "MASKING": _masking,
    "PARTITION": _of_partition, "ADD": _add_redshift, "DROP": _drop_redshift,
}  # fmt: skip
