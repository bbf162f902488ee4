"""How large production's tables are, and how a sentence says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct, field

_COUNTS = ((1_000_000_000, " bn"), (1_000_000, " M"), (1_000, " k"))
_BYTES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


class Size(NamedTuple):
    """Rows and bytes of a table, None where that is not known."""

    rows: int | None = None
    bytes: int | None = None


class Stats(Struct, frozen=True):
    """Sizes by name of the table ("audit.log" outside of the default schema); ``taken`` is the day, ``engine`` where they come from."""

    tables: Mapping[str, Size] = field(default_factory=dict)
    taken: str = ""
    engine: str = ""


def rows(size: Size) -> str:
    """``~84 M rows``; "" where the number is not known."""
    if size.rows is None:
        return ""
    for unit, sign in _COUNTS:
        if size.rows >= unit * 0.995:
            return f"~{_short(size.rows / unit)}{sign} rows"
    return f"~{size.rows} row{'' if size.rows == 1 else 's'}"


def volume(size: Size) -> str:
    """``12 GB``; "" where it is not known."""
    if size.bytes is None:
        return ""
    for unit, sign in _BYTES:
        if size.bytes >= unit * 0.995:
            return f"{_short(size.bytes / unit)} {sign}"
    return f"{size.bytes} bytes"


def amount(size: Size) -> str:
    """``~84 M rows (12 GB)``, or the one of them that is known."""
    count, much = rows(size), volume(size)
    return f"{count} ({much})" if count and much else count or much


def _short(number: float) -> str:
    """Two digits that count: 1.2, 84, 840."""
    return f"{number:.1f}".removesuffix(".0") if number < 9.95 else f"{number:.0f}"
