"""What a column type can hold, so that one can say whether another holds less."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from ci_runner.model.operations import Type
from ci_runner.text.pattern import later

_ALIASES = {
    "integer": "int", "int4": "int", "int8": "bigint", "int2": "smallint", "character varying": "varchar", "char varying": "varchar",
    "national character varying": "nvarchar", "character": "char", "bpchar": "char", "nchar varying": "nvarchar", "decimal": "numeric",
    "dec": "numeric", "fixed": "numeric", "number": "numeric", "bool": "boolean", "float8": "double precision", "double": "double precision",
    "float4": "real", "bit varying": "varbit", "serial": "int", "serial4": "int", "bigserial": "bigint", "serial8": "bigint",
    "smallserial": "smallint", "serial2": "smallint", "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time with time zone": "timetz", "time without time zone": "time", "string": "text", "ntext": "text", "byteint": "tinyint",
    "middleint": "mediumint", "character large object": "text", "binary varying": "varbinary",
}  # fmt: skip

_TYPE = later(r'([\w\s".]+?)\s*(?:\(([^()]*)\))?\s*((?:with(?:out)?\s+time\s+zone)?\s*(?:\[\d*\]){0,6})', re.IGNORECASE)
_CAST = later(r"cast\s*\((.+)\s+as\s+(.+)\)", re.IGNORECASE | re.DOTALL)
_MOST_CASTS = 8
_LONGEST = 400  # characters of an expression that is looked into
_MYSQL_TEXT = {"tinytext": 255, "text": 65_535, "mediumtext": 16_777_215, "longtext": 4_294_967_295}
_MYSQL_BLOB = {"tinyblob": 255, "blob": 65_535, "mediumblob": 16_777_215, "longblob": 4_294_967_295}
_BYTES = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
_FRACTION = {
    "timestamp",
    "timestamptz",
    "time",
    "timetz",
    "interval",
    "datetime",
    "datetime2",
    "datetimeoffset",
    "datetime64",
}


class Shape(Struct, frozen=True):
    """What values fit. ``family``: int, decimal, float, text, binary, moment, date, enum, other.

    int: ``low`` … ``high``. decimal: ``low`` digits before and ``high`` digits behind the point. text, binary: at most ``high``
    characters or bytes (None: no limit); ``wide`` says that every character fits. moment: ``high`` digits of the second. enum: ``members``.
    """

    family: str
    low: int | None = None
    high: int | None = None
    wide: bool = True
    members: tuple[str, ...] = ()


def casts_of(expression: str, column: str) -> tuple[Type, ...] | None:
    """The types an expression casts a column to, one after the other, when it does nothing else; None when it does (PostgreSQL)."""
    found: list[Type] = []
    text = expression.strip()
    while len(found) <= _MOST_CASTS and len(text) <= _LONGEST:
        if text.startswith("(") and _closes_last(text):
            text = text[1:-1].strip()
            continue
        if text.strip('"').lower() == column.lower():
            return tuple(reversed(found))
        cast = _CAST.fullmatch(text)
        inner, colons, target = cast.expand(r"\1::\2").rpartition("::") if cast else text.rpartition("::")
        type_ = _TYPE.fullmatch(target.strip())
        if not colons or type_ is None:
            return None
        arguments_ = tuple(part.strip() for part in (type_[2] or "").split(",") if part.strip())
        found.append(Type(type_[1].strip('"').lower(), arguments_, type_[3].lower(), target.strip()))
        text = inner.strip()
    return None


def _closes_last(text: str) -> bool:
    """Whether the parenthesis that opens the text is closed by its last character."""
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return at == len(text) - 1
    return False


def base(type_: Type) -> str:
    """The type's plain name, aliases resolved: ``character varying`` → ``varchar``."""
    name = " ".join(type_.base.lower().split())
    if name in ("timestamp", "time") and "with time zone" in type_.suffix and "without" not in type_.suffix:
        name += "tz"
    return _ALIASES.get(name, name)


def arguments(type_: Type) -> tuple[int, ...]:
    """The numeric arguments of a type."""
    return tuple(int(arg) for arg in type_.args if arg.strip().isdigit() and len(arg) < 12)


