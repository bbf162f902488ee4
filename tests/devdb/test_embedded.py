"""The PostgreSQL server of our own: whose programs, whose rights, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ci_runner.databases import DatabaseFailure
from ci_runner.devdb import embedded
from ci_runner.errors import ConfigError, SetupError
from tests.devdb.opening import execute, opened
from tests.images.servers import assert_nothing_left, leftovers

FORBIDDEN = [
    "COPY (SELECT 1) TO '/tmp/pilotage-canary'",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/pilotage-canary'",
    "CREATE TABLE f (line text); COPY f FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "ALTER SYSTEM SET log_statement = 'all'",
    "CREATE ROLE intruder SUPERUSER",
    "ALTER ROLE postgres SUPERUSER",
    "SET SESSION AUTHORIZATION pilotage_admin",
    "SET ROLE pilotage_admin",
    "GRANT pg_execute_server_program TO postgres",
    "LOAD 'auto_explain'",
    "CREATE FUNCTION c() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p",
    "CREATE EXTENSION file_fdw",
    "CREATE DATABASE beside",
]


def test_the_replay_has_an_owners_rights_and_no_more() -> None:
    with opened("embedded://postgres") as (dev, _):
        for attack in FORBIDDEN:
            database = dev.fresh()
            with pytest.raises(DatabaseFailure) as caught:
                execute(database, *attack.split("; "))
            assert caught.value.code in {"42501", "22023", "0LP01", "58P01"}, attack
            database.close()
        assert not Path("/tmp/pilotage-canary").exists()


def test_an_owner_may_do_what_dumps_and_migrations_do() -> None:
    with opened("embedded://postgres") as (dev, _):
        database = dev.fresh()
        execute(
            database,
            "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language'",
            "COMMENT ON SCHEMA public IS 'standard public schema'",
            "ALTER SCHEMA public OWNER TO postgres",
            "CREATE EXTENSION pg_trgm",
            "CREATE TABLE t (id int)",
            "ALTER TABLE t OWNER TO postgres",
            "DROP SCHEMA public CASCADE",
            "CREATE SCHEMA public",
            "ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO PUBLIC",
        )
        assert database.query("SELECT current_database(), current_user") == [("dev", "postgres")]
        database.close()


def test_known_extensions_that_need_a_superuser_are_there_when_a_script_asks_for_them() -> None:
    with opened("embedded://postgres") as (dev, _):
        script = (
            "-- CREATE EXTENSION dblink;\nCREATE SCHEMA stats;\nCREATE EXTENSION pg_stat_statements WITH SCHEMA stats;"
        )
        database = dev.fresh([script])
        execute(
            database,
            "CREATE SCHEMA stats",
            "CREATE EXTENSION pg_stat_statements WITH SCHEMA stats",
            "SELECT 1 FROM pg_extension",
            transaction=True,
        )
        assert ("pg_stat_statements",) in database.query("SELECT extname FROM pg_extension")
        database = dev.restore("kept") or dev.snapshot(database, "kept")
        again = dev.restore("kept")
        assert again is not None
        with pytest.raises(DatabaseFailure, match="already exists"):  # it was made by what ran before
            execute(again, "CREATE EXTENSION pg_stat_statements")
        again.close()
        database.close()


def test_a_missing_extension_says_where_to_get_it() -> None:
    with opened("embedded://postgres") as (dev, _):
        database = dev.fresh(["CREATE EXTENSION postgis"])
        with pytest.raises(DatabaseFailure) as caught:
            execute(database, "CREATE EXTENSION postgis")
        assert "is not available" in caught.value.message
        assert "docker://postgis/" in dev.advice(caught.value)
        database.close()


def test_rights_can_be_asked_for_and_their_lack_is_explained() -> None:
    with opened("embedded://postgres") as (dev, _):
        database = dev.fresh()
        with pytest.raises(DatabaseFailure) as caught:
            execute(database, "CREATE ROLE app")
        assert "?superuser=true" in dev.advice(caught.value)
        database.close()
    with opened("embedded://postgres?superuser=true&search_path=public") as (dev, _):
        database = dev.fresh()
        execute(database, "CREATE ROLE app", "CREATE EXTENSION dblink")
        database.close()


@pytest.mark.parametrize(
    "url",
    [
        "embedded://postgres/latest",
        "embedded://postgres/18/a/b",
        "embedded://u@postgres/18",
        "embedded://postgres/18?fast=1",
    ],
)
def test_a_url_that_cannot_be_meant_says_how_one_is_written(url: str) -> None:
    with pytest.raises(ConfigError, match=r"embedded://postgres/18|unknown option 'fast'"), opened(url):
        pass


def test_a_major_that_is_not_here_says_where_it_was_looked_for() -> None:
    with pytest.raises(SetupError, match="PILOTAGE_POSTGRES_HOME_11") as caught, opened("embedded://postgres/11", {}):
        pass
    assert "docker://postgres/11/dev" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_named_home_is_used_and_checked(tmp_path: Path) -> None:
    home = embedded.find_home("", {})
    assert embedded.find_home("42", {"PILOTAGE_POSTGRES_HOME_42": str(home / "bin")}) == home
    with pytest.raises(SetupError, match="there is no"):
        embedded.find_home("42", {"PILOTAGE_POSTGRES_HOME_42": str(tmp_path)})


def test_programs_out_of_reach_of_the_servers_account_are_copied(tmp_path: Path) -> None:
    real = embedded.find_home("", {})
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pg").symlink_to(real)
    for part in ("bin", "lib", "share"):
        assert (closed / "pg" / part).exists()
    with opened("embedded://postgres/42", {"PILOTAGE_POSTGRES_HOME_42": str(closed / "pg")}) as (dev, lines):
        database = dev.fresh()
        assert database.query("SELECT 1") == [(1,)]
        database.close()
    assert lines == [f"{dev.engine} started for this run"]


SCRIPT = """
    import os, signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job is started with it ignored
    from ci_runner import devdb
    with devdb.open(sys.argv[1], environment=dict(os.environ), run_id=sys.argv[2], report=print) as dev:
        database = dev.fresh()
        print("ready", flush=True)
        from ci_runner.databases import Sql
        database.execute([Sql(sys.argv[3])], transaction=False)
"""


def hanging(url: str, run: str, statement: str = "SELECT pg_sleep(600)") -> subprocess.Popen[str]:
    """A process that has the dev database open and waits in a statement."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), url, run, statement], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while "ready" not in (line := process.stdout.readline()):
        assert line, "the process ended before its dev database was open"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_leaves_nothing(number: int) -> None:
    process = hanging("embedded://postgres", "cancelled")
    assert leftovers(process.pid)
    process.send_signal(number)
    assert process.wait(20) != 0
    assert_nothing_left(process.pid)


def test_after_kill_9_the_server_ends_by_itself_and_the_next_run_removes_the_folder() -> None:
    process = hanging("embedded://postgres", "killed")
    process.kill()
    process.wait(20)
    end = time.monotonic() + 20
    while any(name.startswith("process") for name in leftovers(process.pid)):
        assert time.monotonic() < end, "the server outlived the program"
        time.sleep(0.05)
    with opened("embedded://postgres"):  # unless the run of another test was there before
        assert_nothing_left(process.pid)
    assert_nothing_left(os.getpid())


def test_two_runs_at_once_do_not_disturb_one_another() -> None:
    with opened("embedded://postgres") as (first, _), opened("embedded://postgres") as (second, _):
        one, two = first.fresh(), second.fresh()
        execute(one, "CREATE TABLE a (id int)")
        assert not two.inspect().tables
        one.close()
        two.close()
