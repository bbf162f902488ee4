"""Replays: what runs, what is refused and where, under every transaction mode, on every engine."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ci_runner.devdb import DevDatabase
from ci_runner.errors import TemporaryError
from ci_runner.model.directory import Part
from ci_runner.model.report import SchemaChange
from ci_runner.replay import replay
from tests.devdb.opening import opened
from tests.images.servers import leftovers
from tests.replay.writing import file

BASE = [
    file("1_users.sql", "CREATE TABLE users (id int NOT NULL PRIMARY KEY, name varchar(40) NOT NULL);\n"),
    file("2_index.sql", "-- names\nCREATE INDEX users_name ON users (name);\nINSERT INTO users VALUES (1, 'a;b');\n"),
]


def test_a_change_that_runs_counts_its_statements_and_shows_what_it_did(dev: DevDatabase) -> None:
    change = [
        file("3.sql", "ALTER TABLE users ADD COLUMN email varchar(10);\nCREATE TABLE extra (id int);\n"),
        file("4.sql", "DROP INDEX users_name"),
    ]
    if dev.dialect == "mariadb":
        change[1] = file("4.sql", "DROP INDEX users_name ON users")
    result = replay(BASE, change, dev)
    assert (result.status, result.error, result.engine, result.statements) == ("ok", None, dev.engine, 6)
    assert sorted((row.action, row.what, row.name) for row in result.changes) == [
        ("added", "column", "users.email"),
        ("added", "table", "extra"),
        ("removed", "index", "users_name"),
    ]


def test_the_first_refused_statement_is_placed_and_quoted_in_the_databases_words(dev: DevDatabase) -> None:
    text = (
        "CREATE TABLE a (id int);\n\n  -- and again\n  CREATE TABLE a (\n    id int);\nCREATE TABLE never (id int);\n"
    )
    result = replay(BASE, [file("3.sql", text)], dev)
    assert result.status == "failed"
    assert result.error is not None
    assert (result.error.file, result.error.line) == ("3.sql", 3)
    assert "already exists" in result.error.message
    assert result.error.statement.endswith("id int)")
    assert result.error.code
    assert result.statements == 4
    assert not result.changes


def test_a_refused_released_file_is_called_released(dev: DevDatabase) -> None:
    result = replay([*BASE, file("x.sql", "DROP TABLE nothing_here;\n")], [file("y.sql", "SELECT 1;\n")], dev)
    assert result.error is not None
    assert result.error.file == "x.sql"
    assert result.error.message.startswith("in a released file, before this change comes to run: ")


def test_without_a_change_the_history_alone_is_replayed(dev: DevDatabase) -> None:
    result = replay(BASE, [], dev)
    assert (result.status, result.statements, result.changes, result.observations) == ("ok", 3, (), ())


def test_each_replay_begins_empty(dev: DevDatabase) -> None:
    assert [replay(BASE, [file("3.sql", "SELECT 1")], dev).status for _ in range(2)] == ["ok", "ok"]


def test_a_server_given_position_is_line_and_column_in_the_file(postgres: DevDatabase) -> None:
    text = "SELECT 1;\nCREATE TABLE é (\n  id int,\n  'ü' nonsense\n);\n"
    error = replay([], [file("1.sql", text)], postgres).error
    assert error is not None
    assert (error.line, error.column) == (4, 3)
    error = replay([], [file("1.sql", "SELECT 1;\nSELECT 'ü',\n  wrong FROM pg_class;\n")], postgres).error
    assert error is not None
    assert (error.line, error.column) == (3, 3)


def test_a_long_statement_is_cut_in_the_report(sqlite: DevDatabase) -> None:
    error = replay([], [file("1.sql", f"SELECT missing, '{'x' * 5000}'")], sqlite).error
    assert error is not None
    assert len(error.statement) < 1010


def test_concurrent_builds_run_in_files_without_transaction_only(postgres: DevDatabase) -> None:
    text = "CREATE INDEX CONCURRENTLY i ON users (id);\n"
    assert replay(BASE, [file("3.sql", text, "none")], postgres).status == "ok"
    error = replay(BASE, [file("3.sql", text + "SELECT 1;\n", "file")], postgres).error
    assert error is not None
    assert error.code == "25001"


def test_files_of_mode_all_share_one_transaction(postgres: DevDatabase) -> None:
    one = file(
        "3.sql",
        "CREATE TABLE d (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO d VALUES (1), (1);\n",
        "all",
    )
    two = file("4.sql", "DELETE FROM d;\nSELECT 1;\n", "all")
    assert replay(BASE, [one, two], postgres).status == "ok"
    broken = replay(BASE, [one, file("4.sql", "SELECT 1;\nSELECT 2;\n", "all")], postgres).error
    assert broken is not None
    assert (broken.file, broken.line, broken.code) == ("4.sql", 2, "23505")


def test_each_changeset_is_a_transaction_of_its_own_or_none(postgres: DevDatabase) -> None:
    text = (
        "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\nCREATE TABLE b (id int);\nSELECT missing;\n"
    )
    second, third = text.index("CREATE INDEX"), text.index("CREATE TABLE b")
    parts = (Part(0, second), Part(second, third, "none"), Part(third, len(text)))
    error = replay([], [file("1.sql", text, "changeset", parts)], postgres).error
    assert error is not None
    assert (error.line, error.column) == (4, 8)
    without = replay([], [file("1.sql", text, "changeset", (Part(0, len(text)),))], postgres).error
    assert without is not None
    assert without.line == 2


def test_a_file_that_opens_its_own_transaction_is_left_to_it(dev: DevDatabase) -> None:
    text = "BEGIN;\nCREATE TABLE own (id int);\nCOMMIT;\nCREATE TABLE more (id int);\n"
    result = replay([], [file("1.sql", text)], dev)
    assert result.status == "ok"
    assert [row.name for row in result.changes] == ["more", "own"]


def test_a_transaction_left_open_is_committed_with_its_file(dev: DevDatabase) -> None:
    result = replay(
        [file("1.sql", "BEGIN;\nCREATE TABLE open_end (id int);\n")],
        [file("2.sql", "INSERT INTO open_end VALUES (1);\n")],
        dev,
    )
    assert result.status == "ok"


def test_copy_data_in_the_file_is_loaded(postgres: DevDatabase) -> None:
    data = file("3.sql", "COPY users (id, name) FROM stdin;\n", data="7\tx\n8\ty\n")
    check = file("4.sql", "DO $$ BEGIN ASSERT (SELECT count(*) FROM users) = 3, 'rows are missing'; END $$;\n")
    assert replay([*BASE, data], [check], postgres).status == "ok"


def test_settings_of_one_file_do_not_reach_the_next(postgres: DevDatabase) -> None:
    dump = file(
        "0.sql", "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.dumped (id int);\n"
    )
    assert (
        replay([dump], [file("1.sql", "CREATE TABLE plain (id int);\nSELECT * FROM dumped;\n")], postgres).status
        == "ok"
    )


def test_refusals_for_want_of_rights_say_what_would_help(postgres: DevDatabase) -> None:
    error = replay([], [file("1.sql", "CREATE ROLE app;\n")], postgres).error
    assert error is not None
    assert "?superuser=true" in error.message


ENDLESS = {
    "postgres": "SELECT pg_sleep(600);\n",
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c;\n",
    "mariadb": "SELECT SLEEP(600);\n",
}


def test_a_statement_that_does_not_end_is_stopped_from_outside_and_named(dev: DevDatabase) -> None:
    text = (
        "SELECT 1;\n"
        + ("SET statement_timeout = 0;\n" if dev.dialect == "postgres" else "SELECT 2;\n")
        + ENDLESS[dev.dialect]
    )
    started = time.monotonic()
    error = replay([], [file("1.sql", text, "none")], dev, time_limit=2).error
    assert time.monotonic() - started < 30
    assert error is not None
    assert error.line == 3
    assert error.message.startswith("stopped after 2 s, the time limit of a replay")
    assert replay(BASE, [], dev).status == "ok"


class Asking:
    """A session that takes a minute to say what the schema is."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def inspect(self) -> None:
        self.real.query("SELECT pg_sleep(60)")


