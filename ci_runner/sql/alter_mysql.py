"""ALTER TABLE of MySQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import (
    AlterColumnType,
    Column,
    Constraint,
    CreateIndex,
    DropIndex,
    Index,
    Name,
    Operation,
    Partition,
    RenameColumn,
    RenameIndex,
)
from ci_runner.sql.alter import (
    CONSTRAINT_HEADS,
    Action,
    add_column,
    add_constraint,
    add_index,
    drop_column,
    drop_constraint,
    drop_primary_key,
    kind,
    one,
    other,
    property_change,
    rename_table,
    set_default,
    with_options,
)
from ci_runner.sql.keys import constraint
from ci_runner.sql.options import definition

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_INDEX_HEADS = ("INDEX", "KEY", "FULLTEXT", "SPATIAL", "VECTOR")
_KEPT = ("ALGORITHM", "LOCK")


def alter_table(c: Cursor, _first: int) -> list[Operation]:
    """ALTER TABLE behind the word TABLE: actions and table options, ALGORITHM and LOCK noted on every operation."""
    options = ["if exists"] if c.if_exists() else []
    table = c.name()
    if c.take("WAIT"):
        c.word()
    c.take("NOWAIT")
    found: list[Operation] = []
    while not c.done:
        first = c.i
        if c.take(*_KEPT):
            word = c.upper[c.i - 1].lower()
            c.take("=")
            options.append(f"{word}={c.word().lower()}")
        elif c.at("WITH", "WITHOUT") and c.peek() == "VALIDATION":
            c.i += 2
            options.append(c.slice(first, c.i).lower())
        else:
            action = _ACTIONS.get(c.upper[c.i], _option)
            c.i += 1
            found += action(c, table, first)
        c.take(",")
    return with_options(found, tuple(options)) if found else other(c, table, 0, "no-change", *options)


def _add(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at(*CONSTRAINT_HEADS) or (c.at(*_INDEX_HEADS) and c.peek() not in _TYPES):
        key = constraint(c)
        if isinstance(key, Index):
            return one(add_index(c, table, first, key))
        if isinstance(key, Constraint):
            return one(_key(c, table, first, key))
    if c.seq("SYSTEM", "VERSIONING"):
        return other(c, table, first, "add-system-versioning")
    if c.take("PERIOD"):
        c.if_not_exists()
        c.need("FOR")
        c.identifier()
        c.skip_parens()
        return other(c, table, first, "add-period")
    if c.at("PARTITION"):
        return _add_partition(c, table, first)
    c.take("COLUMN")
    exists = c.if_not_exists()
    if not c.at("("):
        return one(add_column(c, table, first, if_not_exists=exists))
    c.i += 1
    found: list[Operation] = []
    while True:
        begin = c.i
        key = constraint(c) if c.at(*CONSTRAINT_HEADS, *_INDEX_HEADS) else None
        if isinstance(key, Index):
            found.append(add_index(c, table, begin, key))
        elif isinstance(key, Constraint):
            found.append(_key(c, table, begin, key))
        else:
            found.append(add_column(c, table, begin))
        if not c.take(","):
            break
    c.need(")")
    return found


_TYPES = frozenset({"INT", "INTEGER", "VARCHAR", "TEXT", "CHAR", "BIGINT"})  # a column called key or index


def _key(c: Cursor, table: Name, first: int, key: Constraint) -> Operation:
    """MySQL keeps a unique constraint as an index."""
    if key.kind != "unique":
        return add_constraint(c, table, first, key)
    index = Index(key.name, key.columns, unique=True, options=key.options)
    return c.op(CreateIndex, kind("add-unique"), first, table=table, index=index)


def _add_partition(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("PARTITION")
    c.if_not_exists()
    begin = c.i
    if c.take("PARTITIONS"):
        c.word()
        name = ""
    else:
        name = c.text[c.i + 2] if c.peek() == "PARTITION" else ""
        c.skip_parens()
    return one(_partition(c, table, first, "add-partition", name, bounds=c.slice(begin, c.i)))


def _partition(c: Cursor, table: Name, first: int, action: str, name: str, **fields: str) -> Operation:
    return c.op(Partition, kind(action), first, table=table, partition=Name("", name), **fields)


def _drop(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.seq("PRIMARY", "KEY"):
        c.i -= 1
        return drop_primary_key(c, table, first)
    if c.take("FOREIGN"):
        c.need("KEY")
        return drop_constraint(c, table, first, "foreign-key")
    if c.at("CHECK", "CONSTRAINT"):
        sort = "check" if c.word() == "CHECK" else ""
        return drop_constraint(c, table, first, sort)
    if c.take("INDEX", "KEY"):
        exists = c.if_exists()
        index = Name("", c.identifier())
        fields = {"indexes": (index,), "table": table, "if_exists": exists}
        return one(c.op(DropIndex, kind("drop-index"), first, **fields))
    if c.seq("SYSTEM", "VERSIONING"):
        return other(c, table, first, "drop-system-versioning")
    if c.at("PERIOD") and c.peek() in ("FOR", "IF"):
        c.i += 1
        c.if_exists()
        c.need("FOR")
        c.identifier()
        return other(c, table, first, "drop-period")
    if c.at("PARTITION"):
        c.i += 1
        c.if_exists()
        return [_partition(c, table, first, "drop-partition", name) for name in _partition_names(c)]
    c.take("COLUMN")
    return drop_column(c, table, first)


def _partition_names(c: Cursor) -> list[str]:
    found = [c.identifier()]
    while c.take(","):
        found.append(c.identifier())
    return found


def _modify(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.take("COLUMN")
    c.if_exists()
    if c.take("("):
        found = []
        while True:
            found.append(_redefine(c, table, c.i, definition(c)))
            if not c.take(","):
                break
        c.need(")")
        return found
    return one(_redefine(c, table, first, definition(c)))


def _redefine(c: Cursor, table: Name, first: int, column: Column) -> Operation:
    if column.type is None:
        c.fail()
    fields = {"column": column.name, "type": column.type, "collation": column.collation, "definition": column}
    return c.op(AlterColumnType, kind("alter-column-type"), first, table=table, **fields)


def _change(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.take("COLUMN")
    c.if_exists()
    old = c.column()
    change = _redefine(c, table, first, definition(c))
    new = change.column if isinstance(change, AlterColumnType) else old
    if new == old:
        return one(change)
    return [c.op(RenameColumn, kind("rename-column"), first, table=table, column=old, new=new), change]


def _alter(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at("INDEX", "KEY") and c.peek(2) in ("VISIBLE", "INVISIBLE", "IGNORED", "NOT", "EXISTS"):
        c.i += 1
        c.if_exists()
        c.identifier()
        c.take("NOT")
        c.word()
        return other(c, table, first, "set-index-visibility")
    if c.at("CHECK", "CONSTRAINT") and c.peek(2) in ("NOT", "ENFORCED"):
        c.i += 2
        enforced = not c.take("NOT")
        c.need("ENFORCED")
        return other(c, table, first, "alter-constraint", *(("enforced",) if enforced else ()))
    c.take("COLUMN")
    c.if_exists()
    column = c.column()
    if c.seq("DROP", "DEFAULT"):
        return one(property_change(c, table, column, first, "drop-column-default"))
    c.need("SET")
    if c.take("VISIBLE", "INVISIBLE"):
        return one(property_change(c, table, column, first, "set-column-visibility"))
    c.need("DEFAULT")
    return one(set_default(c, table, column, first))


def _rename(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at("COLUMN") and c.peek(2) in ("TO", "EXISTS"):
        c.i += 1
        c.if_exists()
        column = c.column()
        c.need("TO")
        return one(c.op(RenameColumn, kind("rename-column"), first, table=table, column=column, new=c.column()))
    if c.at("INDEX", "KEY") and c.peek(2) in ("TO", "EXISTS"):
        c.i += 1
        c.if_exists()
        index = Name("", c.identifier())
        c.need("TO")
        return one(c.op(RenameIndex, kind("rename-index"), first, index=index, new=c.identifier(), table=table))
    c.take("TO", "AS", "=")
    return one(rename_table(c, table, first))


def _convert(c: Cursor, table: Name, first: int) -> list[Operation]:
    if c.at("PARTITION", "TABLE"):  # MariaDB: a partition becomes a table, or the reverse
        begin = c.i
        action = "convert-partition" if c.at("PARTITION") else "convert-table"
        c.rest()
        return one(_partition(c, table, first, action, c.slice(begin, c.i)))
    c.need("TO")
    if c.seq("CHARACTER", "SET") or c.take("CHARSET"):
        charset = c.word().lower().strip("'\"")
        options = [f"charset={charset}"]
        if c.take("COLLATE"):
            c.take("=")
            options.append(f"collate={c.word().lower()}")
        return other(c, table, first, "convert-charset", *options)
    return c.fail()


def _default(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("CHARACTER", "CHARSET", "COLLATE")
    return _charset(c, table, first)


def _charset(c: Cursor, table: Name, first: int) -> list[Operation]:
    word = c.upper[c.i - 1]
    if word == "CHARACTER":
        c.need("SET")
    c.take("=")
    value = c.word().lower().strip("'\"")
    options = [f"{'collate' if word == 'COLLATE' else 'charset'}={value}"]
    if c.take("DEFAULT") or c.at("COLLATE"):
        c.need("COLLATE")
        c.take("=")
        options.append(f"collate={c.word().lower()}")
    return other(c, table, first, "set-default-charset", *options)


def _force(c: Cursor, table: Name, first: int) -> list[Operation]:
    return other(c, table, first, "rebuild")


def _keys(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("KEYS")
    return other(c, table, first, "set-keys-state")


def _repartition(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("BY")
    begin = c.i
    c.rest()
    return other(c, table, first, "repartition", c.slice(begin, c.i))


def _remove(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("PARTITIONING")
    return other(c, table, first, "remove-partitioning")


def _exchange(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("PARTITION")
    name = c.identifier()
    c.need("WITH")
    c.need("TABLE")
    source = c.name()
    return one(_partition(c, table, first, "exchange-partition", name, bounds=str(source)))


def _on_partition(c: Cursor, table: Name, first: int) -> list[Operation]:
    """TRUNCATE, COALESCE, REORGANIZE, ANALYZE, CHECK, OPTIMIZE, REBUILD and REPAIR PARTITION."""
    word = c.upper[first].lower()
    c.need("PARTITION")
    name = "" if c.done else c.identifier()
    while c.take(","):
        c.identifier()
    if word == "reorganize" and c.take("INTO"):
        c.skip_parens()
    while c.take("FOR", "UPGRADE", "QUICK", "FAST", "MEDIUM", "EXTENDED", "CHANGED"):
        pass
    return one(_partition(c, table, first, f"{word}-partition", name))


def _tablespace(c: Cursor, table: Name, first: int) -> list[Operation]:
    word = c.upper[first].lower()
    if c.take("PARTITION"):
        _partition_names(c)
    c.need("TABLESPACE")
    return other(c, table, first, f"{word}-tablespace")


def _order(c: Cursor, table: Name, first: int) -> list[Operation]:
    c.need("BY")
    c.rest()
    return other(c, table, first, "order-by")


def _valued(action: str) -> Action:
    def read(c: Cursor, table: Name, first: int) -> list[Operation]:
        c.take("=")
        value = c.word().lower()
        return other(c, table, first, action, f"{c.upper[first].lower()}={value}")

    return read


_OPTIONS = frozenset(
    {
        "AUTOEXTEND_SIZE", "AVG_ROW_LENGTH", "CHECKSUM", "COMPRESSION", "CONNECTION", "DELAY_KEY_WRITE", "ENCRYPTION",
        "ENGINE_ATTRIBUTE", "INSERT_METHOD", "KEY_BLOCK_SIZE", "MAX_ROWS", "MIN_ROWS", "PACK_KEYS", "PASSWORD", "ROW_FORMAT",
        "SECONDARY_ENGINE", "SECONDARY_ENGINE_ATTRIBUTE", "STATS_AUTO_RECALC", "STATS_PERSISTENT", "STATS_SAMPLE_PAGES", "TABLESPACE",
        "UNION", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "ENCRYPTED", "ENCRYPTION_KEY_ID", "PAGE_CHECKSUM", "TRANSACTIONAL",
        "TABLE_CHECKSUM", "SEQUENCE", "IETF_QUOTES", "WITH", "WITHOUT", "START", "DATA", "INDEX", "SECONDARY_LOAD", "SECONDARY_UNLOAD", "STORAGE",
    }
)  # fmt: skip


def _option(c: Cursor, table: Name, first: int) -> list[Operation]:
    word = c.upper[first]
    if word not in _OPTIONS:
        c.i = first
        c.fail(f"no grammar for ALTER TABLE … {' '.join(c.text[first : first + 3]).strip()}")
    if word.startswith("SECONDARY_") and word.endswith("LOAD"):
        return other(c, table, first, word.lower().replace("_", "-"))
    if word in ("DATA", "INDEX"):
        c.need("DIRECTORY")
    if word in ("WITH", "WITHOUT"):
        c.need("SYSTEM")
        c.need("VERSIONING")
        return other(c, table, first, "add-system-versioning" if word == "WITH" else "drop-system-versioning")
    c.take("=")
    c.skip_parens() if c.at("(") else c.word()
    return other(c, table, first, "set-table-option", c.slice(first, c.i).lower())


_ACTIONS: dict[str, Action] = {
    "ADD": _add, "DROP": _drop, "MODIFY": _modify, "CHANGE": _change, "ALTER": _alter, "RENAME": _rename, "CONVERT": _convert,
    "DEFAULT": _default, "CHARACTER": _charset, "CHARSET": _charset, "COLLATE": _charset, "FORCE": _force, "ENABLE": _keys,
    "DISABLE": _keys, "PARTITION": _repartition, "REMOVE": _remove, "EXCHANGE": _exchange, "TRUNCATE": _on_partition,
    "COALESCE": _on_partition, "REORGANIZE": _on_partition, "ANALYZE": _on_partition, "CHECK": _on_partition,
    "OPTIMIZE": _on_partition, "REBUILD": _on_partition, "REPAIR": _on_partition, "DISCARD": _tablespace, "IMPORT": _tablespace,
    "ORDER": _order, "ENGINE": _valued("set-engine"), "TYPE": _valued("set-engine"), "COMMENT": _valued("set-comment"),
    "AUTO_INCREMENT": _valued("set-auto-increment"),
}  # fmt: skip
