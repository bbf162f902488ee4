"""A database URL taken apart, with its password kept out of sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from ci_runner.errors import ConfigError

IN_USE = "pilotage_in_use"  # a table that says a dev database is taken, on servers that lock nothing for clients; no schema shows it


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is and how to get in. ``path`` is the SQLite file, or the folder of an embedded engine.

    ``socket`` is a Unix socket (its directory for PostgreSQL).
    """

    scheme: str
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    path: str = ""
    socket: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.scheme == "sqlite":
            return f"sqlite://{self.path}"
        place = self.socket or (f"[{self.host}]" if ":" in self.host else self.host) + (
            f":{self.port}" if self.port else ""
        )
        return f"{self.scheme}://{self.user + '@' if self.user else ''}{place}/{self.database}"


class Use(NamedTuple):
    """How a session will be used. ``confined``: on a server of our own; SQLite's statements are kept inside their database, ClickHouse's get by
    without a cluster.

    ``ready`` are "extension x" and "schema y" made beforehand: a plain CREATE of one of them is taken as IF NOT EXISTS (PostgreSQL).
    """

    confined: bool = False
    ready: frozenset[str] = frozenset()


def parse(url: str, known_options: frozenset[str] = frozenset()) -> Address:
    """An :class:`Address` from ``scheme://user:password@host:port/database?option=value``; ConfigError when it cannot be meant."""
    if "#" in url:
        scheme = url.partition("://")[0]
        raise ConfigError(f"database URL {scheme}://… has a '#': write it as %23 inside a user name or password")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(
            f"database URL cannot be read: {_reason(error)}; write scheme://user:password@host:port/database"
        ) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - known_options - {"socket", "host"})
    if unknown:
        known = ", ".join(sorted(known_options)) or "none"
        raise ConfigError(f"database URL {parts.scheme}://…: unknown option {unknown[0]!r}; known options: {known}")
    return Address(
        scheme=parts.scheme.lower(),
        host=unquote(parts.hostname or ""),
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")),
        path=unquote(parts.netloc + parts.path) if parts.scheme == "sqlite" else "",
        socket=options.get("socket", "")
        or (options.get("host", "") if options.get("host", "").startswith("/") else ""),
        options={key: value for key, value in options.items() if key not in {"socket", "host"}},
    )


def _reason(error: ValueError) -> str:
    return "the port is not a number from 0 to 65535" if "ort" in str(error) else "it is not a URL"
