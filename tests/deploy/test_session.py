"""What a file does to its session reaches neither the next file nor its own record; what would break the protocol is refused at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.deploy.place import Place

NONE = "-- pilotage:txmode none\n\n"
MARKS = "CREATE TABLE marks (n int);\n"
MYSQL = {
    "autocommit is off": ("SET autocommit = 0;\nINSERT INTO marks VALUES (1);\n", "INSERT INTO marks VALUES (2);\n", [1, 2]),
    "autocommit is off and rows are taken back": (
        NONE + "SET autocommit=0;\nINSERT INTO marks VALUES (1);\nALTER TABLE marks ADD x int;\nINSERT INTO marks VALUES (9, 9);\nROLLBACK;\n",
        "INSERT INTO marks VALUES (2, 2);\n",
        [1, 2],
    ),
    "a dump's locks on tables": (
        ("LOCK TABLES `marks` WRITE;\n/*!40000 ALTER TABLE `marks` DISABLE KEYS */;\nINSERT INTO marks VALUES (1);\n"
        "/*!40000 ALTER TABLE `marks` ENABLE KEYS */;\nUNLOCK TABLES;\n"),
        "INSERT INTO marks VALUES (2);\n",
        [1, 2],
    ),
    "tables stay locked": (
        "LOCK TABLES marks WRITE;\nALTER TABLE marks ADD x int;\nINSERT INTO marks (n) VALUES (1);\n",
        "CREATE TABLE b AS SELECT 2 AS n;\nINSERT INTO marks (n) SELECT n FROM b;\n",
        [1, 2],
    ),
    "everything stays locked for reading": ("FLUSH TABLES WITH READ LOCK;\n", "INSERT INTO marks VALUES (2);\n", [2]),
    "transactions may only read": ("SET SESSION TRANSACTION READ ONLY;\n", "INSERT INTO marks VALUES (2);\n", [2]),
    "a temporary table": (
        "CREATE TEMPORARY TABLE t (n int);\nINSERT INTO t VALUES (1);\nINSERT INTO marks SELECT n FROM t;\n",
        "CREATE TEMPORARY TABLE IF NOT EXISTS t (n int);\nINSERT INTO marks SELECT count(*) + 2 FROM t;\n",
        [1, 2],
    ),
    "a temporary table in front of another": ("CREATE TEMPORARY TABLE marks (n int);\n", "INSERT INTO marks VALUES (2);\n", [2]),
    "a variable": ("SET @a = 9;\nINSERT INTO marks VALUES (1);\n", "INSERT INTO marks SELECT coalesce(@a, 2);\n", [1, 2]),
    "a transaction left open": ("BEGIN;\nINSERT INTO marks VALUES (1);\n", "INSERT INTO marks VALUES (2);\n", [1, 2]),
    "the schema changed within a transaction": (
        "BEGIN;\nINSERT INTO marks VALUES (1);\nALTER TABLE marks ADD x int;\nINSERT INTO marks (n) VALUES (2);\nROLLBACK;\n", "", [1, 2],
    ),
}  # fmt: skip
CASES = {
    "sqlite": {
        "a temporary table": ("CREATE TEMP TABLE t (n int);\n", "CREATE TEMP TABLE t (n int);\nINSERT INTO marks VALUES (2);\n", [2]),
        "a temporary table in front of another": ("CREATE TEMP TABLE marks (n int);\n", "INSERT INTO marks VALUES (2);\n", [2]),
        "another database": (NONE + "ATTACH ':memory:' AS o;\n", NONE + "ATTACH ':memory:' AS o;\nINSERT INTO marks VALUES (2);\n", [2]),
        "a transaction taken back": ("BEGIN;\nINSERT INTO marks VALUES (1);\nROLLBACK;\n", "INSERT INTO marks VALUES (2);\n", [2]),
    },
    "postgres": {
        "a role within its transaction": (
            "GRANT ALL ON marks TO pg_monitor;\nSET ROLE pg_monitor;\nINSERT INTO marks VALUES (1);\n", "INSERT INTO marks VALUES (2);\n", [1, 2],
        ),
        "a role from statement to statement": (
            NONE + "GRANT ALL ON marks TO pg_monitor;\nSET ROLE pg_monitor;\nINSERT INTO marks VALUES (1);\nINSERT INTO marks\n"
            "SELECT 2 WHERE current_user = 'pg_monitor';\n",
            "INSERT INTO marks SELECT 3 WHERE current_user <> 'pg_monitor';\n",
            [1, 2, 3],
        ),
        "a temporary table in front of another": ("CREATE TEMP TABLE marks (n int);\n", "INSERT INTO marks VALUES (2);\n", [2]),
        "a prepared statement": ("PREPARE q AS SELECT 1;\n", "PREPARE q AS SELECT 1;\nINSERT INTO marks VALUES (2);\n", [2]),
        "a cursor that stays": (
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1;\n", "DECLARE c CURSOR WITH HOLD FOR SELECT 1;\nINSERT INTO marks VALUES (2);\n", [2],
        ),
        "no search path, as dumps begin": (
            "SELECT pg_catalog.set_config('search_path', '', false);\nINSERT INTO public.marks VALUES (1);\n",
            "INSERT INTO marks VALUES (2);\n",
            [1, 2],
        ),
        "backslashes that escape": ("SET standard_conforming_strings = off;\nINSERT INTO marks VALUES (1);\n", "", [1]),
        "a chain of transactions": ("BEGIN;\nINSERT INTO marks VALUES (1);\nCOMMIT AND CHAIN;\nINSERT INTO marks VALUES (2);\nCOMMIT;\n", "", [1, 2]),
        "rows read from the file": ("COPY marks FROM stdin;\n1\n2\n\\.\n\\echo done\n", "", [1, 2]),
    },
    "mariadb": MYSQL,
    "mysql": MYSQL,
}  # fmt: skip


@pytest.mark.parametrize(("engine", "case"), [(engine, case) for engine, cases in CASES.items() for case in cases])
def test_nothing_a_file_leaves_behind_reaches_the_next_one_or_its_own_record(
    engine: str, case: str, new_place: Callable[[str], Place]
) -> None:
    first, second, marks = CASES[engine][case]
    place = new_place(engine)
    files = {"1.sql": MARKS, "2.sql": first, "3.sql": second}
    outcome = place.deploy(files)
    assert (outcome.status, outcome.error) == ("ok", None)
    assert place.marks() == marks
    assert place.states() == {"1": "applied", "2": "applied", "3": "applied"}
    assert place.deploy(files).status == "noop"


REFUSED = {
    "postgres": {
        "\\connect other\nSELECT 1;\n": r"2.sql:1:1: psql's \connect is no SQL and is not carried out",
        "SELECT 1;\n\\c other\n": r"2.sql:2:1: psql's \c ",
        "\\i other.sql\n": r"2.sql:1:1: psql's \i is no SQL",
        "\\copy marks FROM 'x.csv'\n": r"2.sql:1:1: psql's \copy is no SQL",
        "SELECT 'DROP TABLE marks' \\gexec\n": r"2.sql:1:1: psql's \gexec runs what the query before it returns",
        "\\if :{?x}\nDROP TABLE marks;\n\\endif\n": r"2.sql:2:1: whether this runs is up to psql's \if",
        "\\! rm -r x\n": r"psql's \! is no SQL",
        "SELECT pg_advisory_unlock_all();\n": "2.sql:1:1: this lets go of the lock",
        NONE + "DISCARD ALL;\n": "2.sql:3:1: this lets go of the lock",
        "BEGIN;\nPREPARE TRANSACTION 'x';\n": "2.sql:2:1: a transaction in two phases",
        "TRUNCATE pilotage_revisions;\n": "pilotage_revisions is Pilotage's own record",
    },
    "mariadb": {
        "DO RELEASE_ALL_LOCKS();\n": "2.sql:1:1: this lets go of the lock",
        "XA START 'x';\n": "2.sql:1:1: a transaction in two phases",
        "DELETE FROM pilotage_state;\n": "pilotage_state is Pilotage's own record",
    },
    "sqlite": {"DROP TABLE pilotage_revisions;\n": "2.sql:1:1: pilotage_revisions is Pilotage's own record"},
}


@pytest.mark.parametrize(("engine", "text"), [(engine, text) for engine, texts in REFUSED.items() for text in texts])
def test_what_cannot_be_carried_out_as_it_is_meant_is_refused_before_anything_runs(
    engine: str, text: str, new_place: Callable[[str], Place]
) -> None:
    place = new_place(engine)
    outcome = place.deploy({"1.sql": MARKS, "2.sql": text})
    assert outcome.error is not None
    assert outcome.error.code == 2
    assert REFUSED[engine][text] in outcome.error.message
    assert place.states() == {}


@pytest.mark.parametrize(
    "text",
    [
        "\\set ON_ERROR_STOP on\n\\echo 'to \\connect is not meant'\nINSERT INTO marks VALUES (1);\n",
        "-- \\connect other\nINSERT INTO marks VALUES (1); -- \\i x\n/* \\copy */\n",
        "\\if false\nDROP TABLE marks;\n\\endif\nINSERT INTO marks VALUES (1);\n",
        "INSERT INTO marks SELECT 1 WHERE 'a\\connect' <> $$\\i x$$;\n",
        "\\restrict key\nCOPY marks FROM stdin;\n1\n\\.\n\\unrestrict key\n",
    ],
)
def test_what_psql_says_and_does_for_itself_alone_is_passed_over(text: str, postgres: Place) -> None:
    assert postgres.deploy({"1.sql": MARKS, "2.sql": text}).status == "ok"
    assert postgres.marks() == [1]


def test_a_commit_that_the_database_refuses_does_not_count(sqlite: Place) -> None:
    files = {"1.sql": MARKS + "INSERT INTO marks VALUES (1);\nCOMMIT;\nINSERT INTO marks VALUES (2);\n"}
    for _ in range(2):
        outcome = sqlite.deploy(files)
        assert outcome.error is not None
        assert "1.sql:3:1: cannot commit" in outcome.error.message
        assert "the first 2 of its 4 statements took effect" in outcome.error.message
    assert sqlite.marks() == [1]


def test_what_is_found_wrong_at_the_commit_is_told_as_that(postgres: Place) -> None:
    tables = (
        "CREATE TABLE a (id int PRIMARY KEY);\nCREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"
    )
    outcome = postgres.deploy({"1.sql": tables, "2.sql": "INSERT INTO b VALUES (5);\nSELECT 1;\n"})
    assert outcome.error is not None
    assert (outcome.error.code, outcome.after) == (1, "1")
    assert outcome.error.message.startswith("2.sql: at its COMMIT: insert or update on table")


def test_a_statement_that_no_transaction_holds_is_told_how_to_be_without_one(place: Place) -> None:
    if place.engine == "mariadb":
        text, remark = "CALL nothing();\n", "nothing does not exist"
    else:
        text, remark = "VACUUM;\n", "write '-- pilotage:txmode none'"
    outcome = place.deploy({"1.sql": text})
    assert outcome.error is not None
    assert remark in outcome.error.message


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("DELETE FROM pilotage_revisions", 3, "rows of app are gone from pilotage_revisions"),
        ("UPDATE pilotage_revisions SET state = 'done'", 2, "state 'done'"),
        ("UPDATE pilotage_state SET layout = NULL", 0, ""),
        ("ALTER TABLE pilotage_revisions ADD COLUMN mine int", 0, ""),
    ],
)
def test_a_record_changed_by_hand_is_not_guessed_from(change: str, code: int, words: str, place: Place) -> None:
    files = {"1.sql": MARKS, "2.sql": "INSERT INTO marks VALUES (1);\n"}
    place.deploy(files)
    place.run(change)
    outcome = place.deploy({**files, "3.sql": "INSERT INTO marks VALUES (2);\n"})
    assert (outcome.exit_code, place.marks()) == (code, [1] if code else [1, 2])
    assert words in (outcome.error.message if outcome.error else "")


def test_a_server_that_takes_no_writes_is_told_from_a_right_that_is_missing(postgres: Place) -> None:
    name = postgres.url.rpartition("/")[2]
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    outcome = postgres.deploy({"1.sql": MARKS})
    assert outcome.error is not None
    assert outcome.error.code == 2
    assert "give the address of the primary, not of a replica" in outcome.error.message


def test_a_record_in_another_schema_is_pointed_to(postgres: Place) -> None:
    postgres.run("CREATE SCHEMA app")
    inside = Place("postgres", f"{postgres.url}?search_path=app")
    assert inside.deploy({"1.sql": MARKS}).status == "ok"
    outcome = postgres.deploy({"1.sql": MARKS})
    assert outcome.error is not None
    assert (outcome.error.code, "give ?search_path=app" in outcome.error.message) == (3, True)
    assert postgres.deploy({"1.sql": MARKS}, clean=True).status == "ok"
    assert inside.deploy({"1.sql": MARKS}).status == "noop"
