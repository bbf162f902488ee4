"""The ways to a container's server: the order they are tried in, and each of those that can be had on one machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ci_runner import devdb
from ci_runner.devdb import container, engine, reach, tunnel
from ci_runner.errors import TemporaryError
from tests.devdb.opening import RUN
from tests.devdb.test_embedded import hanging
from tests.images.servers import assert_nothing_left, leftovers

BRIDGE = {
    "Ports": {"5432/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49153"}]},
    "Networks": {"bridge": {"IPAddress": "172.17.0.2", "Gateway": "172.17.0.1"}},
}
OWN = {"Ports": {}, "Networks": {"shop_default": {"IPAddress": "172.20.0.3", "Gateway": "172.20.0.1"}}}
NONE: dict[str, Any] = {"Ports": {}, "Networks": {"none": {"IPAddress": "", "Gateway": ""}}}
ADDRESSES = [
    # network settings, DOCKER_HOST, inside a container?, what is tried in order
    (BRIDGE, "", False, [("a published port", "127.0.0.1", 49153)]),
    (BRIDGE, "tcp://docker:2376", False, [("the engine's host", "docker", 49153)]),
    (BRIDGE, "ssh://ada@build", False, [("the engine's host", "build", 49153)]),
    (
        BRIDGE,
        "",
        True,
        [("a published port", "127.0.0.1", 49153), ("its address", "172.17.0.2", 5432), ("its gateway", "172.17.0.1", 49153)],
    ),
    (OWN, "", True, [("its address", "172.20.0.3", 5432), ("its name", "box", 5432)]),
    (OWN, "", False, []),
    (NONE, "", True, []),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "host", "inside", "expected"), ADDRESSES)
def test_addresses_come_in_the_order_of_the_ladder(
    settings: dict[str, Any], host: str, inside: bool, expected: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_MARKS", ("/",) if inside else ("/no/such/mark",))
    box: Any = SimpleNamespace(attrs={"NetworkSettings": settings}, name="box")
    assert list(engine.addresses(box, 5432, {"DOCKER_HOST": host})) == expected


def opened(trusted: bool, url: str = "docker://postgres/15/dev") -> tuple[str, list[tuple[object, ...]]]:
    lines: list[str] = []
    with devdb.open(url, environment=os.environ, run_id=RUN, report=lines.append, trusted=trusted) as dev:
        database = dev.fresh()
        database.execute([], transaction=True)
        rows = database.query("SELECT 1" if trusted else f"SELECT '{'x' * 300_000}'")  # more than one frame
        database.close()
    assert_nothing_left(os.getpid(), RUN)
    assert not list(Path("/dev/shm").glob(f"pilotage-in-{os.getpid()}-*"))
    return lines[-1].rpartition("reached by ")[2], rows


def test_a_process_in_the_container_leads_in_where_no_address_does(
    postgres_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "addresses", lambda *_: iter(()))
    monkeypatch.setattr(reach, "TUNNEL_AFTER", 0.0)
    assert opened(trusted=True) == ("a process in the container", [(1,)])


def test_a_closed_container_is_reached_by_its_socket(postgres_image: str) -> None:
    assert opened(trusted=False) == ("its socket", [("x" * 300_000,)])


def test_where_the_engine_does_not_see_our_folders_a_process_leads_in(
    mariadb_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that greets first, through an engine on another machine: no folder is mounted, and nothing of the greeting is lost."""
    monkeypatch.setattr(engine, "remote_host", lambda _environment: "elsewhere")
    way, rows = opened(trusted=False, url="docker://mariadb/10.11/dev")
    assert way == "a process in the container"
    assert rows == [("x" * 300_000,)]


