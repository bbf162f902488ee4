"""The catalog: the schema state that operations add up to, and what a database's own catalogue says."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ci_runner.model.operations import Column, Constraint, Index, Name


class Table(Struct, frozen=True, omit_defaults=True):
    """A table as known; ``name`` is as written where it was made.

    ``born`` says it was created by the file under review. ``partial``: only parts of it were ever seen (altered before any
    CREATE, or made AS SELECT), so that a missing column or index says nothing. Keys of ``columns`` and ``indexes`` are folded
    for comparison; the references of ``constraints`` are resolved.
    """

    name: Name
    columns: Mapping[str, Column]
    constraints: tuple[Constraint, ...] = ()
    indexes: Mapping[str, Index] = {}
    partition_by: str = ""
    partition_of: Name | None = None
    children: tuple[Name, ...] = ()  # partitions, and tables that INHERIT this one
    temporary: bool = False
    engine: str = ""
    order_by: tuple[str, ...] = ()
    charset: str = ""
    options: tuple[str, ...] = ()
    born: bool = False
    partial: bool = False
    copies: tuple[Name, ...] = ()  # the tables whose rows the change has copied into this one since it made it


class Program(Struct, frozen=True, omit_defaults=True):
    """What SQLite reads again at an ALTER TABLE: a view, or a trigger (``on`` a table); ``names`` are ``table.column``."""

    reads: tuple[Name, ...] = ()
    names: tuple[str, ...] = ()
    on: Name | None = None


class Catalog(Struct, frozen=True, omit_defaults=True):
    """The schema at one moment, immutable: a fold step returns a new one that shares what did not change.

    Keys are resolved and folded names. ``settings`` keeps three tiers apart by its keys: ``"local x"`` (until the transaction
    ends), ``"x"`` (the session), ``"global x"`` (the database).
    """

    tables: Mapping[Name, Table] = {}
    index_tables: Mapping[Name, Name] = {}  # index → its table, where indexes live in a schema
    referrers: Mapping[Name, tuple[Name, ...]] = {}  # table → tables that ever had a foreign key to it
    enums: Mapping[Name, tuple[str, ...]] = {}
    domains: Mapping[Name, Column] = {}  # → what a column of it is; ``options`` are the names of its constraints
    functions: Mapping[Name, str] = {}  # → volatility
    views: Mapping[Name, tuple[Name, ...]] = {}  # → what it reads
    programs: Mapping[tuple[str, Name], Program] = {}  # SQLite: ("view" or "trigger", name) → what it speaks of
    schemas: frozenset[str] = frozenset()
    settings: Mapping[str, str] = {}
    search_path: tuple[str, ...] = ()
    born: Mapping[tuple[str, Name], bool] = {}  # (kind, name) of what the file under review created
    creates: tuple[int, int] = (0, 0)  # CREATEs with and without ON CLUSTER
    clustered: Mapping[Name, bool] = {}  # objects other than tables made ON CLUSTER (ClickHouse)
    replicated: frozenset[str] = frozenset()  # databases that spread DDL themselves (ClickHouse)
    dropped: Mapping[Name, Table] = {}  # tables the change dropped that UNDROP brings back (ClickHouse, Snowflake)
    databases: frozenset[str] = frozenset()  # those that names were given with (Snowflake)
