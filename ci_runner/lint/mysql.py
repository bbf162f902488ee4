"""Which ALTERs MySQL and MariaDB can only do by copying the table (MariaDB 10.11 measured, MySQL 8.0 by its manual)."""

from __future__ import annotations

import re

from ci_runner.lint.clauses import clause, end, rewrite
from ci_runner.lint.context import Context
from ci_runner.lint.rule import Edit, Fix
from ci_runner.lint.types import arguments, base
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    Column,
    DropConstraint,
    Operation,
    Other,
    Type,
)
from ci_runner.model.schema import Table
from ci_runner.text.pattern import later

_CHARACTERS = {"varchar", "char", "text", "tinytext", "mediumtext", "longtext", "enum", "set"}
_WIDTHS = {"utf8mb4": 4, "utf16": 4, "utf32": 4, "utf8": 3, "utf8mb3": 3, "ucs2": 2, "gbk": 2, "big5": 2, "sjis": 2}
_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint"}
_ONE_BYTE = 255  # most bytes a VARCHAR may have while its length is kept in one byte
_ALWAYS_ONE = 127  # up to here InnoDB needs one byte whatever the column may grow to (MariaDB makes use of it)


def algorithm(operation: Operation) -> str:
    """The algorithm a statement asks for, "" where it leaves the choice to the server."""
    return next((o.partition("=")[2] for o in operation.options if o.startswith("algorithm=")), "")


def copies(
    op: Operation, table: Table | None, column: Column | None, siblings: tuple[Operation, ...], dialect: str
) -> str | None:
    """Why the operation copies the table, as the end of a sentence ("… because"); None when it does not, or it cannot be told."""
    if isinstance(op, AlterColumnType):
        return _modified(column, op.definition or Column(op.column, op.type), table, dialect)
    if isinstance(op, AddColumn):
        return _added(op.column, table, dialect)
    if isinstance(op, AddConstraint):
        return (
            "a CHECK is tested row by row into a new copy"
            if op.constraint.kind == "check" and op.constraint.enforced
            else None
        )
    if isinstance(op, DropConstraint):
        replaced = any(isinstance(s, AddConstraint) and s.constraint.kind == "primary-key" for s in siblings)
        primary = op.constraint_kind == "primary-key"
        return "without its primary key the table is built anew" if primary and not replaced else None
    return _whole(op, table, dialect) if isinstance(op, Other) else None


_WHOLE = {
    "alter-table.repartition": "every row moves to its partition",
    "alter-table.order-by": "its rows are put into another order",
    "alter-table.remove-partitioning": "every row leaves its partition",
    "alter-table.add-system-versioning": "every row gets its period columns",
    "alter-table.drop-system-versioning": "every row loses its period columns",
}


def _whole(op: Other, table: Table | None, dialect: str) -> str | None:
    if op.kind == "alter-table.convert-charset":
        target = next((o.partition("=")[2] for o in op.options if o.startswith("charset=")), "")
        return _converted(table, target, dialect)
    if op.kind == "alter-table.set-engine":
        target = next((o.partition("=")[2] for o in op.options if o.startswith("engine=")), "innodb")
        known = (table.engine.lower() if table else "") or "innodb"
        return "every row moves to the other engine" if target != known else None
    return _WHOLE.get(op.kind)


def _converted(table: Table | None, target: str, dialect: str) -> str | None:
    reason = "the text of every row is converted"
    if table is None or table.partial:
        return reason
    texts = [c for c in table.columns.values() if c.type and base(c.type) in _CHARACTERS]
    changed = [c for c in texts if not _compatible(c.charset or table.charset, target, dialect)]
    return reason if changed else None


def _compatible(old: str, new: str, dialect: str) -> bool:
    old, new = _charset(old), _charset(new)
    return old == new or (dialect == "mariadb" and (old, new) in (("utf8mb3", "utf8mb4"), ("ascii", "utf8mb4")))


def _charset(name: str) -> str:
    return {"utf8": "utf8mb3"}.get(name.lower(), name.lower())


# MariaDB 10.11 adds a column in place whatever its default calls, but for these and for other columns
_EACH_ROW = later(
    r"\b(?:uuid|uuid_short|sys_guid|random_bytes|nextval|lastval)\s*\(|\bnext\s+value\s+for\b", re.IGNORECASE
)
_TEXT_OR_NAME = later(r"'(?:[^']|'')*'|`[^`]*`|\w+(?!\s*\(|\w)")


def _differs_by_row(default: str, table: Table | None) -> bool:
    names = {found.strip("`").lower() for found in _TEXT_OR_NAME.findall(default) if not found.startswith("'")}
    return _EACH_ROW.search(default) is not None or bool(names & set(table.columns if table else ()))


def _added(column: Column, table: Table | None, dialect: str) -> str | None:
    if column.generated == "stored":
        return "a stored generated column is computed for every row"
    if column.references and dialect == "mariadb":
        return "an inline foreign key is checked row by row"
    default = (column.default or "").lower()
    if dialect == "mariadb" and "(" in default and not _differs_by_row(default, table):
        return None
    if "(" in default and not default.lstrip("( ").startswith(("current_timestamp", "now", "localtime", "'")):
        return "its default is an expression, evaluated for every row"
    return None