def test_a_folder_the_engine_does_not_have_is_not_made_there(
    postgres_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ci_runner.devdb import closed

    monkeypatch.setattr(closed, "_mount", lambda _folder, place: mount(place))
    assert opened(trusted=False)[0] == "a process in the container"
    assert not Path("/no/such/folder/of/ours").exists()


def mount(place: str) -> Any:
    from docker.types import Mount

    return Mount(place, "/no/such/folder/of/ours", type="bind")


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that greets, then sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        client.sendall(b"hello;")
        while content := client.recv(100):
            client.sendall(content)
        client.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()
    thread.join(5)


@pytest.mark.parametrize("tools", ["bash", "nc"])
def test_what_runs_in_the_container_needs_nc_or_bash(tools: str, echo: int, tmp_path: Path) -> None:
    """Official images have no nc, but bash; ours have it the other way round."""
    for name in ["sh", "cat", "bash"] if tools == "bash" else ["sh"]:
        (tmp_path / name).symlink_to(f"/bin/{name}")
    if tools == "nc":
        (tmp_path / "nc").write_text('#!/bin/sh\nexec /bin/busybox nc "$@"\n')
        (tmp_path / "nc").chmod(0o755)
    process = subprocess.Popen(
        tunnel.command(echo), env={"PATH": str(tmp_path)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        executable="/bin/sh",
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"go\n")
    assert process.stdout.read(6) == b"hello;"
    process.stdin.write(b"question")
    assert process.stdout.read(8) == b"question"
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_after_kill_9_the_next_run_removes_the_container(postgres_image: str) -> None:
    run = f"{RUN}-killed"
    process = hanging("docker://postgres/15/dev", run)
    process.kill()
    process.wait(20)
    left = {name for name in leftovers(process.pid, run) if name.startswith("container")}
    assert len(left) == 1
    client = engine.connect(os.environ)
    (box,) = client.containers.list(all=True, filters={"label": f"{container.LABEL}.run={run}"})
    expires = int(box.labels[f"{container.LABEL}.expires"])
    assert time.time() < expires <= time.time() + container.LIFETIME

    class Mine:
        """The engine's containers of this test: those of others beside it must live."""

        def list(self, **options: Any) -> list[Any]:
            return [each for each in client.containers.list(**options) if each.labels[f"{container.LABEL}.run"] == run]

    container.reap(SimpleNamespace(containers=Mine()), expires - 1)  # type: ignore[arg-type]
    assert {name for name in leftovers(process.pid, run) if name.startswith("container")} == left
    container.reap(SimpleNamespace(containers=Mine()), expires + 1)  # type: ignore[arg-type]
    client.close()
    assert_nothing_left(process.pid, run)


EVENTS = [
    {"id": "a", "status": "Pulling fs layer"},
    {"id": "b", "status": "Already exists"},
    {"id": "c", "status": "Downloading"},
    {"id": "a", "status": "Pull complete"},
]


def pulling(events: list[dict[str, str]]) -> Any:
    return SimpleNamespace(api=SimpleNamespace(pull=lambda *_, **__: iter(events)))


def test_a_pull_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SAY_AFTER", -1.0)
    lines: list[str] = []
    engine._pull(pulling(EVENTS), "postgres:16", lines.append, 60)
    assert lines[-1] == "pulling postgres:16: 2 of 3 layers"
    assert len(lines) == len(EVENTS)


def test_a_pull_that_takes_too_long_may_be_tried_again() -> None:
    with pytest.raises(
        TemporaryError, match=r"postgres:16 was not pulled within -1 s; run again, or `docker pull"
    ) as caught:
        engine._pull(pulling(EVENTS), "postgres:16", lambda _: None, -1)
    assert caught.value.exit_code == 5


def test_a_strangers_server_ends_with_a_run_that_is_killed() -> None:
    """Leaving a namespace clears the wish to die with the parent; it must be said again."""
    script = (
        "import os, sys\nfrom ci_runner import devdb\nfrom ci_runner.databases import Sql\n"
        "with devdb.open('embedded://postgres', environment=dict(os.environ), run_id='x', report=print, trusted=False) as dev:\n"
        "    database = dev.fresh()\n    print('ready', flush=True)\n    database.execute([Sql('SELECT pg_sleep(600)')], transaction=False)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "ready" not in (line := process.stdout.readline()):
        assert line, "the process ended before its dev database was open"
    process.kill()
    process.wait(20)
    process.stdout.close()
    end = time.monotonic() + 20
    while any(name.startswith("process") for name in leftovers(process.pid)):
        assert time.monotonic() < end, "the server outlived the program"
        time.sleep(0.05)
    with devdb.open("embedded://postgres", environment=os.environ, run_id=RUN, report=lambda _: None):
        assert_nothing_left(process.pid)
