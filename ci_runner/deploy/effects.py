"""What a statement leaves behind that can be looked for afterwards: rows that go with their transaction, objects by name, or nothing to see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from ci_runner.model.operations import (
    AlterEnum,
    CreateEnum,
    CreateFunction,
    CreateIndex,
    CreateTable,
    CreateView,
    Dml,
    DropIndex,
    DropObjects,
    DropTable,
    Name,
    Operation,
    Other,
    RenameIndex,
    RenameObject,
    RenameTable,
    Statement,
)

Kind = Literal["rows", "schema", "opaque", "setting", "begin", "commit", "rollback"]
How = Literal["there", "gone", "changed", "set"]


class Expect(NamedTuple):
    """An object the statement names and what becomes of it; ``set`` is made or replaced."""

    kind: str
    name: Name
    how: How


class Effect(NamedTuple):
    """``tables`` are those whose rows change; ``alone``: the database refuses it inside a transaction."""

    kind: Kind
    expects: tuple[Expect, ...] = ()
    tables: tuple[Name, ...] = ()
    alone: bool = False


_ENDS: dict[str, Kind] = {
    "transaction.begin": "begin",
    "transaction.commit": "commit",
    "transaction.rollback": "rollback",
}
_SETTINGS = frozenset(
    {
        "set-setting",
        "reset-setting",
        "set-variable",
        "unset-variable",
        "use",
        "set-role",
        "prepare",
        "deallocate",
        "declare",
        "attach-database",
    }
    | {"set-statement", "set-constraints", "lock-table", "unlock-tables", "listen"}
)
_ROWS = frozenset({"insert", "update", "delete", "merge", "select", "copy", "load-data", "bulk-insert"})
# Changes of a table that its definition does not show.
_UNSEEN = frozenset(
    f"alter-table.{what}"
    for what in (
        "exchange-partition", "truncate-partition", "discard-tablespace", "import-tablespace", "update", "delete", "rebuild", "swap-table",
        "rebuild-partition", "order-by", "switch-partition", "append-from", "move-partition", "replace-partition", "set-auto-increment",
        "clear-column", "clear-index", "materialize-column", "materialize-index", "materialize-projection", "materialize-statistics",
        "materialize-ttl", "fetch-partition", "freeze-partition", "apply-deleted-mask",
    )
)  # fmt: skip
_ALONE = frozenset(
    {
        "create-index-concurrently",
        "drop-index-concurrently",
        "reindex-concurrently",
        "alter-table.detach-partition-concurrently",
    }
    | {
        "vacuum",
        "vacuum-full",
        "create-database",
        "drop-database",
        "alter-system",
        "create-tablespace",
        "drop-tablespace",
    }
    | {"create-subscription", "drop-subscription", "call", "backup", "restore", "attach-database"}
)
_BLOCKS = frozenset({"do-block", "procedural-block"})
_UNREAD_ALONE = re.compile(
    r"\bconcurrently\b|^\s*(?:vacuum|call)\b|\b(?:create|drop|alter)\s+(?:database|system|subscription)\b",
    re.IGNORECASE,
)
_DROPPED = {
    "drop-view": "view",
    "drop-materialized-view": "view",
    "drop-type": "type",
    "drop-sequence": "sequence",
    "drop-trigger": "trigger",
}
_MADE = {
    "create-sequence": "sequence",
    "create-trigger": "trigger",
    "create-composite-type": "type",
    "create-range-type": "type",
}
_RENAMED = {
    "rename-view": "view",
    "rename-materialized-view": "view",
    "rename-type": "type",
    "rename-sequence": "sequence",
}
_IN_TABLES = frozenset({"mysql", "mariadb", "sqlserver", "clickhouse"})  # where an index belongs to its table


def effect(statement: Statement, dialect: str) -> Effect:
    """The effect of one statement; what was not understood is opaque."""
    operations = statement.operations
    if statement.not_analysed or not operations:
        return Effect("opaque", alone=bool(_UNREAD_ALONE.search(statement.text)))
    kinds = {operation.kind for operation in operations}
    if operations[0].kind in _ENDS:
        return Effect(_ENDS[operations[0].kind])
    if kinds & _BLOCKS or any(operation.conditional for operation in operations):
        return Effect("opaque", alone=any(kind.startswith("transaction.") for kind in kinds))
    if kinds <= _SETTINGS:
        return Effect("setting", alone="attach-database" in kinds)
    alone = bool(kinds & _ALONE) or (dialect == "postgres" and kinds == {"cluster"} and not _object(operations[0]))
    if kinds <= _ROWS:
        return Effect(
            "rows", tables=tuple(name for each in operations if isinstance(each, Dml) for name in each.tables)
        )
    found = [_expects(operation, dialect) for operation in operations]
    if any(each is None for each in found):
        return Effect("opaque", alone=alone)
    return Effect("schema", _distinct(expect for each in found if each for expect in each), alone=alone)


def _object(operation: Operation) -> Name | None:
    return operation.object if isinstance(operation, Other) else None


def _expects(operation: Operation, dialect: str) -> tuple[Expect, ...] | None:  # noqa: C901 - one case a line
    """What becomes of the objects of one operation; None when that cannot be seen."""
    kind = operation.kind
    if kind in _UNSEEN or "temp" in kind:
        return None
    match operation:
        case CreateTable(table=name, or_replace=again):
            return (Expect("table", name, "set" if again else "there"),)
        case DropTable(tables=names):
            return tuple(Expect("table", name, "gone") for name in names)
        case RenameTable(table=old, new=new):
            return Expect("table", old, "gone"), Expect("table", Name(new.schema or old.schema, new.name), "there")
        case CreateIndex(table=table, index=index) if dialect not in _IN_TABLES and index.name:
            return (Expect("index", Name(table.schema, index.name), "there"),)
        case DropIndex(indexes=names) if dialect not in _IN_TABLES:
            return tuple(Expect("index", name, "gone") for name in names)
        case RenameIndex(index=old, new=name) if dialect not in _IN_TABLES:
            return Expect("index", old, "gone"), Expect("index", Name(old.schema, name), "there")
        case CreateView(view=name, or_replace=again):
            return (Expect("view", name, "set" if again else "there"),)
        case CreateFunction(function=name):
            return (Expect("routine", name, "set"),)
        case CreateEnum(type=name):
            return (Expect("type", name, "there"),)
        case AlterEnum(type=name):
            return (Expect("type", name, "changed"),)
        case DropObjects(names=names):
            what = "routine" if kind in {"drop-function", "drop-procedure"} else _DROPPED.get(kind)
            return tuple(Expect(what, name, "gone") for name in names) if what else None
        case RenameObject(name=old, new=new) if kind in _RENAMED:
            return Expect(_RENAMED[kind], old, "gone"), Expect(
                _RENAMED[kind], Name(new.schema or old.schema, new.name), "there"
            )
    return _other(operation, kind)


def _other(operation: Operation, kind: str) -> tuple[Expect, ...] | None:
    table = getattr(operation, "table", None)
    if isinstance(table, Name):
        return (Expect("table", table, "changed"),)
    name = _object(operation)
    if name is None:
        return None
    if kind in _MADE:
        return (Expect(_MADE[kind], name, "there"),)
    if kind == "alter-view.set-query":
        return (Expect("view", name, "changed"),)
    return (Expect("table", name, "changed"),) if kind.startswith("alter-table.") else None


def _distinct(expects: Iterable[Expect]) -> tuple[Expect, ...]:
    """Each object once; a table that is made, renamed or dropped need not be seen to change besides."""
    found: dict[tuple[str, Name], Expect] = {}
    for expect in expects:
        key = (expect.kind, expect.name)
        if key not in found or found[key].how == "changed":
            found[key] = expect
    return tuple(found.values())


def settings_before(effects: Iterable[Effect], done: int) -> Iterator[int]:
    """Which of the first ``done`` statements only prepare the session, so that resuming behind them must run them again."""
    return (index for index, each in enumerate(effects) if index < done and each.kind == "setting")
