"""A stand-in for ClickHouse's server in test images: the HTTP interface, as far as clients of it go, over the engine chdb brings."""

from __future__ import annotations

import base64
import os
import re
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import chdb

DATA = "/var/lib/clickhouse/engine"
USER, PASSWORD = os.environ.get("CLICKHOUSE_USER") or "default", os.environ.get("CLICKHOUSE_PASSWORD", "")
CODE = re.compile(r"Code: (\d+)")
KILL = re.compile(r"KILL QUERY WHERE query_id = '(\w+)'")


class Sessions:
    """A connection for each session id, one statement at a time on each."""

    def __init__(self):
        self.lock = threading.Lock()
        self.connections = {}

    def of(self, name):
        with self.lock:
            if name not in self.connections:
                self.connections[name] = (chdb.connect(DATA), threading.Lock())
            return self.connections[name]


SESSIONS = Sessions()


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, b"Ok.\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        options = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        if self.headers.get("Transfer-Encoding") or self.headers.get("Content-Encoding"):
            return self.answer(
                501, b"Code: 48. DB::Exception: this stand-in takes plain bodies only. (NOT_IMPLEMENTED)"
            )
        if not self.let_in():
            words = f"Code: 516. DB::Exception: {USER}: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)"
            return self.answer(403, words.encode(), "516")
        sql = (options.get("query", "") + body.decode()).strip()
        try:
            data = self.run(sql, options)
        except Exception as error:
            words = str(error)
            return self.answer(500, words.encode(), (CODE.search(words) or ["", "1002"])[1])
        return self.answer(200, data)

    def let_in(self):
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        given = base64.b64decode(text).decode().partition(":") if kind == "Basic" else ("default", ":", "")
        return (given[0], given[2]) == (USER, PASSWORD)

    def run(self, sql, options):
        killed = KILL.match(sql)
        if killed:  # the engine gives its own query ids: found by the mark at the end of the text
            sql = f"KILL QUERY WHERE query LIKE '%-- {killed[1]}' ASYNC"
        elif options.get("query_id") and not sql.lower().startswith("insert"):
            sql += f"\n-- {options['query_id']}"
        connection, lock = SESSIONS.of(options.get("session_id") or str(threading.get_ident()))
        with lock:
            return connection.query(sql, options.get("default_format", "TabSeparated")).bytes() or b""

    def answer(self, status, body, code=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Summary", "{}")
        self.send_header("Connection", "close")
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_words):
        pass


def stopped(*_):
    """The first process of a container gets no signal it has not asked for."""
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stopped)
    SESSIONS.of("")
    if os.environ.get("CLICKHOUSE_DB"):
        SESSIONS.of("")[0].query(f"CREATE DATABASE IF NOT EXISTS `{os.environ['CLICKHOUSE_DB']}`")
    ThreadingHTTPServer(("0.0.0.0", 8123), Front).serve_forever()
