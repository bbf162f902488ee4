"""A database the user names as dev database: taken only when clean, locked while in use, and given back clean.

Where the user's role may, replays get databases of their own beside it and the named one is not touched at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.devdb.protocol import DevDatabase
from ci_runner.errors import ConfigError, DoubtError, RefusedError, TemporaryError


class Direct(DevDatabase, Protocol):
    """A dev database on a server that is not ours."""

    def give_back(self) -> None:
        """Remove everything replays made."""
        ...


class Keeper(Protocol):
    """The questions to a server about its database: lock it, what is in it, and make a place to replay."""

    def lock(self, main: Database) -> bool:
        """Take the lock, at once or not at all."""
        ...

    def unlock(self, main: Database) -> None:
        """Let the lock go where the end of the session does not."""
        ...

    def contents(self, main: Database) -> list[str]:
        """What is in the database, in words; empty when it is clean."""
        ...

    def place(self, main: Database, address: Address) -> Direct:
        """Where replays go: beside the database, or into it."""
        ...


@contextmanager
def open_direct(url: str, report: Callable[[str], None]) -> Iterator[Direct]:
    """Lock and check the database of ``url``, yield the dev database, give it back.

    RefusedError when it is not clean, TemporaryError when another run has it, DoubtError when it cannot be given back clean.
    """
    engine = databases.scheme_of(url)
    address = databases.parse(url, databases.OPTIONS[engine])
    if not address.database:
        raise ConfigError(f"dev URL {address}: name a database of its own, one that is empty and used for nothing else")
    keeper = _keeper(engine)
    main = databases.open_address(address)
    try:
        if not keeper.lock(main):
            raise TemporaryError(
                f"dev database {address} is in use by another run; wait for that, or give each run a database of its own"
            )
        try:
            _refuse_dirty(keeper, main, address)
            direct = keeper.place(main, address)
            report(f"{direct.engine} at {address}")
            try:
                yield direct
            finally:
                _give_back(keeper, direct, main, address)
        finally:
            keeper.unlock(main)
    finally:
        main.close()


def _keeper(engine: str) -> Keeper:
    keeper: Keeper = import_module(f"ci_runner.devdb.direct_{engine}").KEEPER
    return keeper


def _refuse_dirty(keeper: Keeper, main: Database, address: Address) -> None:
    found = keeper.contents(main)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise RefusedError(
            f"dev database {address}: connected database is not clean: found {found[0]}{more}; nothing was dropped. "
            "Name an empty database: a dev database is written to and emptied"
        )


def _give_back(keeper: Keeper, direct: Direct, main: Database, address: Address) -> None:
    try:
        direct.give_back()
        left = keeper.contents(main)
    except DatabaseFailure as failure:
        raise DoubtError(
            f"dev database {address} could not be cleaned ({failure}); look at it before the next run, and for databases "
            "beside it whose names begin with pilotage_"
        ) from None
    if left:
        raise DoubtError(
            f"dev database {address} is not clean after the replay: {', '.join(left[:10])} left; drop by hand what is not needed"
        )
