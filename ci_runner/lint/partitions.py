"""Whether PostgreSQL has to read a table to believe that it fits into the partition it is to be."""

from __future__ import annotations

import re

from ci_runner.lint.facts import mentions
from ci_runner.model.schema import Table


def covered(child: Table, parent: Table | None, bounds: str) -> bool:
    """Whether its validated CHECKs speak of the key and of every bound."""
    literals = re.findall(r"'(?:[^']|'')*'|(?<![\w.])-?\d+(?:\.\d+)?", bounds)
    checks = checked(child)
    if not checks:
        return False
    needed = all(
        mentions(checks, key) and (_required(child, key) or re.search(rf"{key}\W+is not null", checks, re.IGNORECASE))
        for key in keys(child, parent)
    )
    return needed and all(literal in checks for literal in literals)


def ruled_out(default: Table, parent: Table) -> bool:
    """Whether a validated CHECK of the DEFAULT partition speaks of the key, so that it need not be read for a new partition."""
    checks = checked(default)
    return any(mentions(checks, key) for key in keys(default, parent))


def checked(table: Table) -> str:
    """What its validated CHECKs say."""
    return " AND ".join(c.expression for c in table.constraints if c.kind == "check" and not c.not_valid)


def keys(child: Table, parent: Table | None) -> list[str]:
    """The child's columns that its parent is partitioned by."""
    inner = (parent.partition_by if parent else "").partition("(")[2]
    return [name for name in re.findall(r"\w+", inner) if name in child.columns]


def _required(child: Table, key: str) -> bool:
    return child.columns[key].nullable is False
