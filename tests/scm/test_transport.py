"""The one transport: what is repeated, how long is waited, what is refused."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ci_runner.http import Answer, HttpError, Limits, Patience, address, json_only, retry_after, web

NOW = 1_000_000.0


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("method", "reply", "attempt", "seconds"),
    [
        ("GET", answer(200), 0, None),
        ("GET", answer(404), 0, None),
        ("GET", answer(403, b"no access"), 0, None),
        ("GET", answer(503), 0, 0.5),
        ("GET", answer(503), 2, 2.0),
        ("GET", answer(503, retry_after="12"), 0, 12.0),
        ("GET", answer(503, retry_after="soon"), 0, 0.5),
        ("PATCH", answer(500), 1, 1.0),
        ("POST", answer(500), 0, None),
        ("POST", answer(503, retry_after="1"), 0, None),
        ("POST", answer(429), 0, 60.0),
        ("POST", answer(429), 1, 120.0),
        ("POST", answer(429, retry_after="3"), 0, 3.0),
        ("POST", answer(403, b'{"message": "You have exceeded a secondary rate limit"}'), 0, 60.0),
        ("GET", answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="1000030"), 0, 31.0),
        ("GET", answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="999"), 0, 1.0),
        ("GET", answer(429, x_ratelimit_remaining="5", x_ratelimit_reset="1000030"), 0, 60.0),
        ("GET", answer(429, retry_after="Mon, 12 Jan 1970 13:47:00 GMT"), 0, 20.0),
        ("GET", answer(429, retry_after="Mon, 12 Jan 1960 13:47:00 GMT"), 0, 0.0),
    ],
)
def test_the_wait_before_a_repeat_is_what_the_server_asks_for(
    method: str, reply: Answer, attempt: int, seconds: float | None
) -> None:
    assert retry_after(method, reply, attempt, NOW) == seconds


def test_patience_runs_out_once_for_all_requests() -> None:
    slept: list[float] = []
    patience = Patience(10.0, slept.append)
    assert [patience.wait(6), patience.wait(5), patience.wait(4), patience.wait(0.1)] == [True, False, True, False]
    assert slept == [6, 4]


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (answer(200, b"<html>", content_type="text/html"), "not_json"),
        (answer(203, b"<html>", content_type="text/html; charset=utf-8"), "not_json"),
        (answer(200, b'{"a": ', content_type="application/json"), "not_json"),
        (answer(200, b"[" * 100_000, content_type="application/json"), "not_json"),
        (answer(200, b"{}"), "not_json"),
        (answer(302, location="https://login.example.org/x?token=secret"), "redirect"),
        (answer(301, location="/x"), "redirect"),
        (answer(307), "redirect"),
    ],
)
def test_an_answer_that_is_no_json_is_refused_without_quoting_it(reply: Answer, trouble: str) -> None:
    with pytest.raises(HttpError) as refused:
        json_only("https://me:pw@api.example.org/x?token=secret", reply)
    assert refused.value.trouble == trouble
    assert "secret" not in str(refused.value)
    assert "pw" not in str(refused.value)
    assert refused.value.exit_code == 5


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b"{}", content_type="application/json; charset=utf-8"),
        answer(200, b"{}", content_type="application/vnd.github+json"),
        answer(204),
        answer(404, b"<html>", content_type="text/html"),
    ],
)
def test_json_nothing_and_refusals_pass(reply: Answer) -> None:
    assert json_only("https://api.example.org/", reply) is reply


def test_a_move_passes_for_those_who_check_where_it_leads() -> None:
    reply = answer(301, b"moved", content_type="text/html")
    assert json_only("https://api.example.org/", reply, moved=True) is reply


def test_an_address_is_shown_without_its_secrets() -> None:
    assert address("https://me:pw@api.example.org:8443/a/b?token=x#y") == "https://api.example.org:8443/a/b"


class Servant(BaseHTTPRequestHandler):
    """Answers by path: /bomb, /drip, or what was sent."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        if self.path == "/bomb":
            data, encoding = gzip.compress(b"0" * 50_000_000), "gzip"
        else:
            data, encoding = b"fine", "identity"
        self.send_response(200)
        self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.path == "/drip":
            for byte in data:
                threading.Event().wait(0.1)
                self.wfile.write(bytes([byte]))
            return
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[str]:
    found = ThreadingHTTPServer(("127.0.0.1", 0), Servant)
    found.daemon_threads = True
    threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    found.server_close()


def test_an_answer_comes_with_lower_case_headers(server: str) -> None:
    found = web().send("GET", f"{server}/", {})
    assert (found.status, found.body, found.headers["content-length"]) == (200, b"fine", "4")


def test_a_small_body_that_unpacks_beyond_the_cap_is_refused(server: str) -> None:
    with pytest.raises(HttpError) as refused:
        web(Limits(max_bytes=1 << 20)).send("GET", f"{server}/bomb", {})
    assert refused.value.trouble == "too_big"


def test_an_answer_that_drips_in_is_given_up(server: str) -> None:
    with pytest.raises(HttpError, match=r"did not finish its answer within 0\.15 s"):
        web(Limits(whole=0.15, attempts=1)).send("GET", f"{server}/drip", {})


def test_nobody_there_is_tried_again_even_for_a_post_because_nothing_was_sent() -> None:
    slept: list[float] = []
    with pytest.raises(HttpError) as refused:
        web(patience=Patience(120, slept.append)).send("POST", "http://127.0.0.1:1/", {})
    assert refused.value.trouble == "unreachable"
    assert slept == [0.5, 1.0, 2.0]


def test_a_name_nobody_has_and_a_scheme_nobody_speaks_are_errors_with_words() -> None:
    for url in ("http://no-such-host.invalid/", "gopher://x/", "http://[bad/"):
        with pytest.raises(HttpError):
            web(Limits(attempts=1)).send("GET", url, {})


def test_a_certificate_nobody_vouches_for_is_refused_and_the_way_out_is_named(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    def fails(*_: object, **__: object) -> object:
        raise httpx.ConnectError(str(ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")))

    http = web(Limits(attempts=1))
    monkeypatch.setattr(http.client, "stream", fails)
    with pytest.raises(HttpError, match="SSL_CERT_FILE"):
        http.send("GET", server, {})