class AskingDev(Asking):
    """A dev database of such sessions."""

    def fresh(self, scripts: Iterable[str] = ()) -> Asking:
        return Asking(self.real.fresh(scripts))

    def snapshot(self, database: Asking, key: str, scripts: Iterable[str] = ()) -> Asking:
        return Asking(self.real.snapshot(database.real, key, scripts))


def test_time_that_is_over_between_two_migrations_is_told_as_that(postgres: DevDatabase) -> None:
    """A question of our own is interrupted, and nobody's statement is to blame."""
    dev: Any = AskingDev(postgres)
    with pytest.raises(TemporaryError, match=r"stopped between two migrations: it took longer than 2 s") as caught:
        replay([], [file("1.sql", "SELECT 1;\n")], dev, time_limit=2)
    assert caught.value.exit_code == 5


def test_a_server_that_dies_in_the_middle_is_no_fault_of_the_migration() -> None:
    others = leftovers(os.getpid())
    with opened("embedded://postgres") as (dev, _):
        own = [int(name.split()[1]) for name in leftovers(os.getpid()) - others if name.startswith("process")]
        server = next(pid for pid in own if _parent(pid) == os.getpid())
        killer = threading.Thread(target=_kill_when_it_does, args=(server,))
        killer.start()
        with pytest.raises(TemporaryError, match=r"server went away at 1.sql:2: .*run it again") as caught:
            replay([], [file("1.sql", "SELECT 1;\nDO $$ BEGIN PERFORM pg_sleep(60); END $$;\n", "none")], dev)
        killer.join()
    assert caught.value.exit_code == 5
    assert leftovers(os.getpid()) <= others


def _kill_when_it_does(server: int) -> None:
    """End the server when a session's title says DO, which only the migration's statement does."""
    end = time.monotonic() + 50
    while time.monotonic() < end:
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if b" DO" in (entry / "cmdline").read_bytes() and _parent(int(entry.name)) == server:
                    os.kill(server, signal.SIGQUIT)
                    return
        time.sleep(0.05)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def test_added_and_changed_columns_say_before_and_after(postgres: DevDatabase) -> None:
    text = "ALTER TABLE users ALTER name DROP NOT NULL, ALTER name SET DEFAULT 'n', ALTER id TYPE bigint;\n"
    assert replay(BASE, [file("3.sql", text)], postgres).changes == (
        SchemaChange("changed", "column", "users.id", "integer not null", "bigint not null"),
        SchemaChange(
            "changed",
            "column",
            "users.name",
            "character varying(40) not null",
            "character varying(40) default 'n'::character varying",
        ),
    )
