"""ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http): a session by its id, a connection for each statement.

The standard library's client does: no body is streamed and nothing is repeated, because a statement sent twice may run twice.
"""

from __future__ import annotations

import secrets
import socket
from base64 import b64encode
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlencode

from ci_runner.databases.address import Address
from ci_runner.databases.clickhouse.entry import refusal, tls
from ci_runner.databases.clickhouse.inspect import name_of
from ci_runner.databases.clickhouse.wire import NOTHING, ROWS, Refused
from ci_runner.databases.refused import seconds
from ci_runner.errors import ConfigError

ANSWER_LIMIT = 64 * 1024 * 1024
NATIVE_PORTS = frozenset({9000, 9440})


class Http:
    """A session on a server; :class:`Refused` for what the server says no to, SetupError when it lets nobody in."""

    def __init__(self, address: Address) -> None:
        if address.port in NATIVE_PORTS:
            raise ConfigError(
                f"{address}: port {address.port} speaks ClickHouse's native protocol; name the HTTP port, 8123, or 8443 with ?secure=true"
            )
        self._address = address
        self._context = tls(address)
        self._seconds = seconds(address)
        self._session = self._running = ""
        self.left_open: list[str] = []
        try:
            self._begin(seconds(address))
        except (OSError, HTTPException, Refused) as error:
            raise refusal(address, error) from None

    def ask(self, sql: str, *, rows: bool) -> str:
        """Run ``sql`` in this session."""
        self._running = secrets.token_hex(8)
        options = self._options() | {"query_id": self._running}
        try:
            return self._post(sql, options | {"default_format": ROWS if rows else NOTHING})
        except (OSError, HTTPException) as error:
            raise Refused(
                f"the connection to the server was lost: {error or type(error).__name__}", lost=True
            ) from None
        finally:
            self._running = ""

    def interrupt(self) -> None:
        """Kill what this session runs, beside it."""
        if running := self._running:
            with suppress(OSError, HTTPException):
                self._post(f"KILL QUERY WHERE query_id = '{running}' ASYNC", {})

    def renew(self) -> None:
        """Another session id; the server forgets the old one by itself."""
        self._begin(None)

    def close(self) -> None:
        """Nothing is open between statements."""

    def _begin(self, limit: int | None) -> None:
        """USE lasts for a session, where the parameter "database" would undo a migration's own USE with the next request."""
        self._session = "pilotage-" + secrets.token_hex(12)
        first = f"USE {name_of(self._address.database)}" if self._address.database else "SELECT 1"
        self._post(first, self._options() | {"default_format": NOTHING}, limit)

    def _options(self) -> dict[str, str]:
        return {"session_id": self._session, "session_timeout": "3600"}

    def _post(self, sql: str, options: dict[str, str], limit: float | None = None) -> str:
        address = self._address
        settings = {
            "wait_end_of_query": "1",  # an error behind the first rows would come under status 200
            "output_format_json_quote_64bit_integers": "0",
        }
        entry = b64encode(f"{address.user or 'default'}:{address.password}".encode()).decode()
        headers = {"Authorization": f"Basic {entry}", "Connection": "close"}
        host, port = address.host or "localhost", address.port or (8443 if self._context else 8123)
        connection = (
            HTTPSConnection(host, port, timeout=self._seconds, context=self._context)
            if self._context
            else HTTPConnection(host, port, timeout=self._seconds)
        )
        try:
            connection.connect()
            connection.sock.settimeout(limit)  # connecting has a limit, statements have none
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            body = sql.encode()
            connection.request("POST", "/?" + urlencode(settings | options, quote_via=quote), body, headers)
            answer = connection.getresponse()
            text = answer.read(ANSWER_LIMIT + 1)
        finally:
            connection.close()
        if answer.status != 200 or answer.getheader("X-ClickHouse-Exception-Code"):
            raise Refused(text[:20_000].decode(errors="replace") or f"status {answer.status}")
        if len(text) > ANSWER_LIMIT:
            raise Refused(f"Code: 396. DB::Exception: more than {ANSWER_LIMIT >> 20} MiB of rows")
        return text.decode(errors="replace")
