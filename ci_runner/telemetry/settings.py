"""Where telemetry goes, from OpenTelemetry's own variables (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).

Only the environment decides: a configuration file is part of a change, and could send a run's data to a stranger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct

_BASE = "OTEL_EXPORTER_OTLP_"
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_MOST = 64
LONGEST_WAIT = 10.0


class Settings(Struct, frozen=True):
    """Addresses of traces and metrics ("" = not sent), headers, seconds to wait, attributes of the resource, and what is wrong in words."""

    traces: str
    metrics: str
    headers: Mapping[str, str]
    timeout: float
    resource: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:  # headers hold keys
        return "Settings(…)"


class Parent(Struct, frozen=True):
    """The trace a run belongs to: ids in hex; not ``sampled`` means that nobody wants its spans."""

    trace_id: str
    span_id: str
    sampled: bool = True


def settings(environ: Mapping[str, str], version: str) -> Settings | None:
    """What the environment asks for; None when no endpoint is named, or telemetry is switched off."""
    base = environ.get(f"{_BASE}ENDPOINT", "").strip()
    own = {signal: environ.get(f"{_BASE}{signal.upper()}_ENDPOINT", "").strip() for signal in ("traces", "metrics")}
    if not (base or any(own.values())) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    warnings: list[str] = []
    found = {
        signal: _address(own[signal] or (f"{base.rstrip('/')}/v1/{signal}" if base else ""), signal, environ, warnings)
        for signal in own
    }
    protocol = environ.get(f"{_BASE}PROTOCOL", "http/json").strip()
    if protocol not in {"http/json", "http/protobuf"}:
        warnings.append(
            f"telemetry is sent as http/json, not as {protocol[:20]}: give the collector's HTTP port (4318)"
        )
    resource = {"service.name": "pilotage", "service.version": version, "telemetry.sdk.language": "python"}
    resource |= _pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    if environ.get("OTEL_SERVICE_NAME"):
        resource["service.name"] = environ["OTEL_SERVICE_NAME"]
    return Settings(
        traces=found["traces"],
        metrics=found["metrics"],
        headers=_pairs(environ.get(f"{_BASE}HEADERS", "")),
        timeout=_seconds(environ.get(f"{_BASE}TIMEOUT", "")),
        resource=resource,
        warnings=tuple(warnings),
    )


def parent(environ: Mapping[str, str]) -> Parent | None:
    """The trace this run belongs to, as W3C's ``traceparent`` in the variable TRACEPARENT; None where there is none that is valid."""
    match = _PARENT.fullmatch(environ.get("TRACEPARENT", "").strip().lower())
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return None
    return Parent(match[1], match[2], bool(int(match[3], 16) & 1))


def _address(url: str, signal: str, environ: Mapping[str, str], warnings: list[str]) -> str:
    if not url or environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").strip().lower() == "none":
        return ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        warnings.append(
            f"telemetry: the endpoint for {signal} is no http:// or https:// address, nothing is sent there"
        )
    return url if good else ""


def _pairs(text: str) -> dict[str, str]:
    """``key=value,key=value`` with percent-encoded values, as W3C's Baggage writes them."""
    pairs = [part.partition("=") for part in text.split(",")[:_MOST]]
    found = {unquote(name.strip()): unquote(value.strip()) for name, equals, value in pairs if equals and name.strip()}
    return {name: value for name, value in found.items() if name.isprintable() and value.isprintable()}


def _seconds(milliseconds: str) -> float:
    text = milliseconds.strip()
    return (
        min(LONGEST_WAIT, int(text) / 1000)
        if text.isascii() and text.isdigit() and len(text) < 10 and int(text)
        else LONGEST_WAIT
    )
