"""The HTTP half of every fake API: a real server on loopback, faults on demand, each message held against a description."""

from __future__ import annotations

import argparse
import json
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.description import Description

Reply = tuple[int, Any]
Self = TypeVar("Self", bound="Fake")


@dataclass
class Fault:
    """What goes wrong: ``times`` requests whose place, usually "METHOD /path", matches ``where`` (a regular expression) end so.

    ``how``: ``status`` (refused, nothing done), ``cut`` (done, then the line goes dead), ``done-then-status`` (done, then a server
    error), ``slow`` (done, answered after ``seconds``), ``html`` (a sign-in page), ``truncated`` (half of the answer), ``broken``
    (half of the JSON in a whole answer), ``redirect``.
    """

    where: str
    how: str = "status"
    times: int = 1
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Asked:
    """A request as it came: ``path`` without prefix, ``query`` decoded, ``body`` parsed; ``absolute`` as asked of a proxy."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes = b""
    query_text: str = ""
    absolute: bool = False


class Fake:
    """A stateful fake; ``requests`` says what was asked, ``violations`` what broke the vendor's description."""

    prefix = ""

    def __init__(
        self, state: dict[str, Any], description: Description | None, port: int = 0, state_file: Path | None = None
    ):
        self.state_file = state_file
        self.state = json.loads(state_file.read_text()) if state_file and state_file.exists() else state
        self.description = description
        self.faults: list[Fault] = []
        self.requests: list[Asked] = []
        self.violations: list[str] = []
        self.lock = threading.RLock()
        self.server = _Server(("127.0.0.1", port), _handler(self))
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        return self.origin + self.prefix

    def __enter__(self: Self) -> Self:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, asked: Asked) -> Reply:
        """Status and body of a request that nothing goes wrong with."""
        raise AssertionError("each fake answers for itself")

    def headers(self, asked: Asked, status: int, answer: Any) -> dict[str, str]:
        """What the vendor adds to an answer of this status."""
        return {}

    def page(self, asked: Asked, answer: Any) -> tuple[Any, dict[str, str]]:
        """The page asked for of a list, with the headers that lead to the next."""
        return answer, {}

    def described(self, asked: Asked) -> bool:
        """Whether the description knows this path."""
        return True

    def deviates(self, status: int, answer: Any) -> bool:
        """Whether the vendor is known to answer so although its description says otherwise."""
        return False

    def asked(self, method: str, path: str = "") -> int:
        """How many requests of a method had ``path`` in theirs."""
        return sum(1 for each in self.requests if each.method == method and path in each.path)

    def number(self) -> int:
        self.state["next"] += 1
        return int(self.state["next"])

    def save(self) -> None:
        if self.state_file:
            self.state_file.write_text(json.dumps(self.state, indent=1))

    def place(self, asked: Asked) -> str:
        """What faults are matched with."""
        return f"{asked.method} {asked.path}"

    def take_fault(self, asked: Asked) -> Fault | None:
        place = self.place(asked)
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.where, place):
                fault.times -= 1
                return fault
        return None

    def checked(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        """The page asked for, with request and answer held against the description."""
        known = self.description if self.description and self.description.spec and self.described(asked) else None
        request = None
        if known:
            request, problem = known.problems(asked.method, asked.path, asked.query_text, asked.headers, asked.raw)
            if problem:
                self.violations.append(f"request {asked.method} {asked.path}: {problem}")
        status, answer = self.answer(asked)
        page, links = self.page(asked, answer)
        if known and page is not None and not self.deviates(status, page):
            problem = known.response_problem(request, status, json.dumps(page).encode())
            if problem:
                self.violations.append(f"response {asked.method} {asked.path} {status}: {problem}")
        return status, page, {**self.headers(asked, status, answer), **links}


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            """Quiet."""

        def serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            where = urlsplit(self.path)
            names = {name.lower(): value for name, value in self.headers.items()}
            path = where.path.removeprefix(fake.prefix)
            asked = Asked(
                self.command,
                path,
                dict(parse_qsl(where.query)),
                names,
                json.loads(raw) if raw else None,
                raw,
                where.query,
                bool(where.netloc),
            )
            with fake.lock:
                fault = fake.take_fault(asked)
                fake.requests.append(asked)
                if fault and fault.how in {"status", "html", "redirect"}:
                    self.refuse(fault)
                    return
                status, page, headers = fake.checked(asked)
                fake.save()
            self.give(status, page, headers, fault)

        def refuse(self, fault: Fault) -> None:
            if fault.how == "html":
                self.send(200, b"<html><title>Sign in</title></html>", {"Content-Type": "text/html; charset=utf-8"})
            elif fault.how == "redirect":
                self.send(302, b"", {"Location": "https://login.example.org/?next=secret"})
            else:
                body = {"message": "Server Error"} if fault.body is None else fault.body
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send(fault.status, data, fault.headers)

        def give(self, status: int, answer: Any, headers: dict[str, str], fault: Fault | None) -> None:
            data = b"" if answer is None else json.dumps(answer).encode()
            how = fault.how if fault else ""
            if how == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif how == "done-then-status" and fault:
                self.send(fault.status, b'{"message": "Server Error"}', {})
            elif how == "truncated":
                self.send(status, data[: len(data) // 2], {**headers, "Content-Length": str(len(data))})
                self.close_connection = True
            else:
                if how == "slow" and fault:
                    time.sleep(fault.seconds)
                self.send(status, data[: len(data) // 2] if how == "broken" else data, headers)

        def send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            given = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(data)), **headers}
            if status == 204:
                del given["Content-Type"], given["Content-Length"]
            for name, value in given.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = serve  # noqa: N815

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is part of the play."""


def serve(make: Any, program: str) -> None:
    """A fake from a shell: prints its address, then each broken rule of the description, until it is interrupted."""
    parser = argparse.ArgumentParser(prog=program)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, default=None, help="read if it is there, written after each change")
    chosen = parser.parse_args()
    fake = make(port=chosen.port, state_file=chosen.state)
    fake.save()
    print(fake.url, flush=True)
    with fake:
        seen = 0
        while True:
            time.sleep(0.2)
            for violation in fake.violations[seen:]:
                print(violation, flush=True)
            seen = len(fake.violations)
