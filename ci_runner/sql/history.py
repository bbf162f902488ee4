"""The catalog before a change, without paying for history: folded once, kept by what it was folded from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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


def keys(released: Sequence[Migration], dialect: str) -> list[str]:
    """One key per prefix of ``released``: a hash over dialect, catalog version, and name and content hash of every file in it."""
    running = hashlib.sha256(f"{__version__} {catalog_store.VERSION} {dialect}".encode())
    found = []
    for migration in released:
        running.update(f"\0{migration.name}\0{migration.sha256}".encode())
        found.append(running.hexdigest())
    return found


def before(released: Sequence[Migration], dialect: str, cache: Cache) -> Catalog:
    """The schema after every file of ``released``: the longest kept prefix, folded on from there, and kept in turn."""
    prefixes = keys(released, dialect)
    state, done = _kept(prefixes, cache)
    if done < len(released):
        from ci_runner.sql import statements
    for migration in released[done:]:
        state = catalog.fold(catalog.release(state), statements(migration, dialect), dialect)
    if done < len(released):
        cache.put(prefixes[-1], catalog_store.dumps(state))
    return state


def _kept(prefixes: Sequence[str], cache: Cache) -> tuple[Catalog, int]:
    present = cache.keys() if prefixes else frozenset()
    for length in range(len(prefixes), 0, -1):
        if prefixes[length - 1] in present:
            content = cache.get(prefixes[length - 1])
            state = catalog_store.loads(content) if content else None
            if state is not None:
                return state, length
    return Catalog(), 0
