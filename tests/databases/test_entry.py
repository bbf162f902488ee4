"""Database URLs, and every way a server can refuse to let us in; no message ever holds a password."""

from __future__ import annotations

import importlib
import socket
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import databases
from ci_runner.databases.postgres import entry
from ci_runner.errors import ConfigError, PilotageError, SetupError
from tests.images.processes import free_port
from tests.images.servers import Server

SECRET = "s3cret%&word"
URL_SECRET = quote(SECRET, safe="")
SCHEMES = ("postgres", "postgresql", "mysql", "mariadb")

BAD_URLS = [
    ("oracle://h/d", "no database is known for oracle://"),
    ("just-text", "a URL without ://"),
    (f"postgres://u:{URL_SECRET}@h:port/d", "the port is not a number"),
    (f"mysql://u:{URL_SECRET}@h:99999/d", "the port is not a number"),
    (f"postgres://u:{URL_SECRET}@h/d?colour=red", "unknown option 'colour'"),
    (f"mysql://u:{URL_SECRET}@[::1/d", "it is not a URL"),
    (f"mariadb://u:{URL_SECRET}@h/d?foreign_key_checks=off", "foreign_key_checks is 0 or 1"),
    (f"mariadb://u:{URL_SECRET}@h/d?tls=perhaps", "tls is true, false or skip-verify"),
    (f"mariadb://u:{URL_SECRET}@h/d?ssl-ca=/nowhere/ca.pem", "ssl-ca=/nowhere/ca.pem cannot be read"),
    (f"postgres://u:{SECRET}#x@h/d", "has a '#'"),
    ("sqlite://x.db?mode=sideways", "mode is memory, ro, rw or rwc"),
]


def refusal(url: str, kind: type[PilotageError]) -> str:
    with pytest.raises(kind) as caught:
        databases.open_url(url)
    message = str(caught.value)
    assert SECRET not in message
    assert URL_SECRET not in message
    assert caught.value.exit_code == 2
    return message


@pytest.mark.parametrize(("url", "says"), BAD_URLS)
def test_a_url_that_cannot_be_meant_is_a_configuration_error(url: str, says: str) -> None:
    assert says in refusal(url, ConfigError)


def test_a_user_who_is_not_there_is_told_with_what_to_do(postgres_server: Server) -> None:
    url = postgres_server.url("postgres").replace("boss", "nobody")
    address = databases.parse(url)
    says = str(entry.refusal(address, 'FATAL:  role "nobody" does not exist'))
    assert "there is no user 'nobody'; create the role, or correct the URL" in says
    refusal(url, SetupError)  # a server that asks for a password does not say whether it was the user


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_wrong_password_is_told_and_never_printed(engine: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"{engine}_server")
    message = refusal(server.url("postgres", password=URL_SECRET), SetupError)
    assert "the password was refused; check user and password of the URL" in message
    assert f"{engine}://boss@127.0.0.1:{server.port}/" in message


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_an_unknown_database_is_named(engine: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"{engine}_server")
    assert "there is no database 'nowhere'" in refusal(server.url("nowhere"), SetupError)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_refused_port_says_that_nothing_listens(scheme: str) -> None:
    port = free_port()
    message = refusal(f"{scheme}://u:{URL_SECRET}@127.0.0.1:{port}/d", SetupError)
    assert "nothing listens there" in message
    assert str(port) in message


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_unknown_host_is_told(scheme: str) -> None:
    assert "the host is unknown" in refusal(f"{scheme}://u:{URL_SECRET}@no-such-host.invalid/d", SetupError)


@pytest.mark.parametrize("scheme", ["postgres", "mysql"])
def test_a_missing_socket_says_that_nothing_is_there(scheme: str, tmp_path: Path) -> None:
    message = refusal(f"{scheme}://u:{URL_SECRET}@localhost/d?socket={tmp_path}/none", SetupError)
    assert "start the server" in message


@pytest.mark.parametrize("scheme", ["postgres", "mysql"])
def test_a_port_that_accepts_and_says_nothing_is_given_up_after_the_time_limit(scheme: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"{scheme}://u:{URL_SECRET}@127.0.0.1:{silent.getsockname()[1]}/d?connect_timeout=2"
        with pytest.raises(PilotageError) as caught:
            databases.open_url(url)
    assert caught.value.exit_code == 5
    assert SECRET not in str(caught.value)
    assert "did not answer in time" in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "module", "extra"),
    [("postgres", "psycopg", "pilotage[postgres]"), ("mysql", "pymysql", "pilotage[mysql]")],
)
def test_a_missing_driver_says_how_to_install_it(
    scheme: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert f"pip install '{extra}'" in refusal(f"{scheme}://u:{URL_SECRET}@127.0.0.1/d", SetupError)


def test_a_file_that_is_no_sqlite_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("this is no database, and long enough to be read as one\n" * 50)
    assert "check that it is an SQLite file" in refusal(f"sqlite://{tmp_path}/notes.txt", SetupError)


def test_importing_the_doors_loads_no_client_library() -> None:
    clients = tuple(
        f"import {name}" for name in ("psycopg", "pymysql", "pytds", "snowflake", "redshift_connector", "chdb")
    )
    for name in dict.fromkeys(databases.SCHEMES.values()):
        source = Path(importlib.import_module(f"ci_runner.databases.{name}").__file__ or "").read_text(encoding="utf-8")
        head = source.partition("\n\n\n")[0]
        assert not any(line.startswith(clients) for line in head.splitlines())


@given(
    user=st.text(min_size=1, max_size=12),
    password=st.text(min_size=1, max_size=20),
    scheme=st.sampled_from(SCHEMES),
)
@settings(deadline=None, max_examples=200)
def test_every_user_and_password_survives_the_url_and_none_is_shown(user: str, password: str, scheme: str) -> None:
    address = databases.parse(f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@h:1234/shop")
    assert (address.user, address.password, address.host, address.port, address.database) == (
        user,
        password,
        "h",
        1234,
        "shop",
    )
    other = replace(address, password="another")  # what is shown does not depend on it
    assert (str(address), repr(address)) == (str(other), repr(other))
