"""What ClickHouse stores and keys by: which type changes rewrite, and which columns a table is sorted and partitioned by."""

from __future__ import annotations

import re

from ci_runner.lint.facts import mentions
from ci_runner.model.operations import Type
from ci_runner.model.schema import Table
from ci_runner.text.pattern import later


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


_ENUM = later(r"enum(8|16)?\((.*)\)$", re.DOTALL | re.IGNORECASE)
_MEMBER = later(r"'((?:[^'\\]|''|\\.)*)'(?:\s*=\s*(-?\d+))?")


def same_representation(old: Type, new: Type) -> bool:
    """Whether a MODIFY COLUMN from ``old`` to ``new`` leaves the stored parts as they are."""
    one, two = _plain(old), _plain(new)
    if one == two:
        return True
    first, second = _ENUM.search(old.text or old.base), _ENUM.search(new.text or new.base)
    if first and second:
        before, after = _members(first[2]), _members(second[2])
        return (first[1] or "8") == (second[1] or "8") and all(
            after.get(name) == value for name, value in before.items()
        )
    return _zoneless(one) == _zoneless(two)


def _plain(type_: Type) -> str:
    return re.sub(r"\s+", "", type_.text or type_.base).lower()


def _zoneless(text: str) -> str:
    """A DateTime's time zone is only how it is shown."""
    text = re.sub(r"datetime\('[^']*'\)", "datetime", text)
    return re.sub(r"(datetime64\(\d+),'[^']*'\)", r"\1)", text)


def _members(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    value = 0
    for member in _MEMBER.finditer(text):
        value = int(member[2]) if member[2] else value + 1
        found[member[1]] = value
    return found
