"""An immutable mapping with cheap changes: a shared base, a small layer of changes above it, and values decoded when first read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isqrt
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_FLATTEN = 96  # a layer of this many changes (more over a large base) is merged: copying stays small either way
_GONE: Any = object()


class Raw:
    """A value not decoded yet, and how to decode it; a failure to decode yields what ``decode`` returns for it, never an error."""

    __slots__ = ("decode", "value")

    def __init__(self, value: object, decode: Callable[[Any], Any]) -> None:
        self.value = value
        self.decode = decode


class Layered(Mapping[K, V], Generic[K, V]):
    """A mapping that never changes: :meth:`put` and :meth:`without` return a new one that shares the base with this one."""

    __slots__ = ("_base", "_over")

    def __init__(self, base: dict[K, Any] | None = None, over: dict[K, Any] | None = None) -> None:
        self._base: dict[K, Any] = {} if base is None else base
        self._over: dict[K, Any] = {} if over is None else over

    @classmethod
    def of(cls, mapping: Mapping[K, V]) -> Layered[K, V]:
        """``mapping`` itself when it is layered already, else a layered copy."""
        return mapping if isinstance(mapping, Layered) else cls(dict(mapping))

    def __getitem__(self, key: K) -> V:
        value: Any = self._over[key] if key in self._over else self._base[key]
        if value is _GONE:
            raise KeyError(key)
        if value.__class__ is Raw:
            value = value.decode(value.value)
            (self._over if key in self._over else self._base)[key] = value  # the same value, only decoded
        decoded: V = value
        return decoded

    def __contains__(self, key: object) -> bool:
        over = self._over
        return over[key] is not _GONE if key in over else key in self._base

    def __iter__(self) -> Iterator[K]:
        over = self._over
        yield from (key for key in self._base if key not in over)
        yield from (key for key, value in over.items() if value is not _GONE)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return next(iter(self), _GONE) is not _GONE

    def put(self, key: K, value: V) -> Layered[K, V]:
        """The same mapping with ``key`` set."""
        return self._changed(key, value)

    def without(self, key: K) -> Layered[K, V]:
        """The same mapping without ``key``; itself when the key is not there."""
        return self._changed(key, _GONE) if key in self else self

    def differing(self, other: Layered[K, V]) -> Iterator[K]:
        """The keys whose value is not the same object in both, or is missing in one; nothing is decoded for that."""
        mine, theirs = self._stored(), other._stored()
        for key in {**mine, **theirs}:
            if mine.get(key) is not theirs.get(key):
                yield key

    def _stored(self) -> dict[K, Any]:
        merged = {**self._base, **self._over} if self._over else self._base
        return {key: value for key, value in merged.items() if value is not _GONE}

    def _changed(self, key: K, value: object) -> Layered[K, V]:
        over = {**self._over, key: value}
        if len(over) < max(_FLATTEN, 4 * isqrt(len(self._base))):
            return Layered(self._base, over)
        merged = {**self._base, **over}
        return Layered({k: v for k, v in merged.items() if v is not _GONE})
