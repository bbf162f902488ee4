"""Spans and points as the JSON of OTLP (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).

Ids are hex, 64-bit whole numbers are strings, enumerations are numbers, names are in lowerCamelCase.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ci_runner.telemetry.settings import Parent
from ci_runner.telemetry.signals import Point, Span, Value

SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_INTERNAL, _CLIENT, _OK, _ERROR, _DELTA = 1, 3, 1, 2, 1
_LONGEST = 1024
MOST_SPANS = 2000


def traces(
    resource: Mapping[str, str], version: str, span: Span, parent: Parent, nonce: Callable[[], str]
) -> dict[str, Any]:
    """The document of one trace: ``span`` and everything below it, at most 2,000 spans, in the trace of ``parent``."""
    spans: list[dict[str, Any]] = []
    for each in _below(span, parent.span_id, parent.trace_id, nonce):
        if len(spans) == MOST_SPANS:
            break
        spans.append(each)
    scope = {"scope": {"name": "pilotage", "version": version}, "spans": spans, "schemaUrl": SCHEMA}
    return {
        "resourceSpans": [
            {"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope], "schemaUrl": SCHEMA}
        ]
    }


def metrics(
    resource: Mapping[str, str], version: str, points: Sequence[Point], start: float, end: float
) -> dict[str, Any]:
    """The document of a run's metrics; each is what happened in this run (delta)."""
    names = dict.fromkeys(point.name for point in points)
    found = [_metric([point for point in points if point.name == name], _nano(start), _nano(end)) for name in names]
    scope = {"scope": {"name": "pilotage", "version": version}, "metrics": found, "schemaUrl": SCHEMA}
    return {
        "resourceMetrics": [
            {"resource": {"attributes": _attributes(resource)}, "scopeMetrics": [scope], "schemaUrl": SCHEMA}
        ]
    }


def _below(span: Span, parent: str, trace: str, nonce: Callable[[], str]) -> Iterator[dict[str, Any]]:
    identity = nonce()[:16]
    found = {
        "traceId": trace,
        "spanId": identity,
        "name": span.name,
        "kind": _CLIENT if span.client else _INTERNAL,
        "startTimeUnixNano": _nano(span.start),
        "endTimeUnixNano": _nano(max(span.start, span.end)),
        "attributes": _attributes(span.attributes),
        "status": {"code": _ERROR, "message": span.error[:_LONGEST]} if span.error else {"code": _OK},
    }
    yield found | ({"parentSpanId": parent} if parent else {})
    for child in span.children:
        yield from _below(child, identity, trace, nonce)


def _metric(points: Sequence[Point], start: str, end: str) -> dict[str, Any]:
    first = points[0]
    by_attributes: dict[str, list[Point]] = {}
    for point in points:
        by_attributes.setdefault(repr(sorted(point.attributes.items())), []).append(point)
    times = {"startTimeUnixNano": start, "timeUnixNano": end}
    groups = [(_attributes(same[0].attributes), [point.value for point in same]) for same in by_attributes.values()]
    if first.kind == "count":
        data = [{**times, "attributes": attributes, "asInt": str(int(sum(values)))} for attributes, values in groups]
        body: dict[str, Any] = {"sum": {"dataPoints": data, "aggregationTemporality": _DELTA, "isMonotonic": True}}
    else:
        data = [{**times, "attributes": attributes, **_distribution(values)} for attributes, values in groups]
        body = {"histogram": {"dataPoints": data, "aggregationTemporality": _DELTA}}
    return {"name": first.name, "unit": first.unit, **body}


def _distribution(values: Sequence[float]) -> dict[str, Any]:
    counts = [0] * (len(BOUNDS) + 1)
    for value in values:
        counts[sum(value > bound for bound in BOUNDS)] += 1
    return {
        "count": str(len(values)),
        "sum": sum(values),
        "min": min(values),
        "max": max(values),
        "bucketCounts": [str(count) for count in counts],
        "explicitBounds": list(BOUNDS),
    }


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items() if value not in ("", ())]


def _value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, tuple):
        return {"arrayValue": {"values": [{"stringValue": each[:_LONGEST]} for each in value]}}
    return {"stringValue": value[:_LONGEST]}


def _nano(seconds: float) -> str:
    return str(int(seconds * 1_000_000) * 1000)
