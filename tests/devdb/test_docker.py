"""Containers: what a URL means, every way one does not come up, and that none is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ci_runner.databases import Address, DatabaseFailure
from ci_runner.devdb import container, engine, images
from ci_runner.devdb.container import LABEL, started
from ci_runner.devdb.reach import Ways, reach
from ci_runner.errors import ConfigError, PilotageError, SetupError, TemporaryError
from tests.devdb.opening import RUN, execute, opened
from tests.devdb.test_embedded import hanging
from tests.images.servers import assert_nothing_left, leftovers

URLS = [
    # URL, image, database, an image of the user's own
    ("docker://postgres/15/dev", "postgres:15", "dev", False),
    ("docker://postgres/15/dev?search_path=public", "postgres:15", "dev", False),
    ("docker://postgres/15", "postgres:15", "postgres", False),
    ("docker://postgres", "postgres", "postgres", False),
    ("docker://mysql/8/dev", "mysql:8", "dev", False),
    ("docker://mysql/8", "mysql:8", "", False),
    ("docker://mariadb/latest/dev", "mariadb:latest", "dev", False),
    ("docker://maria/11", "mariadb:11", "", False),
    ("docker://pgvector/pg17/dev", "pgvector/pgvector:pg17", "dev", False),
    ("docker://postgis/15-3.4/dev", "postgis/postgis:15-3.4", "dev", False),
    ("docker+postgres://_/postgres:15/dev", "postgres:15", "dev", True),
    ("docker+postgres://org/image:tag/db", "org/image:tag", "db", True),
    ("docker+postgres://ghcr.io/namespace/image:tag", "ghcr.io/namespace/image:tag", "postgres", True),
    ("docker+postgres://ghcr.io/namespace/image:tag/db", "ghcr.io/namespace/image:tag", "db", True),
    ("docker+postgres://localhost:5000/image:1/db", "localhost:5000/image:1", "db", True),
    ("docker+mysql:///mysql:8/dev", "mysql:8", "dev", True),
    ("docker+mariadb://org/image@sha256:0123/db", "org/image@sha256:0123", "db", True),
]


@pytest.mark.parametrize(("url", "image", "database", "custom"), URLS)
def test_a_url_says_image_and_database(url: str, image: str, database: str, custom: bool) -> None:
    wanted = images.read(url)
    assert (wanted.image, wanted.database, wanted.custom) == (image, database, custom)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("docker://oracle/23", "no container is known for 'oracle'"),
        ("docker://", "no container is known for ''"),
        ("docker+postgres://", "write docker\\+postgres://HOST/IMAGE:TAG/DATABASE"),
        ("docker://postgres/15/dev?colour=red", "unknown option 'colour'"),
        ("embedded://mysql/8", "no server of mysql is brought along: use docker://mysql/TAG/DATABASE, or mysql://"),
        (
            "docker://postgres/15/dev/extra",
            "no image can be called 'postgres:15:dev'; write docker://postgres/TAG/DATABASE",
        ),
        ("docker://clickhouse/23 11", "no image can be called 'clickhouse/clickhouse-server:23 11'"),
        (
            "docker+postgres://org/Image:tag/dev",
            "no image can be called 'org/Image:tag'; write docker\\+postgres://HOST/",
        ),
        ("docker://clickhouse/23/dev?colour=red", "unknown option 'colour'; clickhouse has none"),
        ("jdbc:postgresql://localhost/x", "did you mean postgresql://USER@HOST/DATABASE"),
        ("mysql+pymysql://localhost/x", "did you mean mysql://USER@HOST/DATABASE"),
        ("mssql://localhost/x", "did you mean sqlserver://USER@HOST/DATABASE"),
        ("embedded://oracle", "no dev database is known for embedded://oracle"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says), opened(url):
        pass


@pytest.mark.parametrize("place", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_without_an_engine_the_message_says_what_else_would_do(place: str) -> None:
    with pytest.raises(
        SetupError, match=f"no container engine at {place}: start Docker.*embedded://postgres/18"
    ) as caught:
        engine.connect({"DOCKER_HOST": place})
    assert caught.value.exit_code == 2


def test_an_image_that_is_nowhere_names_image_registry_and_remedy(container_engine: None) -> None:
    with (
        pytest.raises(
            PilotageError,
            match=r"image localhost:1/no/such:image .* pulled from localhost:1.*docker pull localhost:1/no/such:image",
        ) as caught,
        opened("docker+postgres://localhost:1/no/such:image/dev"),
    ):
        pass
    assert caught.value.exit_code == 2
    assert_nothing_left(os.getpid(), RUN)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("postgres:15", ("postgres", "15")),
        ("postgres", ("postgres", "latest")),
        ("localhost:5000/pg", ("localhost:5000/pg", "latest")),
        ("localhost:5000/pg:1", ("localhost:5000/pg", "1")),
        ("org/pg@sha256:ab", ("org/pg", "sha256:ab")),
    ],
)
def test_an_image_name_has_a_tag_or_gets_dockers_latest(name: str, expected: tuple[str, str]) -> None:
    assert engine.split(name) == expected


def way(box: Any, password: str, limit: float) -> Address:
    with ExitStack() as stack:
        return reach(box, images.read("docker://postgres/15/dev"), password, Ways(os.environ), limit, stack).address


def test_a_container_that_stops_while_starting_shows_its_log_and_exit_code(postgres_image: str) -> None:
    client = engine.connect(os.environ)
    image = client.images.get(postgres_image)
    options = {"command": ["sh", "-c", "echo the disk is on fire >&2; exit 3"]}
    with started(client, image, options, RUN, time.time()) as box, pytest.raises(SetupError) as caught:
        way(box, "pw", 30)
    client.close()
    assert re.search(r"postgres:15 stopped with exit code \d+ while starting", str(caught.value))
    assert_nothing_left(os.getpid(), RUN)


class CancelledInside:
    """The engine's containers, where a job is cancelled after the engine made one and before it said so."""

    def __init__(self, real: Any):
        self.real = real
        self.list = real.list

    def create(self, *arguments: Any, **options: Any) -> None:
        self.real.create(*arguments, **options)
        raise KeyboardInterrupt


