"""Files of a history that go to PostgreSQL in one message are told apart as if each had gone by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.databases.postgres import Postgres
from ci_runner.devdb import DevDatabase
from ci_runner.replay import ReplayFile, replay
from ci_runner.replay.clock import Clock
from ci_runner.replay.files import alone
from ci_runner.replay.runner import Runner
from tests.devdb.opening import opened
from tests.replay.writing import file

FILES = 12
NOTHING = file("zz.sql", "SELECT 1;\n")
# What refuses a file: how it ends, and the line and column that are blamed.
REFUSED = {
    "a name that is not there": ("CREATE TABLE good_{n} (id int);\nDROP TABLE nothing_here;\n", (2, 1)),
    "words that are no SQL": ("CREATE TABLE good_{n} (id int);\n\n  CREATE TABEL x (id int);\n", (3, 10)),
    "rows that are twice": ("INSERT INTO t_0 VALUES (1);\nINSERT INTO t_0 VALUES (1);\n", (2, 1)),
    "a check at the end of the transaction": ("INSERT INTO child VALUES (7);\n\nSELECT 1;\n", (3, 1)),
    "a type that the transaction made": (
        "ALTER TYPE mood ADD VALUE 'bad_{n}';\nINSERT INTO moods VALUES ('bad_{n}');\n",
        (2, 27),
    ),
}
FIRST = """CREATE TABLE t_0 (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES t_0 (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE moods (m mood);
"""


def _history(at: int, text: str) -> list[ReplayFile]:
    texts = [FIRST, *(f"CREATE TABLE t_{number} (id int);\n" for number in range(1, FILES))]
    return [
        file(f"{number:02}.sql", each if number != at else text.replace("{n}", str(number)))
        for number, each in enumerate(texts)
    ]


@pytest.mark.parametrize("at", [1, 2, 6, FILES - 1])
@pytest.mark.parametrize("kind", REFUSED)
def test_the_refused_file_of_many_is_named_with_its_place(postgres: DevDatabase, kind: str, at: int) -> None:
    text, place = REFUSED[kind]
    result = replay(_history(at, text), [NOTHING], postgres)
    assert result.error is not None
    assert (result.error.file, result.error.line, result.error.column) == (f"{at:02}.sql", *place)


def test_files_go_together_as_far_as_they_may(postgres: DevDatabase) -> None:
    database = postgres.fresh()

    def together(*texts: str) -> int:
        done = database.several([[Sql(each) for each in text.split(";")] for text in texts])
        database.reset()
        return done

    assert (
        together("CREATE TABLE a (id int)", "CREATE TABLE b (id int);ALTER TABLE b ALTER id SET NOT NULL", "SELECT 1")
        == 3
    )
    assert together("SELECT 1", "BEGIN;SELECT 1;COMMIT", "SELECT 1") == 0
    assert together("SELECT 1", "SELECT 2", "SET lock_timeout = 1", "SELECT 1") == 2
    assert together("SELECT 1", "SELECT 'it''s', \"a\" FROM (SELECT 1) AS b(a) -- isn't", "SELECT 1") == 3
    assert together("SELECT 1", "SELECT 2", "SELECT $$a$$", "SELECT 1") == 2
    assert together("SELECT 1", "SELECT 2", "SELECT 1 AS commit", "SELECT 1") == 2
    assert together("SELECT 1", "SELECT set_config('lock_timeout', '1', false)", "SELECT 1") == 2
    assert together("SELECT 1", "SELECT 2", "DELETE FROM a WHERE now() < '2000-01-01'", "SELECT 1") == 2
    assert together("SELECT now()", "CREATE TABLE c (at timestamptz DEFAULT now())", "SELECT 1") == 3
    assert together("CREATE TABLE d (id int)", "CREATE TABLE a (id int)", "CREATE TABLE e (id int)") == 1
    assert sorted(database.inspect().tables) == ["a", "b", "c", "d"]
    database.close()


@pytest.mark.parametrize(
    "opens", ["SELECT 1 /* x", "SELECT 1; /* x", "SELECT 'x", 'SELECT 1 AS "x', "SELECT $$x", "SELECT E'x\\'"]
)
def test_a_file_that_leaves_something_open_takes_no_other_for_a_part_of_it(postgres: DevDatabase, opens: str) -> None:
    closes = (
        "CREATE TABLE lost (id int);\nSELECT 1 /* */;\nSELECT 'it', $$a$$, 1 AS \"b\";\nCREATE TABLE kept (id int);\n"
    )
    files = [file("1.sql", "SELECT 1;\n"), file("2.sql", opens), *(file(f"{n}.sql", closes) for n in (3, 4))]
    error = replay(files, [NOTHING], postgres).error
    assert error is not None
    assert error.file == "2.sql"
    assert error.code == "42601"


def test_a_file_that_is_no_plain_transaction_is_run_by_itself() -> None:
    files = [file("1.sql", "SELECT 1"), file("2.sql", "SELECT 1;\nSELECT 2"), file("3.sql", "VACUUM", "none")]
    assert [len(statements) for statements in alone(files)] == [1, 2]
    assert not [*alone([file("1.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\n"), *files])]


def test_what_a_file_leaves_in_the_session_is_gone_before_the_next(postgres: DevDatabase) -> None:
    files = [
        file("1.sql", "CREATE SCHEMA aside;\n"),
        file("2.sql", "SELECT set_config('search_path', 'aside', false);\n"),
        file("3.sql", "CREATE TABLE here (id int);\n"),
        file("4.sql", "CREATE TEMP TABLE here (id int, other int);\n"),
        file("5.sql", "INSERT INTO here VALUES (1);\nALTER TABLE public.here ADD COLUMN note text;\n"),
    ]
    assert replay(files, [NOTHING], postgres).error is None


def test_who_asks_the_time_finds_what_ran_before_in_the_past(postgres: DevDatabase) -> None:
    files = [
        file("1.sql", "CREATE TABLE seen (at timestamptz NOT NULL DEFAULT now());\n"),
        file("2.sql", "INSERT INTO seen DEFAULT VALUES;\n"),
        file("3.sql", "DELETE FROM seen WHERE at < now();\n"),
        file("4.sql", "INSERT INTO seen DEFAULT VALUES;\n"),
        file("5.sql", "CREATE UNIQUE INDEX ON seen ((true));\n"),
    ]
    assert replay(files, [NOTHING], postgres).error is None


def test_a_history_leaves_the_same_together_as_file_by_file(
    postgres: DevDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: Sequence[Callable[[int], str]] = (
        lambda n: (
            f"CREATE TABLE t_{n} (id bigserial PRIMARY KEY, at timestamptz DEFAULT now());\nINSERT INTO t_{n} DEFAULT VALUES;\n"
        ),
        lambda n: (
            f"ALTER TABLE t_{n - 1} ADD COLUMN note text NOT NULL DEFAULT '';\nUPDATE t_{n - 1} SET note = 'x' WHERE at < now();\n"
        ),
        lambda n: f"SET search_path = pg_catalog;\nCREATE VIEW public.v_{n} AS SELECT id FROM public.t_{n - 2};\n",
        lambda n: (
            f"DO $$ BEGIN PERFORM set_config('search_path', 'pg_catalog', false); END $$;\nCOMMENT ON VIEW public.v_{n - 1} IS 'x';\n"
        ),
        lambda n: f"CREATE INDEX ON t_{n - 4} (note);\n",
    )
    files = [file(f"{n:03}.sql", shapes[n % 5](n)) for n in range(60)]

    def left() -> object:
        database = postgres.fresh()
        with Clock(database, 60) as clock:
            runner = Runner(database, postgres, clock)
            runner.released(files)
        schema = database.inspect()
        database.close()
        return runner.statements, schema

    together = left()
    monkeypatch.setattr(Postgres, "several", Database.several)
    assert left() == together


def test_a_connection_that_is_lost_is_blamed_on_the_file_that_ran(postgres: DevDatabase) -> None:
    database = postgres.fresh()
    files = [
        [Sql("SELECT 1")],
        [Sql("SELECT 2")],
        [Sql("SELECT pg_terminate_backend(pg_backend_pid())")],
        [Sql("SELECT 3")],
    ]
    with pytest.raises(DatabaseFailure) as caught:
        database.several(files)
    assert (caught.value.lost, caught.value.statement) == (True, 2)
    database.close()


def test_the_file_of_many_that_does_not_end_is_stopped_and_named(postgres: DevDatabase) -> None:
    error = replay(_history(6, "SELECT 1;\nSELECT pg_sleep(600);\n"), [NOTHING], postgres, time_limit=2).error
    assert error is not None
    assert (error.file, error.line) == ("06.sql", 2)
    assert "stopped after 2 s, the time limit of a replay; this statement did not end (canceling" in error.message


def test_what_will_not_be_interrupted_is_named_in_words_of_ours() -> None:
    loop = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(9); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
    with opened("embedded://postgres") as (dev, _):
        error = replay(_history(6, f"SELECT 1;\n{loop};\n"), [NOTHING], dev, time_limit=1).error
    assert error is not None
    assert error.file == "06.sql"
    assert error.message.endswith("this statement did not end (it would not be interrupted, so its session was ended)")
