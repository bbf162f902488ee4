"""The one HTTP transport: time-outs, bounded retries, size caps, and what may be sent twice."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ci_runner.errors import TemporaryError

if TYPE_CHECKING:
    import httpx
    from requests.adapters import BaseAdapter

# RFC 9110, 9.2.2, and PATCH, because every PATCH sent from here replaces a whole text
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
SECONDARY_WAIT = 60.0

Trouble = Literal["unreachable", "doubt", "too_big", "not_json", "redirect"]


class HttpError(TemporaryError):
    """No usable answer. ``trouble``: ``unreachable`` (nothing was sent), ``doubt`` (sent, and nobody knows what came of it),
    ``too_big``, ``not_json`` and ``redirect`` (an answer nobody can use, usually a sign-in page or a proxy's)."""

    def __init__(self, message: str, trouble: Trouble):
        super().__init__(message)
        self.trouble: Trouble = trouble


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, whole: header names in lower case, body decoded from its transfer and content encodings."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting, for each read and for a whole answer; how often to try; bytes of a decoded body."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 120.0
    attempts: int = 4
    max_bytes: int = 16 * 1024 * 1024


@dataclass(slots=True)
class Patience:
    """The seconds one run may spend waiting, over all its requests; ``now`` is Unix time, ``monotonic`` never jumps."""

    left: float = 120.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    now: Callable[[], float] = field(default=time.time, repr=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)

    def wait(self, seconds: float) -> bool:
        """Wait and say True, or say False at once when that is more than is left."""
        if seconds > self.left:
            return False
        self.left -= seconds
        self.sleep(seconds)
        return True


@dataclass(frozen=True, slots=True)
class Web:
    """A client with limits; make one by :func:`web`, and one :class:`Patience` for all of a run."""

    client: httpx.Client = field(repr=False)
    limits: Limits
    patience: Patience

    def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None, *, to: str = ""
    ) -> Answer:
        """The answer, whatever its status; errors of transport are HttpError.

        ``to`` is the IP address to connect to instead of looking the host up; name and certificate stay those of the host.

        Repeats what is safe to repeat, POST only while nothing was sent or when a rate limit refused it, as long as
        ``limits.attempts`` and the patience last. Redirects are handed back, not followed.
        """
        for attempt in range(self.limits.attempts):
            last = attempt == self.limits.attempts - 1
            try:
                answer = self._once(method, url, headers, content, to)
            except HttpError as failure:
                again = failure.trouble == "unreachable" or (failure.trouble == "doubt" and method in REPEATABLE)
                if last or not again or not self.patience.wait(0.5 * 2**attempt):
                    raise
                continue
            delay = retry_after(method, answer, attempt, self.patience.now())
            if delay is None or last or not self.patience.wait(delay):
                return answer
        raise AssertionError("a loop that returns or raises on its last turn")  # pragma: no cover

    def _once(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, to: str) -> Answer:
        import httpx

        end = self.patience.monotonic() + self.limits.whole
        where = address(url)
        try:
            led = _led(url, headers, to)
            with self.client.stream(method, **led, content=content) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > self.limits.max_bytes:
                        raise HttpError(f"{where} answered with more than {self.limits.max_bytes >> 20} MiB", "too_big")
                    if self.patience.monotonic() > end:
                        raise HttpError(f"{where} did not finish its answer within {self.limits.whole:g} s", "doubt")
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, names, bytes(body), response.reason_phrase)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
        ) as error:
            raise HttpError(f"{where} cannot be reached: {_words(error)}", "unreachable") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise HttpError(
                f"{where} was asked, but its answer did not arrive whole: {_words(error)}", "doubt"
            ) from None


def web(
    limits: Limits | None = None, patience: Patience | None = None, proxy: str | None = None, *, direct: bool = False
) -> Web:
    """A client; certificate bundles and, without ``proxy``, proxies come from the usual variables; certificates are always checked.

    ``direct``: no proxy but the one given.
    """
    import httpx

    limits = limits or Limits()
    timeout = httpx.Timeout(limits.read, connect=limits.connect)
    transport = httpx.HTTPTransport(proxy=proxy) if direct else None
    client = httpx.Client(timeout=timeout, follow_redirects=False, proxy=None if direct else proxy, transport=transport)
    return Web(client, limits, patience or Patience())


