"""Live databases: run statements as a migration runner would, and say what the schema is.

``open(url)`` connects; everything else is the :class:`Database` it returns. One implementation per engine, none knows another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from ci_runner.databases.address import IN_USE, Address, Use, parse
from ci_runner.databases.failure import DatabaseFailure, NobodyThere, PasswordRefused
from ci_runner.databases.target import Lock, Target, Words
from ci_runner.databases.watch import Seen, Watched
from ci_runner.errors import ConfigError
from ci_runner.model.inspected import Schema

__all__ = [
    "IN_USE",
    "Address",
    "Database",
    "DatabaseFailure",
    "Lock",
    "NobodyThere",
    "PasswordRefused",
    "Seen",
    "Sql",
    "Target",
    "Use",
    "Watched",
    "Watcher",
    "Words",
    "open_address",
    "open_target",
    "open_url",
    "parse",
    "scheme_of",
]

SCHEMES = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "maria": "mysql",
    "sqlite": "sqlite",
    "clickhouse": "clickhouse",
    "redshift": "redshift",
    "sqlserver": "sqlserver",
    "snowflake": "snowflake",
}
OPTIONS = {
    "postgres": frozenset(
        {"sslmode", "sslrootcert", "sslcert", "sslkey", "search_path", "connect_timeout", "application_name"}
    ),
    "mysql": frozenset({"charset", "connect_timeout", "foreign_key_checks", "ssl-ca", "tls"}),
    "sqlite": frozenset({"mode", "cache", "_fk"}),
    "clickhouse": frozenset({"connect_timeout", "secure", "skip_verify"}),
    "redshift": frozenset({"connect_timeout", "sslmode"}),
    "sqlserver": frozenset({"connect_timeout", "cafile", "validate_host"}),
    "snowflake": frozenset({"connect_timeout", "warehouse", "role", "authenticator", "account", "protocol"}),
}


DEFAULT = Use()


class Sql(NamedTuple):
    """One statement as the server gets it; ``data`` are the lines of inline COPY data that belong to it."""

    text: str
    data: str | None = None


class Watcher(Protocol):
    """Looks on while a session runs statements, on tables that hold rows."""

    def fill(self, script: str) -> tuple[str, ...]:
        """Put a row into every empty table the script concerns; returns the tables for which none could be made."""
        ...

    def watch(self, statements: Sequence[Sql], *, transaction: bool) -> Watched:
        """Run the statements as :meth:`Database.execute` would, and say what was seen at each."""
        ...


class Database(Protocol):
    """A connection that runs raw statements; each engine's is a subclass, for what is the same where an engine says nothing else.

    Statements go to the server unchanged and without parameters. A refusal is a :class:`DatabaseFailure` that names the statement.
    ``engine`` is the product and its version ("PostgreSQL 18.6"), ``name`` the database's own name.
    """

    dialect: str
    engine: str
    version: tuple[int, ...]
    name: str

    def execute(
        self, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
    ) -> tuple[Seen, ...]:
        """Run ``statements`` in order, in one transaction or each by itself; ``after`` is called behind each, before any commit.

        On failure the transaction is rolled back, as far as the engine can. Returned is what a server that only stands in for the real one
        could not be given: kind "left-out" or "not-judged".
        """
        ...

    def several(self, files: Iterable[Sequence[Sql]]) -> int:  # noqa: ARG002 - an engine that runs files faster together has its own
        """Run the first of ``files`` together, each in a transaction of its own; how many are done, and nothing of the others.

        0 where the first is to be run by itself, be it that the engine knows no other way or that it was refused. The session is to be
        reset afterwards. A lost connection is raised, with the number of the file as that of the statement.
        """
        return 0

    def begin(self) -> None:
        """Open a transaction for the statements that follow."""
        ...

    def commit(self) -> None:
        """Commit what is open; nothing happens where nothing is."""
        ...

    def rollback(self) -> None:
        """Undo what is open; nothing happens where nothing is."""
        ...

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query of our own."""
        ...

    def reset(self) -> None:
        """Give the session back its first settings, as a new connection would have them."""
        ...

    def watcher(self) -> Watcher:
        """Somebody who looks on from now."""
        ...

    def inspect(self) -> Schema:
        """The schema as the server's catalogue has it now."""
        ...

    def interrupt(self) -> None:
        """Stop the statement that is running, from another thread."""
        ...

    def close(self) -> None:
        """End the session; never fails."""
        ...


def scheme_of(url: str) -> str:
    """The engine module a URL's scheme stands for; ConfigError names the known schemes."""
    scheme, separator, _ = url.partition("://")
    engine = SCHEMES.get(scheme.lower()) if separator else None
    if engine is None:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        shown = f"{scheme}://" if separator else "a URL without ://"
        raise ConfigError(f"no database is known for {shown}; use one of {known}")
    return engine


def open_url(url: str, use: Use = DEFAULT) -> Database:
    """Connect to ``url``. ConfigError for a URL that cannot be meant, SetupError for a server that cannot be reached."""
    return open_address(parse(url, OPTIONS[scheme_of(url)]), use)


def open_address(address: Address, use: Use = DEFAULT) -> Database:
    """Connect to an address already taken apart."""
    module = import_module(f"ci_runner.databases.{SCHEMES[address.scheme]}")
    database: Database = module.connect(address, use)
    return database


def open_target(url: str, name: str, *, look: bool = False) -> Target:
    """A session to deploy through, which shows itself to others as ``name``; errors as :func:`open_url`.

    Who only wants to ``look`` makes nothing, not even where opening makes the database.
    """
    scheme = scheme_of(url)
    module = import_module(f"ci_runner.databases.{scheme}.target")
    opener = getattr(module, "look_at", module.open_target) if look else module.open_target
    target: Target = opener(parse(url, OPTIONS[scheme]), name)
    return target
