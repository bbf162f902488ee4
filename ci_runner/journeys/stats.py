"""Stats: ask a database how large its tables are, once, with the rights to look, and write that down for the linter."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ci_runner import databases
from ci_runner.config.stats import written
from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.databases.sizes import sizes
from ci_runner.errors import ConfigError, PilotageError, SetupError, TemporaryError
from ci_runner.model.stats import Stats

LIMIT = 120.0  # seconds for all of it


class Measured(NamedTuple):
    """The text of stats.yml, and what it was made from; ``unknown`` are tables whose rows the database never counted."""

    text: str
    engine: str
    tables: int
    unknown: tuple[str, ...]


def measure(url: str, today: str) -> Measured:
    """The sizes of every table of the database at ``url``, over one connection. No message names the address, nor any part of it."""
    if "://" not in url:
        raise ConfigError("--url must be scheme://user:password@host:port/database")
    scheme = databases.scheme_of(url)
    address = databases.parse(url, databases.OPTIONS[scheme])
    try:
        found, engine = _measured(address)
    except DatabaseFailure as failure:
        raise SetupError(
            f"the database did not tell the sizes of its tables: {_hidden(failure.message, address)}; the user must be able to read its catalogue"
        ) from None
    except PilotageError as error:
        raise error.__class__(_hidden(str(error), address)) from None
    unknown = tuple(name for name, size in found.tables.items() if size.rows is None)
    return Measured(written(Stats(found.tables, today, engine)), engine, len(found.tables), unknown)


def _measured(address: Address) -> tuple[Stats, str]:
    from ci_runner.replay.clock import Clock

    if address.scheme == "sqlite":
        address = replace(address, options={**address.options, "mode": "ro"})
    database: Database = databases.open_address(address)
    try:
        with Clock(database, LIMIT) as clock:
            try:
                return Stats(sizes(database)), database.engine
            except DatabaseFailure:
                if clock.rang:
                    raise TemporaryError(
                        f"asking for the sizes took longer than {LIMIT:g} s; run it again at a quieter time"
                    ) from None
                raise
    finally:
        database.close()


def _hidden(text: str, address: Address) -> str:
    """The text without the address or any part of it: a log on a public CI must not say where production is."""
    parts = (address.host, address.user, address.password, address.database, address.path, address.socket)
    for part in (str(address), *sorted((each for each in parts if len(each) > 2), key=len, reverse=True)):
        text = text.replace(part, "…")
    return text
