"""What is measured: spans with their children, and points of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

Value = str | int | float | bool | tuple[str, ...]


class Span(Struct, frozen=True):
    """A piece of a run. Times are Unix seconds; ``error`` says in words why it failed, "" when it did not."""

    name: str
    start: float
    end: float
    attributes: Mapping[str, Value] = field(default_factory=dict)
    error: str = ""
    client: bool = False
    children: tuple[Span, ...] = ()


class Point(Struct, frozen=True):
    """One value of a metric: a count that is added to, or one observation of a distribution. ``unit`` is UCUM's."""

    name: str
    unit: str
    kind: Literal["count", "observation"]
    value: float
    attributes: Mapping[str, Value] = field(default_factory=dict)
