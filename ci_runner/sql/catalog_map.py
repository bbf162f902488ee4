"""An immutable mapping with cheap changes: a shared base, a small layer of changes above it, and values decoded when first read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isqrt
from typing import Any, Generic, TypeVar

from msgspec import Raw

K = TypeVar("K")
V = TypeVar("V")

_FLATTEN = 64  # a layer of this many changes (more over a large base) is merged: copying stays small either way
_GONE: Any = object()
_BELOW: Any = object()  # what the layer of changes has no word on


class Layered(Mapping[K, V], Generic[K, V]):
    """A mapping that never changes: :meth:`put` and :meth:`without` return a new one that shares the base with this one.

    A value that is Raw was not decoded yet: ``decode`` makes the value of its key and it, and what is wrong with it is no error there.
    """

    __slots__ = ("_base", "_decode", "_later", "_over")
    _later: Callable[[], dict[K, Any]]

    def __init__(
        self,
        base: dict[K, Any] | None = None,
        over: dict[K, Any] | None = None,
        decode: Callable[[K, Raw], V] | None = None,
    ) -> None:
        self._base: dict[K, Any] = {} if base is None else base
        self._over: dict[K, Any] = {} if over is None else over
        self._decode = decode

    @classmethod
    def of(cls, mapping: Mapping[K, V]) -> Layered[K, V]:
        """``mapping`` itself when it is layered already, else a layered copy."""
        return mapping if isinstance(mapping, Layered) else cls(dict(mapping))

    @classmethod
    def later(cls, base: Callable[[], dict[K, V]]) -> Layered[K, V]:
        """A mapping whose base is made when somebody looks at it."""
        made = cls.__new__(cls)
        made._later, made._over, made._decode = base, {}, None  # and no _base
        return made

    def __getattr__(self, name: str) -> dict[K, Any]:
        """The base that is not there yet: Python asks here for no attribute that is."""
        if name != "_base":
            raise AttributeError(name)
        self._base = self._later()
        return self._base

    def __getitem__(self, key: K) -> V:
        found: V = self.get(key, _GONE)
        if found is _GONE:
            raise KeyError(key)
        return found

    def get(self, key: K, default: Any = None) -> Any:
        """The value of ``key``; ``default`` where it is not there."""
        value = self._over.get(key, _BELOW)
        if value is _BELOW:
            value = self._base.get(key, _GONE)
        if value is _GONE:
            return default
        if value.__class__ is Raw and self._decode is not None:
            value = self._decode(key, value)
            (self._over if key in self._over else self._base)[key] = value  # the same value, only decoded
        return value

    def __contains__(self, key: Any) -> bool:
        value = self._over.get(key, _BELOW)
        return key in self._base if value is _BELOW else value is not _GONE

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
        below = {} if self._base is other._base else {**self._base, **other._base}
        for key in {**below, **self._over, **other._over}:
            if self._stored(key) is not other._stored(key):
                yield key

    def _stored(self, key: K) -> Any:
        return self._over[key] if key in self._over else self._base.get(key, _GONE)

    def _changed(self, key: K, value: object) -> Layered[K, V]:
        over = {**self._over, key: value}
        if len(over) < max(_FLATTEN, 2 * isqrt(len(self._base))):
            return Layered(self._base, over, self._decode)
        merged = {**self._base, **over}
        for gone in [k for k, v in over.items() if v is _GONE]:
            del merged[gone]
        return Layered(merged, None, self._decode)
