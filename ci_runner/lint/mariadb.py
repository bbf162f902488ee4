"""What MariaDB copies a table for that MySQL does not: virtual columns that come to stand elsewhere, keys it keeps as a hash (10.11, measured)."""

from __future__ import annotations

import re

from ci_runner.lint.mysql_text import encoding, keyed
from ci_runner.lint.types import arguments, base
from ci_runner.model.operations import AddColumn, AlterColumnType, Column, CreateIndex, DropColumn, DropIndex, Operation
from ci_runner.model.schema import Table
from ci_runner.text.pattern import later

_LONG = frozenset({"tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json"})
_PREFIX = later(r"\(\s*\d+\s*\)")  # of an index: the beginning of a column
_HASH = later(r"\busing\s+hash\b", re.IGNORECASE)
_KEY = 3072  # bytes: what is longer InnoDB has no key for (of pages of the usual 16 KiB)


def copies(
    op: Operation, text: str, table: Table | None, before: Table | None, all_: tuple[Operation, ...]
) -> str | None:
    """Why the operation, written as ``text``, copies the table, as the end of a sentence; None where it does not for any of these reasons.

    ``before`` is the table before the first of ``all_`` operations of the statement.
    """
    if _hashed(op, text, table):
        return "a unique key over a whole text, or over too many bytes, is a hash in a hidden virtual column"
    if before is None or before.partial or not isinstance(op, AddColumn | DropColumn | AlterColumnType):
        return None
    virtual = _virtual(before)
    names = _order(list(before.columns), all_) if virtual else []
    moved = [name for name, at in virtual.items() if name in names and names.index(name) != at]
    calm = all(isinstance(each, DropColumn | DropIndex) for each in all_) and not any(keyed(before, v) for v in moved)
    if moved and not calm:
        return "a virtual column comes to stand elsewhere"
    old = before.columns.get(op.column) if isinstance(op, AlterColumnType) else None
    if old is not None and isinstance(op, AlterColumnType) and op.definition is not None and not old.primary_key:
        required = op.definition.nullable is False and old.nullable is not False
        if required and any(keyed(before, name) for name in virtual):
            return "a table with an indexed virtual column is built anew to make a column NOT NULL"
    return None


def _hashed(op: Operation, text: str, table: Table | None) -> bool:
    engine = table.engine.lower() if table else ""
    if engine not in ("", "innodb"):
        return False
    if isinstance(op, AddColumn):
        return op.column.unique and op.column.type is not None and base(op.column.type) in _LONG
    if not isinstance(op, CreateIndex) or not op.index.unique:
        return False
    if _HASH.search(text):
        return True
    columns = [table.columns.get(name) if table else None for name in op.index.columns]
    kinds = [column.type for column in columns if column is not None and column.type is not None]
    if _PREFIX.search(text):
        return False
    return any(base(kind) in _LONG for kind in kinds) or sum(_bytes(column, table) for column in columns) > _KEY


def _bytes(column: Column | None, table: Table | None) -> int:
    """The least bytes a text can take in a key; what is not known counts nothing."""
    if column is None or column.type is None or base(column.type) not in ("varchar", "char", "varbinary", "binary"):
        return 0
    text = encoding(column, table)
    width = text.width if text.charset and "binary" not in base(column.type) else 1
    return next(iter(arguments(column.type)), 0) * width


def _virtual(table: Table) -> dict[str, int]:
    """The virtual columns by the place they have."""
    return {name: at for at, (name, column) in enumerate(table.columns.items()) if column.generated == "virtual"}


def _order(names: list[str], operations: tuple[Operation, ...]) -> list[str]:
    """The columns in the order they have after all operations, by their old names."""
    for op in operations:
        if isinstance(op, DropColumn) and op.column in names:
            names.remove(op.column)
        elif isinstance(op, AddColumn):
            names.insert(_place(names, op.column.position), op.column.name)
        elif (
            isinstance(op, AlterColumnType)
            and op.definition is not None
            and op.definition.position
            and op.column in names
        ):
            names.remove(op.column)
            names.insert(_place(names, op.definition.position), op.column)
    return names


def _place(names: list[str], position: str) -> int:
    after = position.removeprefix("after ").strip("`").lower()
    if position == "first":
        return 0
    return names.index(after) + 1 if position and after in names else len(names)
