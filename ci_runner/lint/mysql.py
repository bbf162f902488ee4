"""Which ALTERs MySQL and MariaDB can only do by copying the table (MariaDB 10.11 measured, MySQL 8.0 by its manual)."""

from __future__ import annotations

import re

from msgspec.structs import replace

from ci_runner.lint.clauses import clause, end, rewrite
from ci_runner.lint.context import Context
from ci_runner.lint.mysql_text import (
    CHARACTERS,
    Encoding,
    bytes_of,
    charset,
    converts,
    encoding,
    keyed,
    lengthened,
    recodes,
)
from ci_runner.lint.mysql_types import kind
from ci_runner.lint.rule import Edit, Fix
from ci_runner.lint.types import base
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    Column,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    Operation,
    Other,
    RenameTable,
    Type,
)
from ci_runner.model.schema import Table
from ci_runner.text.pattern import later

_BINARY = {
    "varchar": "varbinary",
    "tinytext": "tinyblob",
    "text": "blob",
    "mediumtext": "mediumblob",
    "longtext": "longblob",
}
_BYTES = {**_BINARY, "char": "binary"}  # what a type of text is in the character set binary


def algorithm(operation: Operation) -> str:
    """The algorithm a statement asks for, "" where it leaves the choice to the server."""
    return next((o.partition("=")[2] for o in operation.options if o.startswith("algorithm=")), "")


def copies(
    op: Operation, table: Table | None, column: Column | None, siblings: tuple[Operation, ...], dialect: str
) -> str | None:
    """Why the operation copies the table, as the end of a sentence ("… because"); None when it does not, or it cannot be told."""
    if _changes_virtual(op, table) and not all(_joins_virtual(op, each, table, dialect) for each in siblings):
        return "virtual columns come and go in place only by themselves"
    if dialect == "mysql" and table and _rebuilds(op, table) and _searched(table, (op, *siblings)):
        return "MySQL builds a table with a FULLTEXT index anew only by copying it"
    if isinstance(op, AlterColumnType):
        return _modified(
            column, op.definition or Column(op.column, op.type), table, _defaults(table, siblings), dialect
        )
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


def _changes_virtual(op: Operation, table: Table | None) -> bool:
    """Whether the operation adds or drops a virtual column; the expression of an index is one, hidden."""
    if isinstance(op, AddColumn):
        return op.column.generated == "virtual"
    if isinstance(op, DropColumn):
        known = table.columns.get(op.column) if table else None
        return known is not None and known.generated == "virtual"
    return (
        isinstance(op, CreateIndex)
        and op.kind.startswith("alter-table.")
        and any(map(_is_expression, op.index.columns))
    )


def _is_expression(part: str) -> bool:
    return part.startswith("(") or re.search(r"[-+*/]|\(.*\D.*\)", part) is not None


def _joins_virtual(op: Operation, other: Operation, table: Table | None, dialect: str) -> bool:
    """Whether one ALTER may hold both and still be done in place (measured)."""
    if _changes_virtual(other, table) or isinstance(other, DropIndex):
        return True
    if isinstance(other, CreateIndex):
        return not other.index.unique and other.kind == "alter-table.add-index"
    if dialect == "mariadb":
        return isinstance(other, DropColumn)
    if isinstance(op, CreateIndex):
        return False
    if isinstance(other, DropColumn):
        return not keyed(table, other.column)
    added = isinstance(op, AddColumn) and isinstance(other, AddColumn)
    return added or isinstance(other, RenameTable) or other.kind.endswith("-column-default")


def _searched(table: Table, operations: tuple[Operation, ...]) -> bool:
    """Whether the table has a FULLTEXT index that the statement neither drops nor adds."""
    touched = {index.name.lower() for op in operations if isinstance(op, DropIndex) for index in op.indexes}
    touched |= {op.index.name.lower() for op in operations if isinstance(op, CreateIndex)}
    columns = {op.column for op in operations if isinstance(op, DropColumn)}
    return any(
        index.method == "fulltext" and key not in touched and not columns.issuperset(index.columns)
        for key, index in table.indexes.items()
    )


