"""What a stranger's SQL is closed off with: containers, processes, disks, and what is not opened for it at all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from ci_runner import devdb
from ci_runner.devdb import DevDatabase, closed, isolation
from ci_runner.errors import ConfigError, PilotageError
from ci_runner.replay import replay
from tests.devdb.opening import RUN
from tests.images.servers import assert_nothing_left
from tests.replay.writing import file


@contextmanager
def strange(url: str, run: str = RUN) -> Iterator[DevDatabase]:
    with devdb.open(url, environment=os.environ, run_id=run, report=lambda _: None, trusted=False) as dev:
        yield dev


@pytest.mark.parametrize("dialect", ["sqlserver", "redshift", "snowflake"])
def test_where_no_server_is_of_our_own_nothing_of_a_strangers_is_run(dialect: str) -> None:
    url = f"{dialect}://user:pass@127.0.0.1:1/dev"
    with pytest.raises(ConfigError, match="proven against a stranger's SQL"):  # noqa: SIM117
        with strange(url, RUN):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user@127.0.0.1:1/dev",
        "mysql://user@127.0.0.1:1/dev",
        "docker://clickhouse/23.11",
        "docker://postgres/15/dev?superuser=true",
        "docker://mysql/8",
        "embedded://postgres?superuser=true",
    ],
)
def test_what_leaves_a_way_out_is_not_opened_for_strangers(url: str) -> None:
    with (
        pytest.raises(ConfigError) as caught,
        strange(url, RUN),
    ):
        pass
    assert caught.value.exit_code == 2


def test_a_disk_that_fills_ends_the_replay_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "DISK", 100 * 1024 * 1024)
    bomb = "CREATE TABLE big AS SELECT generate_series(1, 1000000000), repeat(chr(120), 900);\n"
    with strange("embedded://postgres", RUN) as dev:
        outcome = replay([], [file("1.sql", bomb)], dev, time_limit=60)
    assert outcome.error is not None
    assert "more than 1 GB was written to its disk" in outcome.error.message
    assert_nothing_left(os.getpid(), RUN)


@pytest.mark.parametrize(
    ("image", "room", "url", "code", "bomb"),
    [
        (
            "postgres_image",
            "120m",
            "docker://postgres/15/dev",
            "53100",
            "CREATE TABLE big AS SELECT generate_series(1, 1000000000), repeat(chr(120), 900);\n",
        ),
        (
            "mariadb_image",
            closed.DATA,
            "docker://mariadb/10.11/dev",
            "1021 1114",
            "CREATE TABLE big (v longtext);\nINSERT INTO big VALUES (repeat('x', 1000000));\n"
            + "INSERT INTO big SELECT v FROM big;\n" * 12,
        ),
    ],
)
def test_a_containers_disk_ends_where_it_was_given_an_end(
    image: str,
    room: str,
    url: str,
    code: str,
    bomb: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request.getfixturevalue(image)
    monkeypatch.setattr(closed, "DATA", room)
    with strange(url, RUN) as dev:
        outcome = replay([], [file("1.sql", bomb)], dev, time_limit=60)
    assert outcome.error is not None
    assert outcome.error.code in code.split()
    assert "the dev database has no more room" in outcome.error.message


def test_without_a_way_to_close_a_server_off_there_is_none_for_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "WAYS", (("no-such-program",), ("false",)))
    with (
        pytest.raises(PilotageError, match="cannot close a server off from the network") as caught,
        strange("embedded://postgres", RUN),
    ):
        pass
    assert caught.value.exit_code == 2


def inspected(container: str) -> Mapping[str, object]:
    found = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True).stdout
    answer: Mapping[str, object] = json.loads(found)[0]
    return answer


def test_a_strangers_container_has_no_network_no_rights_and_an_end_to_everything(postgres_image: str) -> None:
    run = f"{RUN}-closed"
    with strange("docker://postgres/15/dev", run) as dev:
        dev.fresh().close()
        names = subprocess.run(
            ["docker", "ps", "-q", "--filter", f"label=io.pilotage.devdb.run={run}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert len(names) == 1
        found = inspected(names[0])

        def inside(script: str) -> str:
            command = ["docker", "exec", names[0], "sh", "-c", script]
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout

        assert "uid=0" not in inside("id")
        assert "CapEff:\t0000000000000000" in inside("cat /proc/self/status")
        assert "NoNewPrivs:\t1" in inside("cat /proc/self/status")
        assert inside("touch /canary && echo written") == ""
        assert inside("cat /proc/net/dev").count(":") == 1
    host = found["HostConfig"]
    assert isinstance(host, dict)
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("none", True, ["ALL"])
    assert all(host[limit] for limit in ("Memory", "PidsLimit", "NanoCpus"))
    assert not host["PortBindings"]
    variables = {entry.partition("=")[0] for entry in found["Config"]["Env"]}  # type: ignore[index]
    assert variables <= {"POSTGRES_PASSWORD", "PATH", "LD_LIBRARY_PATH"}
    assert_nothing_left(os.getpid(), run)
