"""Traces and metrics of a run, sent as OTLP over HTTP in JSON when an endpoint is configured, and never the reason of an exit code.

The encoder is our own: a run sends two documents once, and the SDK with its HTTP exporter would bring 14 MB, protobuf among it, into every
install for about the same time to import. What is sent is held against OpenTelemetry's own protocol files in the tests.
"""

from ci_runner.telemetry.sending import send
from ci_runner.telemetry.settings import Parent, Settings, parent, settings
from ci_runner.telemetry.signals import Point, Span

__all__ = ["Parent", "Point", "Settings", "Span", "parent", "send", "settings"]