def _rebuilds(op: Operation, table: Table) -> bool:
    """Whether the rows are written anew (or, where there is no FULLTEXT index, the change is noted beside them): MySQL 9, measured."""
    if isinstance(op, AddColumn):
        return op.column.generated != "virtual"
    if isinstance(op, DropColumn):
        return op.column in table.columns and table.columns[op.column].generated != "virtual"
    if isinstance(op, AddConstraint):
        return op.constraint.kind == "primary-key"
    if isinstance(op, AlterColumnType):
        old, new = table.columns.get(op.column), op.definition
        if old is None or new is None:
            return False
        required = (old.nullable is False or old.primary_key, new.nullable is False or old.primary_key)
        return required[0] != required[1] or _moves(table, op.column, new.position)
    options = ("row_format", "key_block_size")
    if op.kind == "alter-table.set-table-option":
        return any(option.startswith(options) for option in op.options)
    return op.kind in ("alter-table.rebuild", "alter-table.set-engine")


def _moves(table: Table, column: str, position: str) -> bool:
    names = list(table.columns)
    at = names.index(column)
    before = names[at - 1] if at else ""
    return bool(position) and position.removeprefix("after ").strip("`").lower() != (before or "first")


_WHOLE = {
    "alter-table.repartition": "every row moves to its partition",
    "alter-table.order-by": "its rows are put into another order",
    "alter-table.remove-partitioning": "every row leaves its partition",
    "alter-table.add-period": "every row is checked against the period",
    "alter-table.add-system-versioning": "every row gets its period columns",
    "alter-table.drop-system-versioning": "every row loses its period columns",
}


def _whole(op: Other, table: Table | None, dialect: str) -> str | None:
    if op.kind == "alter-table.convert-charset":
        return _converted(op, table, dialect)
    if op.kind == "alter-table.set-engine":
        target = next((o.partition("=")[2] for o in op.options if o.startswith("engine=")), "innodb")
        known = (table.engine.lower() if table else "") or "innodb"
        return "every row moves to the other engine" if target != known else None
    if op.kind == "alter-table.alter-constraint":
        return "a CHECK is tested row by row into a new copy" if "enforced" in op.options else None
    if op.kind == "alter-table.order-by" and dialect == "mariadb" and table and _clustered(table):
        return None  # InnoDB keeps the order of the primary key, and the clause is ignored
    return _WHOLE.get(op.kind)


def _clustered(table: Table) -> bool:
    return any(c.kind == "primary-key" for c in table.constraints) or any(c.primary_key for c in table.columns.values())


def _converted(op: Other, table: Table | None, dialect: str) -> str | None:
    reason = "the text of every row is converted"
    if table is None or table.partial:
        return reason
    asked = dict(option.split("=", 1) for option in op.options if "=" in option)
    target = Encoding(charset(asked.get("charset", "")), asked.get("collate", ""))
    return reason if converts(table, target, dialect) else None


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
    if column.check and dialect == "mysql" and "not enforced" not in column.options:
        return "a CHECK is tested row by row into a new copy"
    if column.references and dialect == "mariadb":
        return "an inline foreign key is checked row by row"
    if column.generated:
        return None
    default = (column.default or "").lower()
    if dialect == "mariadb" and "(" in default and not _differs_by_row(default, table):
        return None
    if "(" in default and not default.lstrip("( ").startswith(("current_timestamp", "now", "localtime", "'")):
        return "its default is an expression, evaluated for every row"
    return None


def _defaults(table: Table | None, siblings: tuple[Operation, ...]) -> Table | None:
    """The table with the character set the same statement makes its default: what the statement defines takes it."""
    if table is None:
        return None
    for sibling in siblings:
        if sibling.kind == "alter-table.set-default-charset" and isinstance(sibling, Other):
            asked = dict(option.split("=", 1) for option in sibling.options if "=" in option)
            return replace(table, charset=asked.get("charset", ""), options=(f"collate={asked.get('collate', '')}",))
    return table


