"""A server that ends in the middle: it is told as that at whichever step it is met, with what ended it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from ci_runner.databases import DatabaseFailure, NobodyThere
from ci_runner.devdb import WentAway, engine
from ci_runner.devdb.ending import told
from ci_runner.errors import ConfigError, SetupError, TemporaryError
from tests.devdb.opening import RUN, opened
from tests.images.servers import assert_nothing_left, leftovers

GONE = [
    TemporaryError("cannot connect to dev: the server did not answer in time"),
    NobodyThere("cannot connect to dev: nothing listens there"),
    DatabaseFailure("server closed the connection\n\tand more words", lost=True),
]


@pytest.mark.parametrize("error", GONE, ids=lambda error: type(error).__name__)
def test_whatever_step_meets_the_end_says_what_ended_the_server(error: Exception) -> None:
    says = r"^the dev database's server went away: it was killed \(.*; run it again$"
    with pytest.raises(WentAway, match=says) as caught, told(lambda: "it was killed"):
        raise error
    assert caught.value.exit_code == 5
    assert str(error).splitlines()[0] in str(caught.value)


def test_the_place_of_a_statement_stays_and_gets_the_reason() -> None:
    with (
        pytest.raises(WentAway, match=r"went away at 1.sql:3: closed \(it was killed\); look there$"),
        told(lambda: "it was killed"),
    ):
        raise WentAway(" at 1.sql:3", "closed", "look there")


@pytest.mark.parametrize("error", [*GONE, ConfigError("nothing of the kind")], ids=lambda error: type(error).__name__)
def test_failures_of_a_server_that_runs_stay_what_they_are(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_runner.devdb.ending.SOON", 0.1)
    with pytest.raises(type(error)) as caught, told(lambda: ""):
        raise error
    assert caught.value is error


def met(url: str, kill: Callable[[set[str]], object]) -> None:
    """Open a dev database, end what came with it, and ask it for a database."""
    others = leftovers(os.getpid(), RUN)
    with opened(url) as (dev, _):
        kill({name.split()[1] for name in leftovers(os.getpid(), RUN) - others if " " in name})
        dev.fresh()


def test_a_server_of_ours_that_is_killed_between_two_sessions() -> None:
    def kill(names: set[str]) -> None:
        for name in names:
            os.kill(int(name), signal.SIGKILL)

    others = leftovers(os.getpid(), RUN)
    with pytest.raises(WentAway, match=r"went away: it ended with signal 9, its log with '[^\n]*\); run it again$"):
        met("embedded://postgres", kill)
    assert_nothing_left(os.getpid(), RUN, others)


def test_a_container_that_is_killed_between_two_sessions(postgres_image: str) -> None:
    def kill(names: set[str]) -> None:
        subprocess.run(["docker", "kill", *names], check=True, capture_output=True)

    others = leftovers(os.getpid(), RUN)
    with pytest.raises(WentAway, match="server went away: its container ended with exit code 137"):
        met("docker://postgres/15/dev", kill)
    assert_nothing_left(os.getpid(), RUN, others)


@pytest.fixture
def way(container_engine: None, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """An address of the container engine that leads nowhere any more once its listener is shut."""
    place = os.environ.get("DOCKER_HOST", engine.DEFAULT).removeprefix("unix://")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "d"))
    listener.listen()

    def carry(one: socket.socket, other: socket.socket) -> None:
        while content := one.recv(1 << 16):
            other.sendall(content)
        other.shutdown(socket.SHUT_WR)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            real = socket.socket(socket.AF_UNIX)
            real.connect(place)
            for pair in ((client, real), (real, client)):
                Thread(target=carry, args=pair, daemon=True).start()

    Thread(target=serve, daemon=True).start()
    yield f"unix://{tmp_path}/d", listener
    listener.close()


def test_an_engine_that_is_stopped_in_the_middle_takes_nothing_but_itself(
    postgres_image: str, way: tuple[str, socket.socket]
) -> None:
    place, listener = way
    environment = {**os.environ, "DOCKER_HOST": place}
    with opened("docker://postgres/15/dev", environment, RUN) as (dev, _):
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        database = dev.fresh()
        assert database.query("SELECT 1") == [(1,)]
        database.close()
    named = [name.split()[1] for name in leftovers(os.getpid(), RUN) if name.startswith("container")]
    subprocess.run(["docker", "rm", "--force", "--volumes", *named], check=True, capture_output=True)
    with (
        pytest.raises(SetupError, match="no container engine at"),
        opened("docker://postgres/15/dev", environment, RUN),
    ):
        pytest.fail("there is no engine any more")
