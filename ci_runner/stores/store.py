"""What every store can do: bytes by key, created once and never changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Protocol

from ci_runner.errors import RefusedError, TemporaryError

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,199})*")
_LONGEST_KEY = 700
HINTS = "hints/"
"""The only folder whose objects may be overwritten."""


class Created(Enum):
    """What a create came to when the store answered."""

    CREATED = "created"
    EXISTS = "exists"


class AmbiguousError(TemporaryError):
    """The store's answer to a create was lost: the object may or may not be there. Reading the key is the only way to know."""


class Store(Protocol):
    """A flat space of keys under one prefix.

    Keys are ``/``-separated segments of letters, digits, dots, dashes and underscores. Any operation may raise TemporaryError
    (no space, no network: run again), SetupError (a right is missing) or RefusedError (the store holds something that is not opened).
    """

    @property
    def address(self) -> str:
        """The address as people know it, without secrets."""

    def create(self, key: str, content: bytes) -> Created:
        """Write ``content`` under ``key`` unless the key is taken; of any number of concurrent creators exactly one gets CREATED.

        Readers see all of the bytes or no object. AmbiguousError when the answer was lost.
        """

    def get(self, key: str, limit: int) -> bytes | None:
        """The object's bytes, None when there is none; IntegrityError when it is longer than ``limit`` bytes."""

    def list(self, prefix: str) -> Iterator[str]:
        """All keys below ``prefix`` ("" or ending in "/"), in any order, half-written objects left out."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The distinct next segments of the keys that go on below ``prefix`` ("" or ending in "/"), in any order."""

    def put_hint(self, key: str, content: bytes) -> None:
        """Write or overwrite ``key``, which lies below ``hints/``."""

    def discard(self, key: str) -> None:
        """Remove ``key``, which lies in an ``inbox`` folder; one that is not there is fine."""


def check_key(key: str) -> tuple[str, ...]:
    """Segments of a key; RefusedError for one that could leave the prefix or that some store cannot hold."""
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key) or ".tmp." in key:
        raise RefusedError(
            f"{key[:80]!r} is no key of a store: it takes letters, digits, dots, dashes and underscores between slashes"
        )
    return tuple(key.split("/"))


def check_prefix(prefix: str) -> tuple[str, ...]:
    """Segments of a prefix, which is empty or ends in a slash."""
    if not prefix:
        return ()
    if not prefix.endswith("/"):
        raise RefusedError(f"{prefix[:80]!r} is no folder of a store: it must end in a slash")
    return check_key(prefix[:-1])


def check_inbox_key(key: str) -> tuple[str, ...]:
    """Segments of a key in an inbox; RefusedError for any other, because nothing else is ever removed."""
    segments = check_key(key)
    if len(segments) < 2 or segments[-2] != "inbox":
        raise RefusedError(f"{key[:80]!r} is never removed: only what lies in an inbox is")
    return segments


def check_hint_key(key: str) -> tuple[str, ...]:
    """Segments of a hint's key; RefusedError for any other, because nothing else is ever overwritten."""
    if not key.startswith(HINTS):
        raise RefusedError(f"{key[:80]!r} is never overwritten: only keys below {HINTS} are")
    return check_key(key)
