"""When MySQL and MariaDB must copy a table because the text of a column is encoded, sorted or measured another way (both measured)."""

from __future__ import annotations

from msgspec import Struct

from ci_runner.lint.facts import index_on
from ci_runner.lint.mysql_types import national
from ci_runner.lint.types import base
from ci_runner.model.operations import Column
from ci_runner.model.schema import Table

CHARACTERS = frozenset({"varchar", "char", "text", "tinytext", "mediumtext", "longtext", "enum", "set"})
_WIDTHS = {"utf8mb4": 4, "utf16": 4, "utf32": 4, "utf8": 3, "utf8mb3": 3, "ucs2": 2, "gbk": 2, "big5": 2, "sjis": 2}
_GROWING = frozenset(
    {"tinytext", "text", "mediumtext"}
)  # CONVERT TO a wider character set makes the next larger type of them
_MEMBERS = frozenset({"enum", "set"})
_TEXTS = frozenset({"tinytext", "text", "mediumtext", "longtext"})
_ONE_BYTE = 255  # most bytes a VARCHAR may have while its length is kept in one byte
_ALWAYS_ONE = 127  # up to here InnoDB needs one byte whatever the column may grow to (MariaDB makes use of it)
_USUAL = frozenset(
    {"utf8mb4_0900_ai_ci", "utf8mb4_general_ci", "utf8mb3_general_ci", "latin1_swedish_ci", "ascii_general_ci"}
)


_ATTRIBUTES = {"ascii": "latin1", "unicode": "ucs2"}
_SINCE_8 = {
    "utf8mb4": "utf8mb4_0900_ai_ci",
    "utf8mb3": "utf8mb3_general_ci",
    "latin1": "latin1_swedish_ci",
    "ascii": "ascii_general_ci",
}


class Encoding(Struct, frozen=True):
    """A character set and a collation in lower case, "" where they are not known."""

    charset: str = ""
    collation: str = ""

    @property
    def width(self) -> int:
        """The most bytes a character takes; utf8mb4, the default of both servers today, where nothing is said."""
        return _WIDTHS.get(self.charset, 1) if self.charset else 4


_JSON = Encoding("utf8mb4", "utf8mb4_bin")  # what MariaDB keeps JSON in: it is a LONGTEXT there


def charset(name: str) -> str:
    """The one name of a character set that has two."""
    return {"utf8": "utf8mb3"}.get(name.lower(), name.lower())


def encoding(column: Column, table: Table | None, dialect: str = "") -> Encoding:
    """How the text of a column is encoded, by its own words or its table's; MySQL's default collations are those since 8.0."""
    found = _written(column, table)
    if "binary" in column.options and found.charset:  # an attribute of its own, as ASCII and UNICODE are
        return Encoding(found.charset, f"{found.charset}_bin")
    return found if found.collation or dialect != "mysql" else Encoding(found.charset, _SINCE_8.get(found.charset, ""))


def _written(column: Column, table: Table | None) -> Encoding:
    collation = column.collation.strip("`'\"").lower()
    own = column.charset or collation.partition("_")[0]
    own = own or next((charset for word, charset in _ATTRIBUTES.items() if word in column.options), "")
    given = next((o.partition("=")[2] for o in table.options if o.startswith("collate=")), "") if table else ""
    if not own and column.type is not None and national(column.type):
        return Encoding("utf8mb3", "")
    if own:
        return Encoding(charset(own), collation)
    inherited = charset(table.charset if table else "") or charset(given.partition("_")[0])
    return Encoding(inherited, given)


def recodes(old: Encoding, new: Encoding, column: Column, table: Table | None, dialect: str) -> bool:
    """Whether the same text in that encoding, as a column of the same length, asks for a copy of the table."""
    plain = base(column.type) if column.type is not None else ""
    if dialect == "mysql" and plain in _MEMBERS:
        return False  # a value is the number of a member
    if not old.charset or not new.charset:
        usual = dialect == "mysql" and "utf8mb4" in (old.charset, new.charset)  # the server's default since 8.0
        if not usual:
            return old.charset != new.charset
        old, new = Encoding("utf8mb4", old.collation), Encoding("utf8mb4", new.collation)
    # MariaDB builds the index alone, but for the prefix of a text, and keeps members by their collation
    sorted_ = (dialect == "mysql" or plain in _TEXTS) and keyed(table, column.name)
    members = plain in _MEMBERS
    if old.charset == new.charset:
        return (sorted_ or members) and _sorts_anew(old.collation, new.collation)
    return (old.charset, new.charset) != ("utf8mb3", "utf8mb4") or members or (dialect == "mysql" and sorted_)


def _sorts_anew(old: str, new: str) -> bool:
    if old and new:
        return old != new
    return bool(new or old) and (new or old) not in _USUAL


def keyed(table: Table | None, column: str) -> bool:
    """Whether the column is part of an index or of the primary key."""
    if table is None:
        return False
    known = table.columns.get(column)
    if index_on(table, column, "mysql") or (known is not None and (known.primary_key or known.unique)):
        return True
    return any(c.kind in ("primary-key", "unique", "foreign-key") and column in c.columns for c in table.constraints)


def converts(table: Table, target: Encoding, dialect: str) -> bool:
    """Whether CONVERT TO copies the table: for one column whose text, or room for it, changes."""
    for column in table.columns.values():
        json = dialect == "mariadb" and column.type is not None and base(column.type) == "json"
        if column.type is None or (base(column.type) not in CHARACTERS and not json):
            continue
        old = _JSON if json else encoding(column, table, dialect)
        if (
            not old.charset
            or recodes(old, target, column, table, dialect)
            or (old.width != target.width and _outgrows(column, old, target, dialect))
        ):
            return True
    return False


def _outgrows(column: Column, old: Encoding, new: Encoding, dialect: str) -> bool:
    if column.type is None or base(column.type) in _GROWING:
        return True
    length = next((int(arg) for arg in column.type.args if arg.strip().isdigit()), 1)
    return base(column.type) not in _MEMBERS and not lengthened(length * old.width, length * new.width, dialect)


def lengthened(short: int, long: int, dialect: str) -> bool:
    """Whether a variable length of at most ``short`` bytes may become one of ``long`` in place."""
    if long < short:
        return False
    if dialect == "mariadb" and short <= _ALWAYS_ONE:
        return True
    return (short <= _ONE_BYTE) == (long <= _ONE_BYTE)


def bytes_of(kind: str, members: int) -> int:
    """How many bytes an ENUM or SET of that many members takes."""
    if kind == "enum":
        return 1 if members <= 255 else 2
    needed = (members + 7) // 8
    return needed if needed <= 4 else 8