def _modified(old: Column | None, new: Column, table: Table | None, defaults: Table | None, dialect: str) -> str | None:
    if new.generated != (old.generated if old else "") and "stored" in (new.generated, old.generated if old else ""):
        return "the column's values are computed anew for every row"
    if old is None or old.type is None or new.type is None:
        return None
    required = new.nullable is False and old.nullable is not False and not old.primary_key
    if dialect == "mariadb" and required and table and any(c.generated == "stored" for c in table.columns.values()):
        return "a table with stored generated columns is built anew to make a column NOT NULL"
    recomputed = new.generated == "stored" or (new.generated == "virtual" and dialect == "mysql")
    if recomputed and old.generated == new.generated and _expression(old) != _expression(new):
        return "the column's values are computed anew for every row"
    if new.identity and not old.identity:
        return "AUTO_INCREMENT is given to every row"
    if old.identity and not new.identity and dialect == "mysql":
        return "AUTO_INCREMENT is taken from the column"
    if dialect == "mariadb" and base(new.type) == "timestamp" and new.nullable is False and old.nullable is not False:
        return "NULL becomes a moment in every row that has it"
    before, after = (f"{_shown(t)}" for t in (old.type, new.type))
    if ("compressed" in old.options) != ("compressed" in new.options):
        return "compressed values and plain ones are stored differently"
    if _same_representation(old, new, table, defaults, dialect):
        return None
    return (
        f"{before} and {after} are stored differently"
        if before != after
        else "its text is converted to another character set"
    )


def _shown(type_: Type) -> str:
    return (type_.text or type_.base).upper() if type_.base not in ("enum", "set") else type_.base.upper()


def _same_representation(old: Column, new: Column, table: Table | None, defaults: Table | None, dialect: str) -> bool:
    assert old.type is not None  # noqa: S101 — the caller looked
    assert new.type is not None  # noqa: S101
    before, after = encoding(old, table, dialect), encoding(new, defaults, dialect)
    first, second = kind(old.type, before.width), kind(new.type, after.width)
    one, two = first.name, second.name
    if before.charset == "binary":
        one = _BYTES.get(one, one)
    if after.charset == "binary":
        two = _BYTES.get(two, two)
    if dialect == "mysql" and _BINARY.get(one) == two and not keyed(table, old.name):
        given = first.numbers, second.numbers
        return one != "varchar" or (all(given) and lengthened(given[0][0] * before.width, given[1][0], dialect))
    if one != two or first.unsigned != second.unsigned:
        return False
    if one in CHARACTERS and recodes(before, after, old, table, dialect):
        return False
    if one in ("varchar", "varbinary", "char"):
        widths = (1, 1) if one == "varbinary" else (before.width, after.width)
        return _same_room(one, (first.numbers, second.numbers), widths, "compressed" in new.options, dialect)
    if one in ("enum", "set"):
        sizes = [bytes_of(one, len(each.type.args)) for each in (old, new) if each.type]
        return new.type.args[: len(old.type.args)] == old.type.args and sizes[0] == sizes[1]
    return first.numbers == second.numbers


def _same_room(
    name: str, lengths: tuple[tuple[int, ...], tuple[int, ...]], widths: tuple[int, int], compressed: bool, dialect: str
) -> bool:
    """Whether a text of so many characters, of so many bytes each, becomes one of the others in place."""
    (short, *_), (long, *_) = (numbers or (0,) for numbers in lengths)
    if not short or not long:
        return False
    if name == "char":
        return short == long and lengthened(short * widths[0], long * widths[1], dialect)
    if compressed:  # kept as a BLOB is
        return short <= long
    return lengthened(short * widths[0], long * widths[1], dialect)


def _expression(column: Column) -> str:
    return re.sub(r"[\s`()]+", "", column.default or "").lower()


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
