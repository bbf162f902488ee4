"""Sends a run's trace and metrics, once each, with one more try where the collector is busy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ci_runner.http import HttpError, Limits, Patience, Web, address, web
from ci_runner.telemetry import encoding
from ci_runner.telemetry.settings import Parent, Settings
from ci_runner.telemetry.signals import Point, Span

_AGAIN = {429, 502, 503, 504}
_PAUSE = 0.5


def send(
    settings: Settings,
    version: str,
    span: Span,
    points: Sequence[Point],
    parent: Parent | None,
    nonce: Callable[[], str],
) -> tuple[str, ...]:
    """Send them; one warning for each that could not be, without headers or more of an address than its place.

    ``parent`` is the trace the run belongs to, ``nonce`` gives 32 hex digits. Nothing is raised for what a collector does.
    """
    door = web(
        Limits(settings.timeout / 2, settings.timeout / 2, settings.timeout, attempts=1, max_bytes=64 * 1024),
        Patience(2.0),
    )
    warnings = list(settings.warnings)
    own = parent or Parent(nonce(), "")
    try:
        if settings.traces and own.sampled:
            warnings += _post(
                door, settings.traces, settings.headers, encoding.traces(settings.resource, version, span, own, nonce)
            )
        if settings.metrics and points:
            document = encoding.metrics(settings.resource, version, points, span.start, span.end)
            warnings += _post(door, settings.metrics, settings.headers, document)
    finally:
        door.client.close()
    return tuple(warnings)


def _post(door: Web, url: str, headers: Mapping[str, str], document: dict[str, Any]) -> list[str]:
    body = json.dumps(document, separators=(",", ":")).encode()
    for last in (False, True):
        try:
            answer = door.send("POST", url, {**headers, "content-type": "application/json"}, body)
        except HttpError as error:
            return [f"telemetry was not sent: {error}"]
        if 200 <= answer.status < 300:
            return _partly(url, answer.body)
        if last or answer.status not in _AGAIN or not door.patience.wait(_PAUSE):
            return [f"telemetry was not taken by {address(url)}: HTTP {answer.status}"]
    return []


def _partly(url: str, body: bytes) -> list[str]:
    """What a collector left out, when it says so."""
    try:
        said = json.loads(body or b"{}").get("partialSuccess", {}).get("errorMessage", "")
    except (ValueError, AttributeError, RecursionError):
        said = ""
    return [f"telemetry was taken in part by {address(url)}: {str(said)[:200]}"] if said else []
