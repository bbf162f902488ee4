"""The catalog before a change, without paying for history: folded once, kept by what it was folded from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Protocol

from ci_runner import __version__
from ci_runner.model.directory import Migration
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog, catalog_store


class Cache(Protocol):
    """Where folded catalogs are kept; see ``ci_runner.cache``."""

    def get(self, key: str) -> bytes | None:
        """Bytes or None."""
        ...

    def keys(self) -> frozenset[str]:
        """All keys present."""
        ...

    def put(self, key: str, content: bytes) -> None:
        """Keep, best effort."""
        ...


def key(released: Sequence[Migration], dialect: str) -> str:
    """The key of the schema that ``released`` leave: a hash over dialect, catalog version, and name and content hash of every file."""
    parts = chain.from_iterable(map(attrgetter("name", "sha256"), released))
    return hashlib.sha256("\0".join((_make(dialect), *parts)).encode()).hexdigest()


def keys(released: Sequence[Migration], dialect: str) -> list[str]:
    """The :func:`key` of every prefix of ``released``."""
    running = hashlib.sha256(_make(dialect).encode())
    found = []
    for migration in released:
        running.update(f"\0{migration.name}\0{migration.sha256}".encode())
        found.append(running.hexdigest())
    return found


def before(released: Sequence[Migration], dialect: str, cache: Cache) -> Catalog:
    """The schema after every file of ``released``: the longest kept prefix, folded on from there, and kept in turn."""
    if not released:
        return Catalog()
    whole = key(released, dialect)
    state = _kept(whole, cache)
    if state is not None:
        return state
    from ci_runner.sql import statements

    state, done = _longest(keys(released, dialect), cache)
    for migration in released[done:]:
        state = catalog.fold(catalog.release(state), statements(migration, dialect), dialect)
    cache.put(whole, catalog_store.dumps(state))
    return state


def _make(dialect: str) -> str:
    return f"{__version__} {catalog_store.VERSION} {dialect}"


def _kept(prefix: str, cache: Cache) -> Catalog | None:
    content = cache.get(prefix)
    return catalog_store.loads(content) if content else None


def _longest(prefixes: Sequence[str], cache: Cache) -> tuple[Catalog, int]:
    present = cache.keys()
    for length in range(len(prefixes) - 1, 0, -1):
        if prefixes[length - 1] in present and (state := _kept(prefixes[length - 1], cache)) is not None:
            return state, length
    return Catalog(), 0
