"""A store that lives as long as the process: for trying things out and for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from ci_runner.errors import IntegrityError
from ci_runner.stores.store import Created, check_hint_key, check_inbox_key, check_key, check_prefix


class MemoryStore:
    """Objects in a dictionary; one lock round check and write makes creation atomic."""

    def __init__(self) -> None:
        self.address = "memory:"
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def create(self, key: str, content: bytes) -> Created:
        """See Store."""
        check_key(key)
        with self._lock:
            if key in self._objects:
                return Created.EXISTS
            self._objects[key] = bytes(content)
            return Created.CREATED

    def get(self, key: str, limit: int) -> bytes | None:
        """See Store."""
        check_key(key)
        content = self._objects.get(key)
        if content is not None and len(content) > limit:
            raise IntegrityError(f"{key} in {self.address} is longer than {limit} bytes, more than it may hold")
        return content

    def list(self, prefix: str) -> Iterator[str]:
        """See Store."""
        check_prefix(prefix)
        with self._lock:
            keys = tuple(self._objects)
        return (key for key in keys if key.startswith(prefix))

    def folders(self, prefix: str) -> Iterator[str]:
        """See Store."""
        rests = (key[len(prefix) :] for key in self.list(prefix))
        return iter({rest.partition("/")[0]: None for rest in rests if "/" in rest})

    def put_hint(self, key: str, content: bytes) -> None:
        """See Store."""
        check_hint_key(key)
        with self._lock:
            self._objects[key] = bytes(content)

    def discard(self, key: str) -> None:
        """See Store."""
        check_inbox_key(key)
        with self._lock:
            self._objects.pop(key, None)
