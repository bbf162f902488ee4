"""Every way a server does not let us in: what happened, what to do, the exit code, and never the password."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from ci_runner import databases
from ci_runner.databases import PasswordRefused
from ci_runner.errors import PilotageError
from tests.images.servers import PASSWORD, Server

SECRET = "s3cret-w0rd"
URLS = [
    ("clickhouse://u:{secret}@127.0.0.1:1/dev", "nothing listens there; start the server, or check host and port", 2),
    ("redshift://u:{secret}@127.0.0.1:1/dev", "nothing listens there", 2),
    ("clickhouse://u:{secret}@no-such-host.invalid/dev", "the host is unknown; check the host name", 2),
    ("clickhouse://u:{secret}@127.0.0.1:9000/dev", "port 9000 speaks ClickHouse's native protocol; name the HTTP port", 2),
    ("clickhouse://u:{secret}@127.0.0.1/dev?secure=maybe", "secure is true or false, not 'maybe'", 2),
    ("clickhouse://u:{secret}@127.0.0.1/dev?colour=red", "unknown option 'colour'; known options: connect_timeout", 2),
    ("sqlserver://u:{secret}@127.0.0.1:1/dev", "nothing listens there", 2),
    ("sqlserver://u:{secret}@127.0.0.1:1/dev?validate_host=2", "validate_host is true or false, not '2'", 2),
    ("snowflake://u:{secret}@account/dev?colour=red", "unknown option 'colour'", 2),
    ("oracle://u:{secret}@host/dev", "no database is known for oracle://; use one of postgres://", 2),
]  # fmt: skip


@pytest.mark.parametrize(("url", "says", "code"), URLS, ids=[row[0].partition("?")[0] for row in URLS])
def test_a_server_that_is_not_there_or_a_url_that_cannot_be_meant(url: str, says: str, code: int) -> None:
    with pytest.raises(PilotageError) as caught:
        databases.open_url(url.format(secret=SECRET))
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.exit_code == code


def test_a_wrong_password_and_a_database_that_is_not_there(clickhouse_server: Server) -> None:
    with pytest.raises(PasswordRefused, match="the password was refused; check user and password of the URL") as caught:
        databases.open_url(clickhouse_server.url(password=SECRET))
    assert SECRET not in str(caught.value)
    with pytest.raises(PilotageError, match="there is no database 'nowhere'; create it, or correct the URL"):
        databases.open_url(clickhouse_server.url("nowhere", password=PASSWORD))


@pytest.mark.parametrize("scheme", ["redshift"])
def test_the_same_of_redshift_on_its_stand_in(postgres_server: Server, scheme: str) -> None:
    def url(database: str, password: str) -> str:
        plain = postgres_server.url(database, password=password)
        return f"{plain.replace('postgres:', f'{scheme}:', 1)}?sslmode=disable"

    with pytest.raises(PasswordRefused, match="the password was refused"):
        databases.open_url(url("postgres", SECRET))
    with pytest.raises(PilotageError, match="there is no database 'nowhere'"):
        databases.open_url(url("nowhere", PASSWORD))


@contextmanager
def answering(words: bytes) -> Iterator[int]:
    """A port that says ``words`` to whoever comes, and hangs up; b"" says nothing for as long as anybody waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(4096)
                if words:
                    line.sendall(words)
                    line.shutdown(socket.SHUT_WR)
                while line.recv(
                    4096
                ):  # until the other side has enough: a question not read whole would cut off the answer
                    pass

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(20)


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (b"", "the server did not answer in time; try again", 5),
        (b"HTTP/1.1 400 Bad\r\n\r\nPort 9000 is for clickhouse-client program", "this port does not speak HTTP", 2),
        (b"HTTP/1.1 500 No\r\n\r\nCode: 194. DB::Exception: x. (REQUIRED_PASSWORD)", "the password was refused", 2),
        (b"\x00\x01\x02", "cannot connect to clickhouse://u@127.0.0.1", 2),
    ],
)
def test_something_else_that_listens_there_is_told_apart(words: bytes, says: str, code: int) -> None:
    with answering(words) as port, pytest.raises(PilotageError) as caught:
        databases.open_url(f"clickhouse://u:{SECRET}@127.0.0.1:{port}/dev?connect_timeout=1")
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.exit_code == code