def test_a_job_cancelled_while_the_engine_makes_its_container_leaves_none(postgres_image: str) -> None:
    client = engine.connect(os.environ)
    image = client.images.get(postgres_image)
    door = SimpleNamespace(containers=CancelledInside(client.containers))
    with pytest.raises(KeyboardInterrupt), started(door, image, {}, RUN, time.time()):  # type: ignore[arg-type]
        pytest.fail("there is no container to work with")
    client.close()
    assert_nothing_left(os.getpid(), RUN)


def test_a_server_that_never_answers_is_given_up_with_its_log_and_without_its_password(postgres_image: str) -> None:
    client = engine.connect(os.environ)
    image = client.images.get(postgres_image)
    options = {
        "environment": {"POSTGRES_PASSWORD": "hidden-pw", "TEST_INIT_SECONDS": "600"},
        "ports": {"5432/tcp": ("127.0.0.1", None)},
    }
    with started(client, image, options, RUN, time.time()) as box:
        with pytest.raises(TemporaryError, match="did not answer within 3 s") as caught:
            way(box, "hidden-pw", 3)
        execed = box.exec_run(["sh", "-c", "echo $POSTGRES_PASSWORD"])
        assert b"hidden-pw" in execed.output
    client.close()
    assert caught.value.exit_code == 5
    assert "hidden-pw" not in str(caught.value)
    assert_nothing_left(os.getpid(), RUN)


def test_the_temporary_server_of_an_images_first_start_is_not_taken_for_ready(postgres_image: str) -> None:
    client = engine.connect(os.environ)
    image = client.images.get(postgres_image)
    options = {
        "environment": {"POSTGRES_PASSWORD": "pw", "TEST_INIT_SECONDS": "1"},
        "ports": {"5432/tcp": ("127.0.0.1", None)},
    }
    with started(client, image, options, RUN, time.time()) as box:
        address = way(box, "pw", 30)
        assert address.port
        assert b"listening on IPv4" in box.logs()
    client.close()


