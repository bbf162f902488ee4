"""JSON over our own transport, for the SCMs whose API needs no client library; their refusals become one kind of error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from ci_runner.http import Answer, HttpError, Web, is_rate_limit, json_only
from ci_runner.scm.failure import Kind, ScmError, answered, lost, sentence
from ci_runner.text import line as one_line

# hosts do not say their words for this in their references; these are the common ones
_TOO_LONG = re.compile(
    r"too long|longer than|(?:at most|less than) \d+ characters|maximum length|exceeds", re.IGNORECASE
)
T = TypeVar("T")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rest:
    """One API: ``root`` is its address without a slash at the end, ``host`` the SCM's name in messages, ``headers`` carry the token.

    ``query`` goes with every request; ``refusal`` says what is peculiar about an answer, None when nothing is.
    """

    host: str
    root: str
    web: Web = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    refusal: Callable[[Answer, str], Kind | None] = lambda answer, said: None  # noqa: ARG005

    def get(self, path: str, **query: Any) -> Any:
        """The parsed answer to a GET of a path below the root."""
        return self.send("GET", self.root + path, query=query)

    def send(self, method: str, url: str, body: object = None, query: Mapping[str, Any] | None = None) -> Any:
        """The parsed answer, None where it has no body. Raises RefusalError, or HttpError where no answer can be used."""
        answer = self.answer(method, url, body, query)
        return json.loads(answer.body) if answer.body else None

    def answer(self, method: str, url: str, body: object = None, query: Mapping[str, Any] | None = None) -> Answer:
        """The answer itself, with its headers; its body is JSON or empty. Raises as above."""
        said = {**self.query, **(query or {})}
        if said:
            url = f"{url}?{urlencode(said, quote_via=quote, safe='$')}"
        headers = {"Accept": "application/json", "User-Agent": "pilotage", **self.headers}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        answer = self.web.send(method, url, headers, content)
        peculiar = self.refusal(answer, _said(answer.body))
        if peculiar is not None or answer.status >= 400:
            raise RefusalError(answer, peculiar)
        return json_only(url, answer)

    def follow(self, url: str) -> Any:
        """The parsed answer of an address that an answer named; it has to lie below the root, or the token would leave."""
        ours, theirs = urlsplit(self.root), urlsplit(url)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc) or not theirs.path.startswith(ours.path + "/"):
            raise ValueError(f"the next page lies on another host than {ours.netloc}")
        return self.send("GET", url)

    def call(self, what: str, permission: str, ask: Callable[[], T], *, writes: bool = False) -> T:
        """The answer to ``ask``; everything that can go wrong becomes a ScmError that says ``what`` was wanted.

        ``writes`` marks a request that must not be repeated unseen: after it a server error means doubt.
        """
        try:
            return ask()
        except RefusalError as error:
            raise self._refused(what, permission, error, writes=writes) from None
        except HttpError as error:
            raise ScmError(f"{self.host} was asked for {what}: {error}", lost(error.trouble, writes=writes)) from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = one_line(str(error) or type(error).__name__)[:200]
            kind: Kind = "doubt" if writes else "garbled"
            message = f"{self.host} was asked for {what} and gave an answer of the wrong shape ({reason})"
            raise ScmError(message, kind) from None

    def _refused(self, what: str, permission: str, error: RefusalError, *, writes: bool) -> ScmError:
        status, said = error.answer.status, _said(error.answer.body)
        kind = error.peculiar or _kind(error.answer, said, writes=writes)
        hint = {
            "unauthorised": "the token is missing, wrong or has expired",
            "forbidden": f"the token needs {permission}",
            "missing": f"either it does not exist or the token may not see it; the token needs {permission}",
            "limited": "the rate limit is used up, and waiting longer would hold up the job",
            "down": "try again later",
            "doubt": "it may have been done all the same",
        }.get(kind, "")
        reason = said or error.words or "no reason given"
        message = f"{self.host} answered {status} to {what}: {reason}" + (f"; {hint}" if hint else "")
        return ScmError(message, kind, permission if kind in {"forbidden", "missing"} else "")


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository of an API: ``home`` is its path below the root, ``permission`` the one that most of its writes need."""

    repository: str
    rest: Rest = field(repr=False)
    home: str
    permission: str
    name: str
    comment_limit: int

    def ask(self, what: str, permission: str, ask: Callable[[], T]) -> T:
        """An answer about it; ``what`` and ``permission`` stand in the ScmError where there is none."""
        return self.rest.call(what, permission, ask)

    def get(self, path: str, **query: Any) -> Any:
        """The parsed answer of a path below ``home``; to be called within ``ask``."""
        return self.rest.get(self.home + path, **query)

    def write(self, what: str, verb: str, path: str, body: object = None, permission: str = "") -> Any:
        """The parsed answer to a change below ``home``; only a POST that may have been done is in doubt, all others can be repeated."""
        url = self.rest.root + self.home + path
        needed = permission or self.permission
        return self.rest.call(what, needed, lambda: self.rest.send(verb, url, body), writes=verb == "POST")

    def remove(self, what: str, path: str) -> None:
        """Delete what stands at a path; what is gone already is fine."""
        try:
            self.write(what, "DELETE", path)
        except ScmError as error:
            if error.kind != "missing":
                raise

    def close(self) -> None:
        """Let the connections go."""
        self.rest.web.client.close()


class RefusalError(Exception):
    """An answer that says no; ``peculiar`` is its kind where the SCM has ways of its own."""

    def __init__(self, answer: Answer, peculiar: Kind | None):
        super().__init__(answer.status)
        self.answer, self.peculiar = answer, peculiar

    @property
    def words(self) -> str:
        """What can be said of an answer that gives no reason itself."""
        location = urlsplit(self.answer.headers.get("location", "")).hostname
        if location:
            return f"it sends on to {location}"
        html = self.answer.headers.get("content-type", "").startswith("text/html")
        return "a page for people instead of JSON" if html else ""


def _kind(answer: Answer, said: str, *, writes: bool) -> Kind:
    if is_rate_limit(answer):
        return "limited"
    status = answer.status
    by_status: dict[int, Kind] = {401: "unauthorised", 403: "forbidden", 404: "missing", 410: "missing"}
    if status in by_status:
        return by_status[status]
    if status >= 500:
        return "doubt" if writes else "down"
    return "too_long" if _TOO_LONG.search(said) else "invalid"


def _said(body: bytes) -> str:
    """What an error body says: ``message``, at the top, within ``error`` or in a list ``errors``, with the detail or the fields beside it."""
    data = answered(body)
    inner = data.get("error")
    listed = data.get("errors")
    several = [each.get("message") for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return sentence([data.get("message"), *several, *(_words(inner) if isinstance(inner, dict) else [inner])])


def _words(error: Mapping[str, Any]) -> list[object]:
    fields = error.get("fields")
    said = [f"{name} {text}" for name, text in fields.items()] if isinstance(fields, dict) else []
    detail = error.get("detail")
    return [error.get("message"), detail, *said]
