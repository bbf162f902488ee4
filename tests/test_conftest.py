"""What every test leans on holds: no test gets to a cloud's metadata service, not even unseen."""

from __future__ import annotations

import socket

import pytest

from tests import conftest


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("169.254.169.254", True),
        ("169.254.0.1", True),
        ("fe80::1%lo", True),
        ("fd00:ec2::254", True),
        ("metadata.google.internal", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_link_local_addresses_are_known(host: str, refused: bool) -> None:
    assert conftest.link_local(host) == refused


def test_a_socket_to_one_fails_and_is_remembered() -> None:
    with socket.socket() as client, pytest.raises(OSError, match="a test reached for"):
        client.connect(("169.254.169.254", 80))
    with pytest.raises(OSError, match="a test reached for"):
        socket.create_connection(("169.254.170.2", 80), 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, pytest.raises(OSError, match="a test reached for"):
        client.sendto(b"x", ("169.254.169.254", 53))
    assert conftest._REACHED == ["169.254.169.254", "169.254.170.2", "169.254.169.254"]
    conftest._REACHED.clear()


def test_other_sockets_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname(), 1) as client:
            client.sendall(b"hello")
        with server.accept()[0] as other:
            assert other.recv(5) == b"hello"
