"""A receiver of webhooks as they are met: it answers as told, also late, never, with HTML or by sending elsewhere."""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Got:
    """One request: path, headers in lower case, bytes of the body, and Unix time."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Say:
    """One answer. ``after`` seconds pass first; ``drip`` sends the head byte by byte with that pause; ``cut`` hangs up instead."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    drip: float = 0.0
    cut: bool = False


class Receiver:
    """``with Receiver(Say(500), Say(200)) as receiver``: the answers in order, the last one for ever."""

    def __init__(self, *answers: Say, certificate: tuple[str, str] | None = None):
        self.answers = list(answers) or [Say()]
        self.got: list[Got] = []
        self.closing = threading.Event()
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.names: list[str | None] = []
        self.port = self.server.server_port
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}/services/T0/B0/secretpath1234"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def next(self) -> Say:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that gave up is part of the test."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Got(self.path, headers, body, time.time()))
            say = receiver.next()
            receiver.closing.wait(say.after)
            if say.cut:
                self.connection.close()
                return
            head = [f"HTTP/1.1 {say.status} Said", f"Content-Length: {len(say.body)}", "Connection: close"]
            head += [f"{name}: {value}" for name, value in say.headers.items()]
            raw = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + say.body
            for at in range(0, len(raw), 1 if say.drip else len(raw)):
                self.wfile.write(raw[at : at + (1 if say.drip else len(raw))])
                self.wfile.flush()
                if receiver.closing.wait(say.drip):
                    return

        def log_message(self, *_: object) -> None:
            pass

    return Handler
