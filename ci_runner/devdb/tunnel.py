"""A way into a container that no network leads to: each connection is a process in it that talks to the server's port there."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_runner.devdb.workdir import work_folder

if TYPE_CHECKING:
    from docker.models.containers import Container

# The first line read is ours: a server that greets first (MySQL) must not speak while the engine still answers the request.
# Official images have no nc, but a bash that opens connections by itself.
_COMMAND = """read -r go
if command -v nc >/dev/null 2>&1; then exec nc 127.0.0.1 {port}; fi
exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port} && {{ cat <&3 & cat >&3; kill $!; }}'"""
_FRAME = struct.Struct(
    ">BxxxL"
)  # https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
_STDOUT = 1
_CHUNK = 1 << 16


@contextmanager
def tunnel(container: Container, port: int, name: str) -> Iterator[Path]:
    """A folder with the socket ``name``; what connects to it talks to ``port`` of the container."""
    with work_folder("pilotage-in-", os.geteuid(), os.getegid()) as folder:
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(str(folder / name))
            listener.listen()
            threading.Thread(target=_accept, args=(listener, container, port), daemon=True).start()
            yield folder
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()


def command(port: int) -> list[str]:
    """What is run in the container for a connection."""
    return ["sh", "-c", _COMMAND.format(port=port)]


def _accept(listener: socket.socket, container: Container, port: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(client, container, port), daemon=True).start()


def _carry(client: socket.socket, container: Container, port: int) -> None:
    from docker.errors import DockerException

    client_of: Any = container.client
    api = client_of.api
    try:
        process = api.exec_create(container.id, command(port), stdin=True, stdout=True, stderr=False)
        stream = api.exec_start(process["Id"], socket=True)
    except (DockerException, OSError):
        client.close()
        return
    inside: Any = getattr(stream, "_sock", stream)  # the engine's client wraps it in a reader where it can
    threading.Thread(target=_in, args=(client, inside), daemon=True).start()
    with suppress(OSError):
        _out(inside, client)
    for end in (client, inside):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
    with suppress(OSError):
        stream.close()


def _in(client: socket.socket, inside: Any) -> None:
    with suppress(OSError):
        inside.sendall(b"go\n")
        while content := client.recv(_CHUNK):
            inside.sendall(content)
    with suppress(OSError):
        inside.shutdown(socket.SHUT_RDWR)


def _out(inside: Any, client: socket.socket) -> None:
    """The process's output comes in frames that say whose it is."""
    while True:
        kind, length = _FRAME.unpack(_exactly(inside, _FRAME.size))
        content = _exactly(inside, length)
        if kind == _STDOUT:
            client.sendall(content)


def _exactly(inside: Any, length: int) -> bytes:
    parts = []
    while length:
        part = inside.recv(min(length, _CHUNK))
        if not part:
            raise OSError("the connection ended")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
