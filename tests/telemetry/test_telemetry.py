"""What is sent is OTLP, goes where the environment says and nowhere else, and no collector changes anything."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner import telemetry
from ci_runner.telemetry import Parent, Point, Span
from tests.fakes.receiver import Receiver, Say
from tests.telemetry.collector import facts, metrics, parsed, spans

ROOT = Span(
    "pilotage deploy", 100.0, 103.5, {"cicd.pipeline.task.name": "deploy", "n": 3, "f": 0.5, "yes": True, "many": ("a", "b"), "empty": ""},
    children=(
        Span("migration 1", 101.0, 102.0, children=(Span("statement 1", 101.0, 101.5, client=True),)),
        Span("migration 2", 102.0, 103.0, error="no"),
    ),
)  # fmt: skip
POINTS = (
    Point("pilotage.migrations.applied", "{file}", "count", 2, {"db.system.name": "postgresql"}),
    Point("db.client.operation.duration", "s", "observation", 0.02),
    Point("db.client.operation.duration", "s", "observation", 4.0),
)


def nonce() -> str:
    return os.urandom(16).hex()


def sent(environ: dict[str, str], parent: Parent | None = None) -> tuple[str, ...]:
    settings = telemetry.settings(environ, "1.0")
    assert settings is not None
    return telemetry.send(settings, "1.0", ROOT, POINTS, parent, nonce)


def place(receiver: Receiver) -> str:
    return receiver.url.partition("/services")[0]


def test_a_trace_is_one_tree_and_metrics_add_up() -> None:
    with Receiver() as receiver:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": place(receiver),
            "OTEL_RESOURCE_ATTRIBUTES": "team=db%20crew,region=eu",
        }
        assert sent(environ | {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=s%3Decret"}) == ()
    trace, numbers = receiver.got
    assert (trace.path, numbers.path) == ("/v1/traces", "/v1/metrics")
    assert trace.headers["api-key"] == "s=ecret"
    assert trace.headers["content-type"] == "application/json"
    root, first, statement, second = spans(trace)
    assert len({span.trace_id for span in (root, first, statement, second)}) == 1
    assert (root.parent_span_id, first.parent_span_id, statement.parent_span_id, second.parent_span_id) == (
        b"", root.span_id, first.span_id, root.span_id,
    )  # fmt: skip
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (100_000_000_000, 103_500_000_000)
    assert (second.status.code, second.status.message, root.status.code, statement.kind, root.kind) == (
        2,
        "no",
        1,
        3,
        1,
    )
    assert {name: value for name, value in facts(root).items() if name in {"n", "f", "yes"}} == {
        "n": 3,
        "f": 0.5,
        "yes": True,
    }
    assert "empty" not in facts(root)
    resource = {each.key: each.value.string_value for each in parsed(trace).resource_spans[0].resource.attributes}
    assert (resource["service.name"], resource["team"], resource["region"]) == ("pilotage", "db crew", "eu")
    found = metrics(numbers)
    (count,) = found["pilotage.migrations.applied"].sum.data_points
    assert (count.as_int, found["pilotage.migrations.applied"].sum.aggregation_temporality) == (2, 1)
    (times,) = found["db.client.operation.duration"].histogram.data_points
    assert (times.count, times.sum, times.min, times.max, sum(times.bucket_counts)) == (2, 4.02, 0.02, 4.0, 2)
    assert len(times.bucket_counts) == len(times.explicit_bounds) + 1


def test_a_run_belongs_to_the_trace_it_was_started_in() -> None:
    header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    parent = telemetry.parent({"TRACEPARENT": header})
    with Receiver() as receiver:
        sent({"OTEL_EXPORTER_OTLP_ENDPOINT": place(receiver)}, parent)
    root = spans(receiver.got[0])[0]
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == tuple(header.split("-")[1:3])


def test_of_a_trace_that_nobody_samples_only_metrics_are_sent() -> None:
    with Receiver() as receiver:
        sent(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": place(receiver)},
            telemetry.parent({"TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-00"}),
        )
    assert [got.path for got in receiver.got] == ["/v1/metrics"]


@given(st.text(max_size=80) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_no_text_in_traceparent_is_a_crash(text: str) -> None:
    found = telemetry.parent({"TRACEPARENT": text})
    assert found is None or (len(found.trace_id), len(found.span_id)) == (32, 16)


INVALID = (f"00-{'0' * 32}-{'b' * 16}-01", f"00-{'a' * 32}-{'0' * 16}-01", f"ff-{'a' * 32}-{'b' * 16}-01")


@pytest.mark.parametrize("text", ["", *INVALID])
def test_an_invalid_parent_is_none(text: str) -> None:
    assert telemetry.parent({"TRACEPARENT": text}) is None


ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    ("environ", "traces", "numbers"),
    [
        ({ENDPOINT: "http://c:4318"}, "http://c:4318/v1/traces", "http://c:4318/v1/metrics"),
        ({ENDPOINT: "http://c:4318/base/"}, "http://c:4318/base/v1/traces", "http://c:4318/base/v1/metrics"),
        (
            {ENDPOINT: "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://t/x"},
            "https://t/x",
            "http://c/v1/metrics",
        ),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://m/x"}, "", "https://m/x"),
        ({ENDPOINT: "http://c", "OTEL_TRACES_EXPORTER": "none"}, "", "http://c/v1/metrics"),
        ({ENDPOINT: "grpc://c"}, "", ""),
        ({ENDPOINT: "http://c:notaport"}, "", ""),
    ],
)
def test_where_it_goes_is_what_the_environment_says(environ: dict[str, str], traces: str, numbers: str) -> None:
    found = telemetry.settings(environ, "1.0")
    assert found is not None
    assert (found.traces, found.metrics) == (traces, numbers)


def test_without_an_endpoint_or_switched_off_nothing_is_sent() -> None:
    assert telemetry.settings({}, "1.0") is None
    assert telemetry.settings({ENDPOINT: "http://c", "OTEL_SDK_DISABLED": "true"}, "1.0") is None


@given(st.text(max_size=300))
def test_no_text_in_headers_is_a_crash(text: str) -> None:
    found = telemetry.settings(
        {ENDPOINT: "http://c", "OTEL_EXPORTER_OTLP_HEADERS": text, "OTEL_EXPORTER_OTLP_TIMEOUT": text}, "1"
    )
    assert found is not None
    assert 0 < found.timeout <= 10
    assert all("\n" not in value and "\r" not in value for value in found.headers.values())


@pytest.mark.parametrize(
    ("answers", "asked", "word"),
    [
        ((Say(500),), 1, "HTTP 500"),
        ((Say(404, b"<html>"),), 1, "HTTP 404"),
        ((Say(503), Say(200)), 2, ""),
        ((Say(429), Say(429)), 2, "HTTP 429"),
        ((Say(302, headers={"location": "http://127.0.0.1:1/"}),), 1, "HTTP 302"),
        ((Say(cut=True),), 1, "not sent"),
        ((Say(200, b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'),), 1, "too old"),
        ((Say(200, b"[[[["),), 1, ""),
    ],
    ids=["500", "404", "busy once", "busy", "redirect", "cut", "partly", "nonsense"],
)
def test_a_collector_that_does_not_take_it_is_one_warning(answers: tuple[Say, ...], asked: int, word: str) -> None:
    with Receiver(*answers) as receiver:
        warnings = sent({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.url + "?key=secret"})
    assert len(receiver.got) == asked
    assert len(warnings) == bool(word)
    assert all(word in line and "secret" not in line.replace("secretpath", "") for line in warnings)


def test_a_collector_that_never_answers_is_waited_for_only_so_long() -> None:
    begun = time.monotonic()
    with Receiver(Say(after=30)) as receiver:
        warnings = sent({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "600"})
    assert len(warnings) == 1
    assert time.monotonic() - begun < 5


def test_a_huge_run_is_cut_to_what_a_collector_takes() -> None:
    many = Span("root", 0.0, 1.0, children=tuple(Span(f"s{number}", 0.0, 1.0) for number in range(5000)))
    with Receiver() as receiver:
        found = telemetry.settings({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": place(receiver) + "/v1/traces"}, "1")
        assert found is not None
        assert telemetry.send(found, "1", many, (), None, nonce) == ()
    assert len(spans(receiver.got[0])) == 2000
