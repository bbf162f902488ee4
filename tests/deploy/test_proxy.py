"""Between us and the server: a pooler that hands sessions round, and a connection that is cut before, during and after COMMIT."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.deploy.place import Place
from tests.images.processes import account, as_user, free_port, owned_folder
from tests.images.servers import PASSWORD, Server

FILES = {
    "1_a.sql": "CREATE TABLE marks (n int);\n",
    "2_b.sql": "INSERT INTO marks VALUES (1);\nINSERT INTO marks VALUES (2);\n",
    "3_c.sql": "INSERT INTO marks VALUES (3);\n",
}

READY = b"Z\x00\x00\x00\x05"  # ReadyForQuery; a letter for the transaction's state follows


def listening(serve: Callable[[socket.socket], None]) -> tuple[socket.socket, int]:
    """A socket of ours and its port; ``serve`` gets each client that comes, in a thread of its own, until the socket is closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener, listener.getsockname()[1]


class Proxy:
    """Passes bytes on until one message of the client's holds ``needle`` for the ``nth`` time; then cuts: before it is sent on, or behind it.

    ``then`` waits for the server's answer, which it does not pass on.
    """

    def __init__(self, port: int, needle: bytes, nth: int, when: str) -> None:
        self.target, self.needle, self.nth, self.when = port, needle, nth, when
        self.cut = threading.Event()
        self._seen = 0
        self.listener, self.port = listening(self._serve)

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.target))
        swallow = threading.Event()
        threading.Thread(target=self._up, args=(client, server, swallow), daemon=True).start()
        self._down(client, server, swallow)

    def _up(self, client: socket.socket, server: socket.socket, swallow: threading.Event) -> None:
        while data := _receive(client):
            if self.needle in data and not self.cut.is_set():
                self._seen += 1
                if self._seen == self.nth:
                    self.cut.set()
                    if self.when == "before":
                        break
                    swallow.set()
                    server.sendall(data)
                    time.sleep(0.3 if self.when == "answer" else 0)
                    break
            server.sendall(data)
        _close(client, server)

    def _down(self, client: socket.socket, server: socket.socket, swallow: threading.Event) -> None:
        while data := _receive(server):
            if swallow.is_set():
                continue
            try:
                client.sendall(data)
            except OSError:
                break
        if not swallow.is_set():
            _close(client, server)


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def _close(*connections: socket.socket) -> None:
    for connection in connections:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
        finally:
            connection.close()


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
@pytest.mark.parametrize("when", ["before", "sent", "answer"])
def test_after_a_cut_at_commit_the_row_tells_the_truth(place: Place, when: str) -> None:
    port = int(place.url.rpartition(":")[2].partition("/")[0])
    proxy = Proxy(port, b"COMMIT", 2 if place.engine == "postgres" else 1, when)
    direct = place.url
    place.url = place.url.replace(f":{port}/", f":{proxy.port}/")
    outcome = place.deploy(FILES)
    proxy.listener.close()
    assert proxy.cut.is_set(), "the cut did not land"
    place.url = direct
    told = [each.version for each in outcome.applied]
    remembered = [row.version for row in place.memory().revisions if row.state == "applied"]
    assert told == remembered, outcome.error
    if when == "answer":
        assert outcome.status == "ok", outcome.error
        assert any("it was committed" in line for line in place.said) or place.engine == "mariadb"
    else:
        assert outcome.exit_code in {0, 5}
    assert place.deploy(FILES).exit_code == 0
    assert place.marks() == [1, 2, 3]


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_connection_cut_within_a_statement_is_temporary_and_the_next_run_finishes(place: Place) -> None:
    port = int(place.url.rpartition(":")[2].partition("/")[0])
    proxy = Proxy(port, b"VALUES (2)", 1, "sent")
    direct = place.url
    place.url = place.url.replace(f":{port}/", f":{proxy.port}/")
    outcome = place.deploy(FILES)
    proxy.listener.close()
    place.url = direct
    assert outcome.exit_code == 5, outcome.error
    assert place.deploy(FILES).status == "ok"
    assert place.marks() == [1, 2, 3]