def test_a_refused_password_ends_the_waiting_at_once(postgres_image: str) -> None:
    client = engine.connect(os.environ)
    image = client.images.get(postgres_image)
    options = {"environment": {"POSTGRES_PASSWORD": "right"}, "ports": {"5432/tcp": ("127.0.0.1", None)}}
    with (
        started(client, image, options, RUN, time.time()) as box,
        pytest.raises(SetupError, match="does not take the password"),
    ):
        way(box, "wrong-pw", 60)
    client.close()


def test_containers_of_dead_runs_are_removed_and_those_of_others_are_not(postgres_image: str) -> None:
    client = engine.connect(os.environ)
    now = int(time.time())
    old = client.containers.create(
        postgres_image, labels={LABEL: "1", f"{LABEL}.run": RUN, f"{LABEL}.expires": str(now + 1000)}
    )
    new = client.containers.create(
        postgres_image, labels={LABEL: "1", f"{LABEL}.run": RUN, f"{LABEL}.expires": str(now + 9000)}
    )
    foreign = client.containers.create(postgres_image, labels={"somebody.else": RUN})
    try:
        container.reap(client, now + 2000.0)  # those of runs beside this one last an hour
        there = {container.id for container in client.containers.list(all=True)}
        assert old.id not in there
        assert {new.id, foreign.id} <= there
    finally:
        foreign.remove(force=True)
        container.remove(new)
        client.close()
    assert_nothing_left(os.getpid(), RUN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_leaves_no_container(postgres_image: str, number: int) -> None:
    run = f"{RUN}-{number}"
    process = hanging("docker://postgres/15/dev", run)
    assert leftovers(process.pid, run)
    process.send_signal(number)
    assert process.wait(30) != 0
    assert_nothing_left(process.pid, run)


def test_a_replay_in_a_container_has_an_owners_rights_and_no_more(postgres_image: str) -> None:
    with opened("docker://postgres/15/dev") as (dev, _):
        for attack in (
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "CREATE ROLE x",
            "ALTER SYSTEM SET work_mem = '1MB'",
            "SET ROLE pilotage_admin",
        ):
            database = dev.fresh()
            with pytest.raises(DatabaseFailure) as caught:
                execute(database, attack)
            assert caught.value.code == "42501", attack
            assert database.query("SELECT current_user") == [("postgres",)]
            database.close()


def test_a_replay_on_mariadb_reaches_neither_files_nor_other_databases(mariadb_image: str) -> None:
    attacks = (
        "SELECT 1 INTO OUTFILE '/tmp/canary'",
        "CREATE USER x@'%'",
        "SET GLOBAL general_log = 1",
        "CREATE DATABASE other",
        "DROP TABLE mysql.user",
    )
    with opened("docker://mariadb/10.11/dev") as (dev, _):
        for attack in attacks:
            database = dev.fresh()
            with pytest.raises(DatabaseFailure) as caught:
                execute(database, attack)
            assert dev.advice(caught.value), attack
            database.close()
        database = dev.fresh()
        execute(database, "SELECT LOAD_FILE('/etc/passwd') INTO @content")
        assert database.query("SELECT @content") == [(None,)]
        database.close()


def test_without_a_database_name_all_databases_are_the_migrations(mariadb_image: str) -> None:
    with opened("docker://mariadb/10.11") as (dev, _):
        database = dev.fresh()
        with pytest.raises(DatabaseFailure) as caught:
            execute(database, "CREATE TABLE t (id int)")
        assert "the dev URL names no database" in dev.advice(caught.value)
        execute(
            database,
            "CREATE DATABASE one",
            "CREATE DATABASE two",
            "CREATE TABLE one.t (id int PRIMARY KEY)",
            "USE two",
            "CREATE TABLE u (id int, FOREIGN KEY (id) REFERENCES one.t (id))",
        )
        assert sorted(database.inspect().tables) == ["one.t", "two.u"]
        database.close()
        again = dev.fresh()
        assert not again.inspect().tables
        again.close()


def test_no_process_of_the_container_client_stays(postgres_image: str) -> None:
    before = set(Path("/proc/self/task").iterdir())
    with opened("docker://postgres/15/dev"):
        pass
    assert len(set(Path("/proc/self/task").iterdir())) <= len(before) + 1
    assert (
        subprocess.run(
            ["docker", "ps", "-aq", "--filter", f"label={LABEL}.run={RUN}"], capture_output=True, check=True
        ).stdout
        == b""
    )