def _modified(old: Column | None, new: Column, table: Table | None, dialect: str) -> str | None:
    if new.generated != (old.generated if old else "") and "stored" in (new.generated, old.generated if old else ""):
        return "the column's values are computed anew for every row"
    if old is None or old.type is None or new.type is None:
        return None
    if new.identity and not old.identity:
        return "AUTO_INCREMENT is given to every row"
    if dialect == "mariadb" and base(new.type) == "timestamp" and new.nullable is False and old.nullable is not False:
        return "NULL becomes a moment in every row that has it"
    before, after = (f"{_shown(t)}" for t in (old.type, new.type))
    if _same_representation(old, new, table, dialect):
        return None
    return (
        f"{before} and {after} are stored differently"
        if before != after
        else "its text is converted to another character set"
    )


def _shown(type_: Type) -> str:
    return (type_.text or type_.base).upper() if type_.base not in ("enum", "set") else type_.base.upper()


def _same_representation(old: Column, new: Column, table: Table | None, dialect: str) -> bool:
    assert old.type is not None  # noqa: S101 — the caller looked
    assert new.type is not None  # noqa: S101
    one, two = _plain(old.type), _plain(new.type)
    if one != two:
        return False
    if one in _CHARACTERS and not _same_charset(old, new, table, dialect):
        return False
    first, second = arguments(old.type), arguments(new.type)
    if one in _INTEGERS:
        return ("unsigned" in old.type.suffix) == ("unsigned" in new.type.suffix)
    if one in ("varchar", "varbinary"):
        width = 1 if one == "varbinary" else _width(new.charset or old.charset or (table.charset if table else ""))
        return bool(first and second) and _lengthened(first[0], second[0], width, dialect)
    if one in ("enum", "set"):
        return new.type.args[: len(old.type.args)] == old.type.args
    if one == "bit":
        return first == second
    return first == second


def _plain(type_: Type) -> str:
    name = base(type_)
    return {"boolean": "tinyint", "nvarchar": "varchar", "nchar": "char"}.get(name, name)


def _same_charset(old: Column, new: Column, table: Table | None, dialect: str) -> bool:
    inherited = table.charset if table else ""
    before = old.charset or _of_collation(old.collation) or inherited
    after = new.charset or _of_collation(new.collation) or inherited
    if not before or not after:
        return before == after or not (old.charset or new.charset)
    return _compatible(before, after, dialect)


def _of_collation(collation: str) -> str:
    return collation.strip("`'\"").partition("_")[0]


def _width(charset: str) -> int:
    """The most bytes a character takes; utf8mb4, the default of both servers today, where nothing is said."""
    return _WIDTHS.get(_charset(charset), 1) if charset else 4


def _lengthened(old: int, new: int, width: int, dialect: str) -> bool:
    if new < old:
        return False
    short, long = old * width, new * width
    if dialect == "mariadb" and short <= _ALWAYS_ONE:
        return True
    return (short <= _ONE_BYTE) == (long <= _ONE_BYTE)


_ONLINE = ", ALGORITHM=INPLACE, LOCK=NONE"


@rewrite
def unchecked_key(context: Context) -> Fix | None:
    """ADD FOREIGN KEY in place, which the server does only while it does not check the rows that are there."""
    if context.step.operation.conditional or algorithm(context.step.operation):
        return None
    start, at = context.statement.start, end(context)
    delimiter = "" if context.file.text[at : context.statement.end].lstrip().startswith(";") else ";"
    behind = max(context.statement.end, at)
    edits = (
        Edit(start, start, "SET foreign_key_checks = 0;\n"),
        Edit(at, at, _ONLINE),
        Edit(behind, behind, f"{delimiter}\nSET foreign_key_checks = 1;"),
    )
    return Fix(edits, "add it in place, with the rows there are checked by a query of your own beforehand", safe=False)


@rewrite
def fail_fast(context: Context) -> Fix | None:
    """The statement with the clauses that make the server refuse it at once where it would have to copy."""
    statement = context.statement
    text = context.file.text[statement.start : end(context)]
    asked = clause(text, "ALGORITHM", "=", "COPY") or clause(text, "ALGORITHM", "COPY")
    if asked:
        lock = clause(text, "LOCK", "=", "*")
        edits = [Edit(statement.start + asked[0], statement.start + asked[1], "ALGORITHM=INPLACE")]
        if lock:
            edits.append(Edit(statement.start + lock[0], statement.start + lock[1], "LOCK=NONE"))
        return Fix(tuple(sorted(edits)), "let the server do it in place, or refuse it", safe=False)
    if any(clause(text, *words) for words in (("PARTITION",), ("PARTITIONING",), ("LOCK", "=", "*"))):
        return None
    at = end(context)
    return Fix(
        (Edit(at, at, _ONLINE),), "let the server refuse it at once instead of copying while writes wait", safe=False
    )
