"""The catalog: the schema state that operations add up to, and what a database's own catalogue says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ci_runner.model.operations import Column, Constraint, Index, Name


class Table(NamedTuple):
    """A table as known; ``born`` says it was created by the file under review. ``partial``: only parts of it were ever seen."""

    name: Name
    columns: Mapping[str, Column]
    constraints: tuple[Constraint, ...] = ()
    indexes: Mapping[str, Index] = {}
    partition_by: str = ""
    partition_of: Name | None = None
    temporary: bool = False
    engine: str = ""
    order_by: tuple[str, ...] = ()
    charset: str = ""
    options: tuple[str, ...] = ()
    born: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """The schema at one moment, immutable: a fold step returns a new one that shares what did not change."""

    tables: Mapping[Name, Table] = field(default_factory=dict)
    enums: Mapping[Name, tuple[str, ...]] = field(default_factory=dict)
    functions: Mapping[Name, str] = field(default_factory=dict)  # → volatility
    views: Mapping[Name, tuple[Name, ...]] = field(default_factory=dict)  # → what it reads
    schemas: frozenset[str] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    born: frozenset[tuple[str, Name]] = frozenset()  # (kind, name) of non-tables created by the file under review
