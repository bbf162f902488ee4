"""The one form of a column type that MySQL and MariaDB have many words for: REAL is DOUBLE, DATETIME is DATETIME(0) (both measured)."""

from __future__ import annotations

from msgspec import Struct

from ci_runner.lint.types import arguments, base
from ci_runner.model.operations import Type

INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_WORDS = {
    "boolean": "tinyint", "int1": "tinyint", "int3": "mediumint", "real": "double precision", "long": "mediumtext", "long varchar": "mediumtext",
    "long char varying": "mediumtext", "long varbinary": "mediumblob", "varcharacter": "varchar", "nvarchar": "varchar", "nchar": "char",
    "nchar varchar": "varchar", "national varchar": "varchar", "national varcharacter": "varchar", "national char varying": "varchar",
    "national char": "char", "national character": "char", "char byte": "binary", "geomcollection": "geometrycollection",
}  # fmt: skip
_BYTES = {"char": "binary", "varchar": "varbinary", "text": "blob"}
_FLOATS = frozenset({"float", "double precision"})
_USUAL = {
    "numeric": (10, 0), "datetime": (0,), "timestamp": (0,), "time": (0,), "bit": (1,), "char": (1,), "binary": (1,),
}  # fmt: skip
_SIZED = {
    "text": (("tinytext", 255), ("text", 65_535), ("mediumtext", 16_777_215), ("longtext", 2**32)),
    "blob": (("tinyblob", 255), ("blob", 65_535), ("mediumblob", 16_777_215), ("longblob", 2**32)),
}
_SINGLE = 24  # most bits of FLOAT(p) that are kept in four bytes


class Kind(Struct, frozen=True):
    """A type by its plain name, its numbers where they say how a value is stored, and whether it has a sign."""

    name: str
    numbers: tuple[int, ...]
    unsigned: bool


def kind(type_: Type, width: int) -> Kind:
    """What the servers take the type for, whose characters have at most ``width`` bytes."""
    name, given = base(type_), arguments(type_)
    name = "float" if type_.base.lower() == "float4" else _WORDS.get(name, name)
    if "byte" in type_.suffix:
        name = _BYTES.get(name, name)
    unsigned = "unsigned" in type_.suffix or "zerofill" in type_.suffix
    if name in INTEGERS or name == "year":  # a number behind them is how wide they are shown
        return Kind(name, (), unsigned)
    if name in _FLOATS:
        double = name != "float" or (len(given) == 1 and given[0] > _SINGLE)
        return Kind("double precision" if double else "float", (), unsigned)
    if name in _SIZED and given:
        most = given[0] * (width if name == "text" else 1)
        return Kind(next(sized for sized, room in _SIZED[name] if most <= room or room == 2**32), (), unsigned)
    usual = _USUAL.get(name, ())
    return Kind(name, given + usual[len(given) :], unsigned)


def national(type_: Type) -> bool:
    """Whether the type's word chooses the character set utf8mb3."""
    return base(type_).startswith(("nchar", "nvarchar", "national"))
