"""Stores that can be away, fail and lose answers, and what makes several of them level."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ci_runner import registry
from ci_runner.errors import PilotageError, SetupError, TemporaryError
from ci_runner.model.registry import Synced
from ci_runner.stores import AmbiguousError, Created, Store
from tests.registry.world import Crash, Editable, ancestry


class Site(Editable):
    """A store that can be away (``fault``), and that can fail or lose its answer now and then (``chance``)."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.fault: PilotageError | None = None
        self.chance: Callable[[], float] = lambda: 1.0

    def _meet(self) -> bool:
        """Raise when away; whether the answer to this operation is to be lost."""
        if self.fault:
            raise self.fault
        drawn = self.chance()
        if drawn < 0.002:
            raise Crash
        if drawn < 0.02:
            raise AmbiguousError("connection reset")
        return drawn < 0.04

    def _lose(self, lost: bool) -> None:
        if lost:
            raise AmbiguousError("connection reset")

    def create(self, key: str, content: bytes) -> Created:
        lost = self._meet()
        created = super().create(key, content)
        self._lose(lost)
        return created

    def get(self, key: str, limit: int) -> bytes | None:
        self._lose(self._meet())
        return super().get(key, limit)

    def list(self, prefix: str) -> Iterator[str]:
        self._lose(self._meet())
        return super().list(prefix)

    def put_hint(self, key: str, content: bytes) -> None:
        self._lose(self._meet())
        super().put_hint(key, content)

    def discard(self, key: str) -> None:
        lost = self._meet()
        super().discard(key)
        self._lose(lost)


DOWN = TemporaryError("connection refused")
FORBIDDEN = SetupError("403 AccessDenied")


def history(store: Editable) -> dict[str, bytes]:
    return {key: store.raw(key) for key in store.all_keys() if "/log/" in key}


def level(*stores: Site) -> bool:
    return all(history(store) == history(stores[0]) for store in stores)


def sync(primary: Store, *backups: Store) -> Synced:
    return registry.sync(primary, backups, ancestry, lambda _repetition: None)


def waiting(store: Editable) -> list[str]:
    return [key for key in store.all_keys() if "/inbox/" in key]
