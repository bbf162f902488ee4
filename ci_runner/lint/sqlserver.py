"""What SQL Server does to a table for a type change or a default, by Microsoft's manual."""

from __future__ import annotations

import re

from ci_runner.lint.clauses import clause, rewrite, target, words
from ci_runner.lint.context import Context, File
from ci_runner.lint.rule import Edit, Fix
from ci_runner.lint.types import arguments, base
from ci_runner.model.operations import AddConstraint, Column, CreateIndex, Name, Operation, Type
from ci_runner.model.schema import Table
from ci_runner.text.pattern import later

_VARIABLE = {"varchar", "nvarchar", "varbinary"}
_COMPRESSIBLE = {"tinyint", "smallint", "int", "bigint", "char", "nchar", "binary", "money", "smallmoney", "numeric"}
_METADATA_EDITIONS = ("enterprise", "developer", "evaluation", "azure", "sql azure", "managed instance")
_OFFLINE_EDITIONS = ("standard", "express", "web")
_PER_ROW = later(r"\b(newid|newsequentialid|rand|crypt_gen_random)\s*\(|\bnext\s+value\s+for\b", re.IGNORECASE)


def rewrites(old: Type, new: Type, table: Table | None, *, modern: bool) -> bool:
    """Whether ALTER COLUMN writes the rows anew. Widening a variable-length type does not; nor, from 2016, widening in a compressed table."""
    one, two = _base(old), _base(new)
    first, second = _arguments(old), _arguments(new)
    if (one == two and first == second) or (_LARGE.get(old.base.lower()) == two and second == ("max",)):
        return False
    if one == two and one in _VARIABLE:
        return not (first and second and "max" not in (first[0], second[0]) and int(first[0]) <= int(second[0]))
    if one == two == "numeric" and _decimal(first) is not None and _decimal(first) == _decimal(second):
        return int(first[0]) > int(second[0])
    compressed = table is not None and any(
        option.startswith("data_compression") and "none" not in option for option in table.options
    )
    return not (
        compressed and modern and one in _COMPRESSIBLE and two in _COMPRESSIBLE and _widens(one, two, first, second)
    )


_LARGE = {"text": "varchar", "ntext": "nvarchar", "image": "varbinary"}  # become (max) as they stand


def _base(type_: Type) -> str:
    name = base(type_)
    return "nvarchar" if name == "sysname" else name


def _arguments(type_: Type) -> tuple[str, ...]:
    if base(type_) == "sysname":
        return ("128",)
    if "max" in {arg.strip().lower() for arg in type_.args}:
        return ("max",)
    return tuple(str(number) for number in arguments(type_))


def _decimal(args: tuple[str, ...]) -> tuple[int, int] | None:
    """Bytes and scale of a decimal."""
    if not args or args[0] == "max":
        return None
    precision = int(args[0])
    return (
        5 if precision <= 9 else 9 if precision <= 19 else 13 if precision <= 28 else 17,
        int(args[1]) if len(args) > 1 else 0,
    )


_ORDER = ["tinyint", "smallint", "int", "bigint"]


def _widens(one: str, two: str, first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    if one in _ORDER and two in _ORDER:
        return _ORDER.index(one) < _ORDER.index(two)
    return one == two and bool(first and second) and int(first[0]) <= int(second[0])


_NEVER_APART = {
    "xml",
    "text",
    "ntext",
    "image",
    "hierarchyid",
    "geometry",
    "geography",
}  # nor any (max): ALTER TABLE, "Remarks"


def keeps_default_apart(file: File, column: Column) -> bool:
    """Whether the server stores a default for existing rows as metadata: Enterprise and Azure from 2012, for what is one value for all rows."""
    edition = (file.server_edition or "").lower()
    if not edition.startswith(_METADATA_EDITIONS) or not file.at_least(11) or _PER_ROW.search(column.default or ""):
        return False
    type_ = column.type
    return type_ is None or not (type_.base.lower() in _NEVER_APART or _arguments(type_) == ("max",))


@rewrite
def online(context: Context, op: Operation) -> Fix | None:
    """The statement with ONLINE = ON among its options; None where the edition cannot, and for options outside of parentheses."""
    if (context.file.server_edition or "").lower().startswith(_OFFLINE_EDITIONS):
        return None
    text = context.file.text[op.start : op.end]
    pieces = [piece for piece in words(text) if piece[0] != ";"]
    upper = [piece.upper() for piece, _, _ in pieces]
    if "WITH" in upper:
        options = clause(text, "WITH", "()")
        if not options:
            return None
        at = op.start + text.index("(", options[0]) + 1
        off = clause(text[at - op.start : options[1] - 1], "ONLINE", "=", "OFF")
        edit = Edit(at + off[0], at + off[1], "ONLINE = ON") if off else Edit(at, at, "ONLINE = ON, ")
        return Fix((edit,), "build it online")
    first = upper.index("ON") + 1 if isinstance(op, CreateIndex) else 0  # behind it the table
    stored = (number for number, word in enumerate(upper) if number > first and word in ("ON", "FILESTREAM_ON"))
    last = next(stored, len(pieces)) if isinstance(op, CreateIndex | AddConstraint) else len(pieces)
    at = op.start + pieces[last - 1][2]
    return Fix((Edit(at, at, " WITH (ONLINE = ON)"),), "build it online")


@rewrite
def trusted(context: Context, table: Name, name: str) -> Fix | None:
    """The statement with another behind it that checks the rows which are there."""
    statement = context.statement
    if not name or context.step.operation.conditional:
        return None
    at = statement.end
    closed = "" if context.file.text[at - 1 : at] == ";" else ";"
    named = target(context) or ".".join(f"[{part}]" for part in (table.schema, table.name) if part)
    meant = "ALL" if name.lower() == "all" else f"[{name}]"
    check = f"{closed}\nALTER TABLE {named} WITH CHECK CHECK CONSTRAINT {meant};"
    return Fix((Edit(at, at, check),), "check the rows that are there afterwards", safe=False)