@pytest.fixture
def bouncer(postgres_server: Server, need: Callable[[bool, str, str], None]) -> Iterator[Callable[[str, str], str]]:
    """``bouncer("transaction", "database")``: the address of that database behind a pooler in that mode."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or ""
    need(bool(program), "PgBouncer", "apt-get install pgbouncer")
    started: list[subprocess.Popen[bytes]] = []
    owner = account("postgres")
    with owned_folder(owner) as folder:

        def start(mode: str, database: str) -> str:
            port = free_port()
            settings = Path(folder) / f"{mode}.ini"
            settings.write_text(
                f"[databases]\n* = host=127.0.0.1 port={postgres_server.port}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n"
                f"auth_type=plain\nauth_file={folder}/users\npool_mode={mode}\nunix_socket_dir=\ndefault_pool_size=5\n"
            )
            (Path(folder) / "users").write_text(f'"boss" "{PASSWORD}"\n')
            for path in (settings, Path(folder) / "users"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            started.append(subprocess.Popen([program, str(settings)], stderr=subprocess.DEVNULL, **as_user(owner)))
            end = time.monotonic() + 20
            while time.monotonic() < end:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                except OSError:
                    time.sleep(0.05)
                else:
                    break
            return postgres_server.url(database).replace(f":{postgres_server.port}/", f":{port}/")

        yield start
        for process in started:
            process.terminate()
            process.wait(10)


def assert_refused_untouched(direct: Place, behind: Place) -> None:
    """A deployment by way of ``behind`` is refused with the way out, and nothing stands in the database."""
    refused = behind.deploy(FILES)
    assert refused.error is not None
    assert refused.error.code == 2
    assert "direct address" in refused.error.message
    assert not direct.memory().there
    assert direct.rows("SELECT count(*) FROM pg_tables WHERE tablename = 'marks'") == [(0,)]


def test_a_pooler_in_transaction_mode_is_refused_before_the_first_statement(
    postgres: Place, bouncer: Callable[[str, str], str]
) -> None:
    database = postgres.url.rpartition("/")[2]
    assert_refused_untouched(postgres, Place("postgres", bouncer("transaction", database)))


class Swapper:
    """Passes one client's bytes on to one of two sessions, and to the other one after each transaction."""

    def __init__(self, server: Server, database: str) -> None:
        self.server, self.database = server, database
        self.listener, self.port = listening(self._serve)

    def _serve(self, client: socket.socket) -> None:
        with (
            psycopg.connect(self.server.url(self.database), autocommit=True) as second,
            socket.create_connection(("127.0.0.1", self.server.port)) as first,
            socket.socket(fileno=os.dup(second.fileno())) as other,
        ):
            other.setblocking(True)
            sessions = [first, other]
            while data := _receive(client):
                sessions[0].sendall(data)
                answer = sessions[0].recv(65536)
                while (
                    len(answer) > 6 and answer[-6:-1] != READY and answer[:1] != b"R"
                ):  # a query's answer is not whole yet
                    answer += sessions[0].recv(65536)
                client.sendall(answer)
                if answer.endswith(READY + b"I"):
                    sessions.reverse()
        client.close()


def test_a_proxy_that_swaps_sessions_is_refused_before_the_first_statement(
    postgres: Place, postgres_server: Server
) -> None:
    database = postgres.url.rpartition("/")[2]
    swapper = Swapper(postgres_server, database)
    behind = Place("postgres", postgres.url.replace(f":{postgres_server.port}/", f":{swapper.port}/"))
    assert_refused_untouched(postgres, behind)
    swapper.listener.close()


def test_a_pooler_in_session_mode_keeps_the_lock_and_is_used(
    postgres: Place, bouncer: Callable[[str, str], str]
) -> None:
    database = postgres.url.rpartition("/")[2]
    outcome = Place("postgres", bouncer("session", database)).deploy(FILES)
    assert outcome.status == "ok", outcome.error
    assert postgres.marks() == [1, 2, 3]
