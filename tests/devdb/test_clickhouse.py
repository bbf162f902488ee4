"""ClickHouse's engine as a dev database: closed off, ended for certain, and what makes it unusable is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ci_runner.databases import DatabaseFailure
from ci_runner.databases.clickhouse.single import on_one_server
from ci_runner.errors import ConfigError, SetupError, TemporaryError
from ci_runner.replay import replay
from tests.conftest import ROOT
from tests.devdb.opening import execute, opened
from tests.images.servers import assert_nothing_left, leftovers
from tests.replay.writing import file

REFUSED = [
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT * FROM file('/proc/self/environ', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM executable('id', 'TabSeparated', 'x String')",
    "SELECT 1 INTO OUTFILE '{canary}'",
    "CREATE TABLE x ENGINE = File(CSV, '{canary}') AS SELECT 1 AS one",
    "CREATE TABLE x (i Int8) ENGINE = SQLite('{canary}', 't')",
]
CLUSTERED = [
    # as it is written, as one server takes it, what was left out
    ("ALTER TABLE t ON CLUSTER '{c}' ADD COLUMN a Int8", "ALTER TABLE t                  ADD COLUMN a Int8", ("ON CLUSTER",)),
    ("DROP TABLE t on\ncluster c1 SYNC", "DROP TABLE t   \n           SYNC", ("ON CLUSTER",)),
    (
        "CREATE TABLE t (a Int8) ENGINE = ReplicatedMergeTree('/t/{shard}', '{replica}') ORDER BY a",
        f"CREATE TABLE t (a Int8) ENGINE = MergeTree{' ' * 37} ORDER BY a",
        ("replication",),
    ),
    (
        "CREATE TABLE t (a Int8) ENGINE = ReplicatedReplacingMergeTree('/t', 'r', a) ORDER BY a",
        f"CREATE TABLE t (a Int8) ENGINE = ReplacingMergeTree(a){' ' * 21} ORDER BY a",
        ("replication",),
    ),
    ("CREATE TABLE t ENGINE = ReplicatedMergeTree ORDER BY a", f"CREATE TABLE t ENGINE = MergeTree{' ' * 10} ORDER BY a", ("replication",)),
    ("SELECT 'x ON CLUSTER y', `on cluster c` -- ON CLUSTER z", "SELECT 'x ON CLUSTER y', `on cluster c` -- ON CLUSTER z", ()),
    ("SELECT 1", "SELECT 1", ()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "plain", "left_out"), CLUSTERED, ids=[row[0][:30] for row in CLUSTERED])
def test_what_needs_a_cluster_is_left_out_and_all_else_stays_at_its_place(
    text: str, plain: str, left_out: tuple[str, ...]
) -> None:
    assert on_one_server(text) == (plain, left_out)
    assert len(plain) == len(text)


def test_a_hostile_text_takes_no_more_than_linear_time() -> None:
    started = time.monotonic()
    for text in (
        "ON CLUSTER '" * 40_000,
        "ReplicatedMergeTree((" * 40_000,
        "on cluster " + "'\\" * 200_000,
        "on cluster" + "/*" * 200_000,
    ):
        on_one_server(text)
    assert time.monotonic() - started < 10


def test_statements_reach_no_file_network_or_program(chdb_home: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    canary = tmp_path / "canary"
    with opened("embedded://clickhouse") as (dev, lines):
        assert lines == [f"{dev.engine} started for this run"]  # nothing had to be left open on this system
        database = dev.fresh()
        for text in REFUSED:
            with pytest.raises(DatabaseFailure) as caught:
                execute(database, text.format(canary=canary))
            assert not caught.value.lost, text
        assert database.query("SELECT 1") == [(1,)]
    assert not canary.exists()


def test_what_the_report_says_of_a_cluster(chdb_home: Path) -> None:
    text = "CREATE TABLE t ON CLUSTER c (a Int8) ENGINE = ReplicatedMergeTree('/t', 'r') ORDER BY a;\nSELECT 1;\n"
    with opened("embedded://clickhouse") as (dev, _):
        result = replay([], [file("1.sql", text)], dev)
    assert result.remarks == (f"1.sql:1: not analysed, because {dev.engine} was not given it: ON CLUSTER, replication",)
    assert [(change.action, change.what, change.name) for change in result.changes] == [("added", "table", "t")]


def test_an_engine_that_dies_in_the_middle_is_no_fault_of_the_migration(chdb_home: Path) -> None:
    with opened("embedded://clickhouse") as (dev, _):
        text = "SELECT 1;\nSYSTEM SHUTDOWN;\n"
        with pytest.raises(TemporaryError, match=r"server went away at 1.sql:2: ClickHouse's engine ended by itself"):
            replay([], [file("1.sql", text)], dev)
    assert_nothing_left(os.getpid())


def test_a_run_that_is_killed_leaves_no_process_and_the_next_removes_its_files(chdb_home: Path) -> None:
    script = """import time
from tests.devdb.opening import opened
with opened('embedded://clickhouse'):
    print('up', flush=True)
    time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    assert leftovers(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with opened("embedded://clickhouse"):
        assert_nothing_left(process.pid)


@pytest.mark.parametrize(
    ("url", "home", "says"),
    [
        ("embedded://clickhouse/a/b", None, "write embedded://clickhouse or embedded://clickhouse/NAME"),
        ("embedded://clickhouse", "/nowhere", "PILOTAGE_CHDB_HOME is /nowhere, but there is no /nowhere/chdb"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_started(url: str, home: str | None, says: str) -> None:
    environment = {"PILOTAGE_CHDB_HOME": home} if home else {}
    with pytest.raises((ConfigError, SetupError), match=says) as caught, opened(url, environment):
        pass
    assert caught.value.exit_code == 2


def test_databases_of_a_server_are_emptied_although_they_refer_to_one_another(clickhouse_image: str) -> None:
    source = "SOURCE(CLICKHOUSE(TABLE 'users' DB 'dev')) LAYOUT(FLAT()) LIFETIME(0)"
    with opened("docker://clickhouse/23.11/dev") as (dev, _):
        for _ in range(2):
            database = dev.fresh()
            execute(
                database,
                "CREATE TABLE users (id UInt32, name String) ENGINE = MergeTree ORDER BY id",
                "CREATE DATABASE side",
                f"CREATE DICTIONARY side.called (id UInt32, name String) PRIMARY KEY id {source}",
                "CREATE TABLE notes (id UInt32, name String DEFAULT dictGet('side.called', 'name', id)) ENGINE = Log",
                "CREATE TABLE default.more (id UInt32, name String DEFAULT dictGet('side.called', 'name', id)) ENGINE = Log",
            )
            assert sorted(database.inspect().tables) == ["notes", "users"]
            database.close()
        assert not dev.fresh().query("SELECT name FROM system.tables WHERE database IN ('dev', 'side', 'default')")