def _led(url: str, headers: Mapping[str, str], to: str) -> dict[str, Any]:
    """Where a request goes: to the address ``to`` where one is given, with the name it is meant for in Host and in TLS (SNI)."""
    if not to:
        return {"url": url, "headers": dict(headers)}
    import httpx

    named = httpx.URL(url)
    pinned = {**headers, "host": named.netloc.decode("ascii")}
    return {"url": named.copy_with(host=to), "headers": pinned, "extensions": {"sni_hostname": named.host}}


def authorization(token: str) -> str:
    """The header that carries a token; one with a colon is a person's name and token."""
    return f"Basic {base64.b64encode(token.encode()).decode()}" if ":" in token else f"Bearer {token}"


def retry_after(method: str, answer: Answer, attempt: int, now: float) -> float | None:
    """Seconds to wait before repeating this request, None when its answer is final.

    ``attempt`` counts from 0, ``now`` is Unix time. A refusal by a rate limit did nothing, so a POST may follow it too:
    https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
    """
    if is_rate_limit(answer):
        said = _seconds(answer.headers.get("retry-after"), now)
        if said is not None:
            return said
        reset = answer.headers.get("x-ratelimit-reset", "")
        if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
            return max(0.0, float(reset) - now) + 1
        return SECONDARY_WAIT * float(2**attempt)
    if method in REPEATABLE and (answer.status in {408, 500, 502, 503, 504}):
        said = _seconds(answer.headers.get("retry-after"), now)
        return said if said is not None else 0.5 * float(2**attempt)
    return None


def is_rate_limit(answer: Answer) -> bool:
    """429, and GitHub's 403 that means the same."""
    if answer.status == 429:
        return True
    if answer.status != 403:
        return False
    spent = "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return spent or b"rate limit" in answer.body[:4096].lower()


def json_only(url: str, answer: Answer, *, moved: bool = False) -> Answer:
    """The answer, if what it says on success is JSON or nothing; HttpError for sign-in pages, redirects and cut bodies.

    ``moved`` lets 301 pass, for callers that check where it leads.
    """
    where = address(url)
    if 300 <= answer.status < 400 and answer.status != 304 and not (moved and answer.status == 301):
        target = address(answer.headers.get("location", "")) if "location" in answer.headers else "another address"
        raise HttpError(
            f"{where} sends on to {target} instead of answering; check the API address and the token", "redirect"
        )
    if not 200 <= answer.status < 300 or not answer.body:
        return answer
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise HttpError(
            f"{where} answered with {kind or 'something'} instead of JSON; check the API address and the token",
            "not_json",
        )
    try:
        json.loads(answer.body)
    except (ValueError, RecursionError):
        raise HttpError(f"{where} answered with broken JSON ({len(answer.body)} bytes)", "not_json") from None
    return answer


def adapter(http: Web, *, moved: bool = False) -> BaseAdapter:
    """``http`` in the shape ``requests`` takes transports in, for client libraries that bring a session of their own.

    Answers on success are JSON or nothing; the session's own time-outs and retries are not used.
    ``moved`` hands 301 to the library; without it no redirect is followed, so no token goes to another host.
    """
    from requests import PreparedRequest, Response
    from requests.adapters import BaseAdapter
    from requests.structures import CaseInsensitiveDict

    class Adapter(BaseAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002
            body = request.body
            content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
            url, headers = str(request.url), {str(name): _text(value) for name, value in request.headers.items()}
            answer = json_only(url, http.send(str(request.method), url, _own(headers), content), moved=moved)
            response = Response()
            response.status_code, response.reason, response.url, response.request = (
                answer.status,
                answer.reason,
                url,
                request,
            )
            response.headers = CaseInsensitiveDict(answer.headers)
            response.encoding = "utf-8"
            response._content = answer.body
            return response

        def close(self) -> None:
            http.client.close()

    return Adapter()


def address(url: str) -> str:
    """An address as it may be shown: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _own(headers: Mapping[str, str]) -> dict[str, str]:
    """Without what this transport decides itself."""
    return {
        k: v
        for k, v in headers.items()
        if k.lower() not in {"content-length", "transfer-encoding", "connection", "accept-encoding"}
    }


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _words(error: Exception) -> str:
    said = str(error) or type(error).__name__
    return (
        f"{said}; name your authority's certificates in SSL_CERT_FILE" if "CERTIFICATE_VERIFY_FAILED" in said else said
    )


def _seconds(said: str | None, now: float) -> float | None:
    """Retry-After: seconds or an HTTP date."""
    if said is None:
        return None
    if said.isascii() and said.strip().isdigit():
        return float(said)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
