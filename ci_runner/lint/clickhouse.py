"""What ClickHouse stores and keys by: which type changes rewrite, and which columns a table is sorted and partitioned by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_runner.lint.facts import mentions
from ci_runner.model.operations import Dml, Name, RenameTable, Type
from ci_runner.model.schema import Table
from ci_runner.sql.catalog_names import INNER, locate
from ci_runner.text.pattern import later

if TYPE_CHECKING:
    from ci_runner.lint.context import Context


def key_use(table: Table | None, column: str) -> str | None:
    """Which key of the table the column is part of (``ORDER BY``, ``PARTITION BY``, …); None when of none."""
    if table is None:
        return None
    if any(mentions(part, column) for part in table.order_by):
        return "ORDER BY"
    if table.partition_by and mentions(table.partition_by, column):
        return "PARTITION BY"
    if any(c.kind == "primary-key" and any(mentions(part, column) for part in c.columns) for c in table.constraints):
        return "PRIMARY KEY"
    sampling = next((o.removeprefix("sample by ") for o in table.options if o.startswith("sample by ")), "")
    return "SAMPLE BY" if sampling and mentions(sampling, column) else None


# Engines that keep no rows of their own: they lie in other tables, in other servers, or nowhere
_ROWLESS = frozenset(
    {
        "azurequeue", "buffer", "dictionary", "distributed", "executable", "filelog", "generaterandom", "hdfs", "hive", "iceberg", "jdbc",
        "kafka", "merge", "mongodb", "mysql", "nats", "null", "odbc", "postgresql", "rabbitmq", "s3", "s3queue", "sqlite", "url",
    }
)  # fmt: skip


def holds_no_rows(table: Table | None, dialect: str) -> bool:
    """Whether a table of ClickHouse only leads to rows that are elsewhere."""
    return dialect == "clickhouse" and table is not None and table.engine.lower() in _ROWLESS


def loses_rows_of_view(context: Context, view: Name) -> bool:
    """Whether dropping that materialized view deletes rows: those of a view without TO, unless the file reads or moves them away first."""
    key = locate(context.catalog, view, context.dialect, context.catalog.views)
    inner = any(name.name.startswith(INNER) for name in context.catalog.views.get(key, ()))
    if not inner or ("view", key) in context.catalog.born:
        return False
    if any(op.table.name.startswith(".inner") for _, op in context.earlier(RenameTable)):
        return False
    return not any(key in map(context.key, op.reads) for _, op in context.earlier(Dml) if op.kind == "insert")


def engine_use(table: Table | None, column: str) -> str | None:
    """The engine that has the column among its parameters (a version, a sign, what is summed): it can be neither dropped nor renamed."""
    given = (
        next((o.removeprefix("engine of ") for o in table.options if o.startswith("engine of ")), "") if table else ""
    )
    return table.engine if table and given and mentions(given, column) else None


_TOKEN = later(r"[\w$]+|\S")
_ENUM = later(r"enum(8|16)?\((.*)\)$", re.DOTALL | re.IGNORECASE)
_MEMBER = later(r"'((?:[^'\\]|''|\\.)*)'(?:\s*=\s*(-?\d+))?")


_DECIMAL = later(r"decimal\((\d{1,3}),(\d{1,3})\)")
_SIZED = later(r"\bdecimal(32|64|128|256)\((\d{1,3})\)")  # Decimal64(2): as many digits as fit into that many bits
_DIGITS = {"32": 9, "64": 18, "128": 38, "256": 76}
_ALIKE = {frozenset({"uint8", "bool"}), frozenset({"uint16", "date"}), frozenset({"uint32", "datetime"})}


def same_representation(old: Type, new: Type) -> bool:
    """Whether a MODIFY COLUMN from ``old`` to ``new`` leaves the stored parts as they are (measured on ClickHouse 26.9)."""
    one, two = (_zoneless(_aggregated(_plain(type_))) for type_ in (old, new))
    if one == two:
        return True
    if _nullable(one) != _nullable(two):
        return False
    one, two = _bare(one), _bare(two)
    first, second = _ENUM.search(old.text or old.base), _ENUM.search(new.text or new.base)
    if first:
        size = first[1] or "8"
        return two == f"int{size}" or (second is not None and size == (second[1] or "8") and _kept(first[2], second[2]))
    return frozenset({one, two}) in _ALIKE or _same_decimal(one, two)


def cast_in_key(old: Type, new: Type, table: Table | None, column: str) -> bool:
    """Whether a key column may change so: a String in and out of LowCardinality compares as before, though its parts are written anew.

    Not where a key has the column inside an expression: there ClickHouse refuses it (measured on 26.9).
    """
    one, two = (re.sub(r"^lowcardinality\((.*)\)$", r"\1", _plain(type_)) for type_ in (old, new))
    return one == two and table is not None and not any(_inside(key, column) for key in _keys(table))


def _keys(table: Table) -> list[str]:
    primary = (part for c in table.constraints if c.kind == "primary-key" for part in c.columns)
    sampling = (option.removeprefix("sample by ") for option in table.options if option.startswith("sample by "))
    return [*table.order_by, table.partition_by, *primary, *sampling]


def _inside(key: str, column: str) -> bool:
    """Whether the key calls a function on the column, or reckons with it."""
    tokens = ["", *_TOKEN.findall(key.replace("`", "").replace('"', "").lower()), ""]
    if tokens[1] == "(" and tokens[-2] == ")":
        tokens = ["", *tokens[2:-2], ""]
    depth = 0
    for before, word, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        depth += (word == "(") - (word == ")")
        if word == column.lower() and (depth or {before, after} - {"", ","}):
            return True
    return False


def _nullable(text: str) -> bool:
    return text.startswith("nullable(")


def _bare(text: str) -> str:
    return text[len("nullable(") : -1] if _nullable(text) else text


def _same_decimal(one: str, two: str) -> bool:
    """Decimals of one scale and one width: up to 9, 18, 38 and 76 digits."""
    first, second = _DECIMAL.fullmatch(one), _DECIMAL.fullmatch(two)
    if not first or not second or first[2] != second[2]:
        return False
    widths = [next((most for most in (9, 18, 38) if int(digits) <= most), 76) for digits in (first[1], second[1])]
    return widths[0] == widths[1]


# Names of other databases that ClickHouse takes for its own types (its page "Data types", and system.data_type_families)
_ALIASES = {
    **dict.fromkeys(("tinyint", "byte", "int1"), "int8"), **dict.fromkeys(("smallint", "int2"), "int16"),
    **dict.fromkeys(("int", "integer", "mediumint", "int4"), "int32"), **dict.fromkeys(("bigint", "signed"), "int64"), "unsigned": "uint64",
    **dict.fromkeys(("float", "real", "single"), "float32"), "double": "float64", "doubleprecision": "float64", "boolean": "bool",
    **dict.fromkeys(("dec", "numeric", "fixed"), "decimal"), "timestamp": "datetime",
    **dict.fromkeys(("intunsigned", "integerunsigned"), "uint32"), "bigintunsigned": "uint64", "smallintunsigned": "uint16",
    "tinyintunsigned": "uint8",
}  # fmt: skip
_TEXTS = later(
    r"\b(?:var)?char2?\(\d+\)|\b(?:var)?char\b|\b(?:tiny|medium|long)?(?:text|blob)\b|\bclob\b|\bn?varchar\b"
)
_WORD = later(r"[a-z_]\w*")


def _plain(type_: Type) -> str:
    text = re.sub(r"\s+", "", type_.text or type_.base)
    if "'" in text:  # names of members, and time zones, are no types
        return text.lower()
    text = _WORD.sub(lambda found: _ALIASES.get(found[0], found[0]), _TEXTS.sub("string", text.lower()))
    return _SIZED.sub(lambda found: f"decimal({_DIGITS[found[1]]},{found[2]})", text)


def _aggregated(text: str) -> str:
    """A SimpleAggregateFunction stores what the type it names does."""
    found = re.fullmatch(r"simpleaggregatefunction\([^,()]*(?:\([^()]*\))?,(.*)\)", text)
    return found[1] if found else text


def _zoneless(text: str) -> str:
    """A DateTime's time zone is only how it is shown."""
    text = re.sub(r"datetime\('[^']*'\)", "datetime", text)
    return re.sub(r"(datetime64\(\d+),'[^']*'\)", r"\1)", text)


def _kept(old: str, new: str) -> bool:
    """Whether every number of an Enum still is a member, and no name has another number: what a number is called is not stored."""
    before, after = _members(old), _members(new)
    return {*before.values()} <= {*after.values()} and all(
        after.get(name, value) == value for name, value in before.items()
    )


def _members(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    value = 0
    for member in _MEMBER.finditer(text):
        value = int(member[2]) if member[2] else value + 1
        found[member[1]] = value
    return found
