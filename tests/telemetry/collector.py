"""A collector: what it is sent is held against OpenTelemetry's own protocol files."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from tests.fakes.receiver import Got

REQUESTS = {
    "traces": trace_service_pb2.ExportTraceServiceRequest,
    "metrics": metrics_service_pb2.ExportMetricsServiceRequest,
}
_HEX = re.compile(r"[0-9a-f]+")


def parsed(got: Got) -> Any:
    """The message; json_format refuses unknown names and wrong types. OTLP/JSON writes ids in hex where protobuf's JSON has Base64."""
    document = json.loads(got.body)
    _ids(document)
    return json_format.ParseDict(document, REQUESTS[got.path.rpartition("/")[2]]())


def _ids(value: Any) -> None:
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in {"traceId", "spanId", "parentSpanId"}:
            assert _HEX.fullmatch(each)
            assert len(each) == (32 if key == "traceId" else 16)
            value[key] = base64.b64encode(bytes.fromhex(each)).decode()
        else:
            _ids(each)


def spans(got: Got) -> list[Any]:
    return [span for resource in parsed(got).resource_spans for scope in resource.scope_spans for span in scope.spans]


def metrics(got: Got) -> dict[str, Any]:
    return {
        metric.name: metric
        for resource in parsed(got).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def facts(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
