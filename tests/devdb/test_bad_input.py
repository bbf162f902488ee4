"""Everything that can be wrong with a dev database, through the command: what it says, its exit code, and that nothing of it stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.devdb.test_contract import direct_url
from tests.images.containers import engine_answers
from tests.images.processes import free_port
from tests.images.servers import Server, leftovers

ROOT = Path(__file__).resolve().parents[2]
HARMLESS = "CREATE TABLE t (id int);\n"
# The title of its process says DO, which no question of our own does.
SLEEP = "DO $$ BEGIN PERFORM pg_sleep(600); END $$;\n"


class Command:
    """``pilotage lint`` of one migration, as a process of its own session."""

    def __init__(self, folder: Path, url: str, sql: str, environ: Mapping[str, str]) -> None:
        (folder / "migrations").mkdir()
        (folder / "migrations" / "1_change.sql").write_text(sql)
        command = [sys.executable, "-m", "ci_runner", "lint", "--all", "--dialect", "postgres", "--dev-url", url]
        given = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environ}
        given |= {
            name: value for name, value in os.environ.items() if name.startswith("DOCKER_") and name not in environ
        }
        self.process = subprocess.Popen(
            command, cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def done(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=120)
        return self.process.returncode, " ".join(said.split())

    def running(self) -> set[str]:
        """Its own processes, those of its servers, folders and containers."""
        found = leftovers(self.process.pid) | session(self.process.pid)
        if engine_answers():
            mark = f"label=io.pilotage.devdb.process={self.process.pid}"
            command = ["docker", "ps", "-aq", "--filter", mark]
            found |= set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        return found


def session(leader: int) -> set[str]:
    """Processes of the session that a process leads; /proc/PID/stat, proc(5)."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.add(f"process {entry.name}")
    return found


class Case(NamedTuple):
    """A dev URL, and what the run says and ends with."""

    says: str
    code: int
    url: str
    sql: str = HARMLESS
    environ: Mapping[str, str] = {}


CASES = {
    "no daemon": Case(
        r"no container engine at unix:///nowhere/docker.sock: start Docker.*embedded://postgres/18", 2, "docker://postgres/15/dev",
        environ={"DOCKER_HOST": "unix:///nowhere/docker.sock"},
    ),
    "no image": Case(r"image localhost:1/no/such:image is not on this machine.*docker pull", 2, "docker+postgres://localhost:1/no/such:image/dev"),
    "version not installed": Case(r"PostgreSQL 11 is not on this machine: .*docker://postgres/11/dev", 2, "embedded://postgres/11"),
    "extension missing": Case(r"is not available.*docker://postgis/", 1, "embedded://postgres", "CREATE EXTENSION postgis;\n"),
    "a right missing": Case(r"permission denied.*\?superuser=true", 1, "embedded://postgres", "CREATE ROLE x;\n"),
    "an engine of another kind": Case(r"migrations is postgres, but its dev database is sqlite", 2, "sqlite://dev?mode=memory"),
    "an image of another kind": Case(r"^error: migrations is postgres, but its dev database is mysql", 2, "docker://mysql/8/dev"),
    "no such scheme": Case(r"no dev database is known for oracle://", 2, "oracle://x"),
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Start the command; afterwards nothing of it may be there."""
    commands: list[Command] = []

    def start(url: str, sql: str = HARMLESS, environ: Mapping[str, str] | None = None) -> Command:
        folder = tmp_path / str(len(commands))
        folder.mkdir()
        commands.append(Command(folder, url, sql, environ or {}))
        return commands[-1]

    yield start
    for command in commands:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait()
    end = time.monotonic() + 10
    for command in commands:
        while left := command.running():
            assert time.monotonic() < end, f"left behind: {left}"
            time.sleep(0.1)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_missing_is_said_with_its_remedy(case: Case, run: Callable[..., Command]) -> None:
    code, said = run(case.url, case.sql, case.environ).done()
    assert re.search(case.says, said), said
    assert code == case.code


def test_a_port_where_nobody_listens(run: Callable[..., Command]) -> None:
    port = free_port()
    code, said = run(f"postgres://user:hidden-pw@127.0.0.1:{port}/dev").done()
    assert code == 2
    assert f"127.0.0.1:{port}" in said
    assert re.search(r"nobody listens|refused", said)
    assert "hidden-pw" not in said


def test_a_wrong_password(run: Callable[..., Command], postgres_server: Server) -> None:
    code, said = run(postgres_server.url("postgres", password="wrong-hidden-pw")).done()
    assert code == 2
    assert "the password was refused" in said
    assert "wrong-hidden-pw" not in said


def test_a_dirty_database(run: Callable[..., Command], postgres_server: Server) -> None:
    url = direct_url("direct-postgres", postgres_server)
    postgres_server.run("CREATE TABLE precious (id int)", database="clean")
    code, said = run(url).done()
    assert code == 2
    assert "connected database is not clean: found table precious; nothing was dropped" in said
    assert postgres_server.rows("SELECT count(*) FROM precious", "clean") == [(0,)]


def until(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def test_two_runs_on_one_database(run: Callable[..., Command], postgres_server: Server) -> None:
    url = direct_url("direct-postgres", postgres_server)
    first = run(url, SLEEP)
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
    until(lambda: postgres_server.rows(sleeping, "postgres") != [(0,)], first.process)
    code, said = run(url).done()
    assert code == 5
    assert "is in use by another run" in said
    first.process.send_signal(signal.SIGTERM)
    assert first.done()[0] not in {0, 1}
    until(lambda: postgres_server.rows(sleeping, "postgres") == [(0,)], run(url).process)
    postgres_server.run("DROP DATABASE clean", database="postgres")


def test_a_server_that_dies_in_the_middle(run: Callable[..., Command]) -> None:
    command = run("embedded://postgres", SLEEP)
    mark = f"pilotage-pg-{command.process.pid}-"

    def servers() -> list[int]:
        return [pid for pid, words in processes() if mark in words and "/bin/postgres" in words]

    until(lambda: any(asleep(server) for server in servers()), command.process)
    for pid in servers():
        os.kill(pid, signal.SIGQUIT)
    code, said = command.done()
    assert code == 5
    assert re.search(r"the dev database's server went away at 1_change.sql:1: .*run it again", said), said


def asleep(server: int) -> bool:
    """Does a session of that server run the long statement?"""
    return any(" DO" in words and parent(pid) == server for pid, words in processes())


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_container_that_is_killed_in_the_middle(run: Callable[..., Command], postgres_image: str) -> None:
    command = run("docker://postgres/15/dev", SLEEP)
    mark = f"label=io.pilotage.devdb.process={command.process.pid}"

    def containers() -> list[str]:
        listed = subprocess.run(["docker", "ps", "-q", "--filter", mark], capture_output=True, text=True, check=True)
        return listed.stdout.split()

    def sleeping() -> bool:
        return any(
            b" DO" in subprocess.run(["docker", "top", each], capture_output=True, check=False).stdout
            for each in containers()
        )

    until(sleeping, command.process)
    subprocess.run(["docker", "kill", *containers()], check=True, capture_output=True)
    code, said = command.done()
    assert code == 5
    assert "the dev database's server went away" in said


def processes() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
