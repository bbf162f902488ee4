"""What a live database says its schema is, as plain values.

Names are as the database shows them; objects outside the database's default schema carry theirs ("audit.users"). Definitions are
the database's own rendering, so two values differ exactly when the database shows a difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct, field


class Column(NamedTuple):
    """A column: ``type`` in the database's words, ``default`` and ``generated`` are expressions, "" when there is none."""

    type: str
    nullable: bool = True
    default: str = ""
    generated: str = ""


class Table(Struct, frozen=True):
    """A table: columns in order, and the definitions of indexes, constraints and triggers by name.

    ``options`` is what else holds for the whole table (storage engine and collation, unlogged, partition key, strict …).
    """

    columns: Mapping[str, Column] = field(default_factory=dict)
    indexes: Mapping[str, str] = field(default_factory=dict)
    constraints: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, str] = field(default_factory=dict)
    options: str = ""


class Schema(Struct, frozen=True):
    """One moment of a database: every user object by name; ``functions`` are keyed with their argument types."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    sequences: Mapping[str, str] = field(default_factory=dict)