def shape(type_: Type, dialect: str) -> Shape:
    """What a column of that type can hold."""
    name, args = base(type_), arguments(type_)
    if type_.suffix.endswith("]"):
        return Shape("other")
    if dialect == "clickhouse":
        return _clickhouse(type_)
    for reader in (_integer, _decimal, _text, _other):
        found = reader(name, args, type_, dialect)
        if found:
            return found
    return Shape("other")


def _integer(name: str, _args: tuple[int, ...], type_: Type, dialect: str) -> Shape | None:
    size = _BYTES.get(name)
    if size is None or dialect == "snowflake":  # Snowflake's integers are all NUMBER(38, 0)
        return Shape("decimal", 38, 0) if size is not None else None
    bits = 8 * size
    if "unsigned" in type_.suffix or (dialect == "sqlserver" and name == "tinyint"):
        return Shape("int", 0, 2**bits - 1)
    return Shape("int", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


_DECIMALS = {"mysql": (10, 0), "mariadb": (10, 0), "sqlserver": (18, 0), "snowflake": (38, 0), "redshift": (18, 0)}


def _decimal(name: str, args: tuple[int, ...], type_: Type, dialect: str) -> Shape | None:
    if name in ("real", "double precision", "float"):
        mysql = dialect in ("mysql", "mariadb")  # whose REAL is DOUBLE
        single = (name == "real" and (not mysql or type_.base.lower() == "float4")) or (
            name == "float" and ((args and args[0] <= 24) or (not args and mysql))
        )
        return Shape("float", high=4 if single else 8)
    if name in ("money", "smallmoney"):
        return Shape("decimal", 6 if name == "smallmoney" else 15, 4)
    if name != "numeric":
        return None
    if not args:
        default = _DECIMALS.get(dialect)
        return Shape("decimal", default[0] - default[1], default[1]) if default else Shape("decimal")
    scale = args[1] if len(args) > 1 else 0
    return Shape("decimal", args[0] - scale, scale)


_BARE_TEXT = {"redshift": 256, "snowflake": 16_777_216}  # characters of a text column declared without a length


def _text(name: str, args: tuple[int, ...], type_: Type, dialect: str) -> Shape | None:
    mysql = dialect in ("mysql", "mariadb")
    if mysql and name in _MYSQL_TEXT:
        return Shape("text", high=_MYSQL_TEXT[name])
    if mysql and name in _MYSQL_BLOB:
        return Shape("binary", high=_MYSQL_BLOB[name])
    if name in ("text", "citext", "clob"):
        wide = dialect != "sqlserver" or type_.base.lower() == "ntext"
        limited = args and dialect == "snowflake"  # where STRING(20) is VARCHAR(20)
        return Shape("text", high=args[0] if limited else _BARE_TEXT.get(dialect), wide=wide)
    if name == "sysname":  # SQL Server's nvarchar(128)
        return Shape("text", high=128)
    if name in ("varchar", "char", "nvarchar", "nchar", "varchar2", "nvarchar2"):
        wide = dialect != "sqlserver" or name.startswith("n")
        if "max" in {arg.lower() for arg in type_.args}:
            return Shape("text", high=65_535 if dialect == "redshift" else None, wide=wide)
        if type_.base.lower() == "bpchar" and not args:  # PostgreSQL's without a limit, which a bare char is not
            return Shape("text")
        bare = _BARE_TEXT.get(dialect) if "varchar" in name and dialect != "sqlserver" else 1
        return Shape("text", high=args[0] if args else bare, wide=wide)
    if name in ("varbinary", "binary", "bytea"):
        return Shape("binary", high=args[0] if args else None)
    return None


def _other(name: str, args: tuple[int, ...], type_: Type, dialect: str) -> Shape | None:
    if name == "date":
        return Shape("date")
    if name in _FRACTION or name == "smalldatetime":
        plain = {"mysql": 0, "mariadb": 0, "sqlserver": 7, "snowflake": 9}.get(dialect, 6)
        return Shape(
            "moment",
            high=args[0]
            if args
            else 3
            if (dialect, name) == ("sqlserver", "datetime")
            else 0
            if name[0] == "s"
            else plain,
        )
    if name in ("enum", "set"):
        return Shape("enum", members=type_.args)
    if name in ("bit", "varbit"):
        return Shape("binary", high=args[0] if args else (1 if name == "bit" else None))
    return None


_CH_INT = later(r"(u?)int(\d+)$")


def unwrapped(type_: Type) -> str:
    """A ClickHouse type in lower case without Nullable and LowCardinality, and without blanks."""
    text = re.sub(r"\s+", "", type_.text or type_.base).lower()
    while (found := re.fullmatch(r"(?:nullable|lowcardinality)\((.*)\)", text)) is not None:
        text = found[1]
    return text


def _clickhouse(type_: Type) -> Shape:
    text = unwrapped(type_)
    integer = _CH_INT.match(text)
    if integer:
        bits = min(int(integer[2]), 256)
        return Shape("int", 0, 2**bits - 1) if integer[1] else Shape("int", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if text.startswith("float"):
        return Shape("float", high=4 if text == "float32" else 8)
    found = re.match(r"decimal\((\d{1,3}),(\d{1,3})\)$", text)
    if found:
        return Shape("decimal", int(found[1]) - int(found[2]), int(found[2]))
    if text == "string":
        return Shape("text")
    found = re.match(r"fixedstring\((\d{1,9})\)$", text)
    if found:
        return Shape("text", high=int(found[1]))
    if text.startswith("enum"):  # what is stored are the numbers
        return Shape("enum", members=_enumerated(type_.args))
    found = re.match(r"datetime64\((\d)", text)
    if found or text.startswith("datetime"):
        return Shape("moment", high=int(found[1]) if found else 0)
    return Shape("date") if text in ("date", "date32") else Shape("other")


def _enumerated(members: tuple[str, ...]) -> tuple[str, ...]:
    """The numbers of ``'a' = 1``, ``'b'``; a member without one has the next."""
    numbers: list[str] = []
    for member in members:
        _, _, said = member.rpartition("'")[2].partition("=")
        before = int(numbers[-1]) if numbers else 0
        numbers.append(said.strip() if re.fullmatch(r"\s*-?\d{1,5}\s*", said) else str(before + 1))
    return tuple(numbers)


def narrows(old: Type, new: Type, dialect: str) -> bool:
    """Whether some value of the old type does not fit, or is cut or rounded, in the new one. Kinds that have no order do not narrow."""
    one, two = shape(old, dialect), shape(new, dialect)
    judge = _ORDER.get((one.family, two.family))
    return judge(one, two) if judge else False


def _less(new: int | None, old: int | None) -> bool:
    return new is not None and (old is None or new < old)


def _text_less(old: Shape, new: Shape) -> bool:
    return _less(new.high, old.high) or (old.wide and not new.wide)


def _integers_less(old: Shape, new: Shape) -> bool:
    return (new.low or 0) > (old.low or 0) or (new.high or 0) < (old.high or 0)


_ORDER: dict[tuple[str, str], Callable[[Shape, Shape], bool]] = {
    ("int", "int"): _integers_less,
    ("int", "decimal"): lambda old, new: new.low is not None and len(str(old.high)) > new.low,
    ("decimal", "int"): lambda old, new: old.low is None or bool(old.high) or 10**old.low - 1 > (new.high or 0),
    ("decimal", "decimal"): lambda old, new: _less(new.low, old.low) or _less(new.high, old.high),
    ("float", "int"): lambda _old, _new: True,
    ("float", "decimal"): lambda _old, new: new.low is not None,
    ("float", "float"): lambda old, new: _less(new.high, old.high),
    ("text", "text"): _text_less,
    ("binary", "binary"): lambda old, new: _less(new.high, old.high),
    ("moment", "moment"): lambda old, new: _less(new.high, old.high),
    ("moment", "date"): lambda _old, _new: True,
    ("enum", "enum"): lambda old, new: bool(set(old.members) - set(new.members)),
}
