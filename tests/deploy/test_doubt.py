"""Statements nobody saw the end of: decided where something can be seen, told by the file where it says how, left to a person otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ci_runner import deploy
from ci_runner.databases import Lock, Target
from ci_runner.deploy import Answer, Options
from ci_runner.deploy.effects import Effect, Expect, effect
from ci_runner.deploy.intent import judge
from ci_runner.model.operations import Name
from tests.deploy.dying import Dying, in_child
from tests.deploy.place import Place, tools

NONE = "-- pilotage:txmode none\n\n"
OPAQUE = {
    "sqlite": "VACUUM;\n",
    "postgres": "VACUUM;\n",
    "mariadb": "OPTIMIZE TABLE marks;\n",
}


def files(engine: str, above: str = "") -> dict[str, str]:
    return {"1_a.sql": f"{NONE}CREATE TABLE marks (n int);\n{above}{OPAQUE[engine]}INSERT INTO marks VALUES (1);\n"}


def killed(place: Place, given: dict[str, str], statement: int) -> None:
    """A run that dies right behind statement ``statement`` (from 1), before it can write that down."""

    class Behind(Dying):
        def __getattr__(self, name: str) -> object:
            found = getattr(self._target, name)
            if name != "run":
                return found

            def run(statements: object) -> object:
                self._count += 1
                answer = found(statements)
                if self._count == self._at:
                    import os
                    import signal

                    os.kill(os.getpid(), signal.SIGKILL)
                return answer

            return run

    source = place.source(given)

    def child() -> int:
        target = Behind(place.open(), statement - 1, "after")
        return deploy.deploy(target, source, Options("app", run_id="killed"), tools(lambda _text: None)).exit_code  # type: ignore[arg-type]

    assert in_child(child) is None


def settle(place: Place, answer: Answer) -> deploy.Memory:
    target = place.open()
    deploy.settle(target, Options("app", actor="ada"), tools(lambda _text: None), answer, "looked at it")
    target.close()
    return place.memory()


def test_an_effect_that_cannot_be_seen_stops_the_run_with_three_commands(place: Place) -> None:
    killed(place, files(place.engine), 2)
    outcome = place.deploy(files(place.engine))
    assert (outcome.status, outcome.exit_code) == ("in_doubt", 4)
    assert outcome.error is not None
    for word in ("statement 2 of 3", "resolve --applied app", "resolve --not-applied app", "resolve --rerun app"):
        assert word in outcome.error.message
    assert place.states() == {"1": "in_doubt"}
    assert place.deploy(files(place.engine)).exit_code == 4


@pytest.mark.parametrize(("answer", "marks"), [("applied", [1]), ("not-applied", [1])])
def test_a_person_settles_it_and_the_next_run_goes_on(place: Place, answer: Answer, marks: list[int]) -> None:
    killed(place, files(place.engine), 2)
    place.deploy(files(place.engine))
    row = settle(place, answer).revisions[0]
    assert row.statements_done == (2 if answer == "applied" else 1)
    assert row.error == f"{answer}: looked at it (ada)"
    done = place.deploy(files(place.engine))
    assert done.status == "ok", done.error
    assert place.marks() == marks


def test_the_whole_file_is_run_again_on_request(sqlite: Place) -> None:
    killed(sqlite, files("sqlite"), 2)
    sqlite.deploy(files("sqlite"))
    settle(sqlite, "rerun")
    sqlite.run("DROP TABLE marks")
    assert sqlite.deploy(files("sqlite")).status == "ok"


@pytest.mark.parametrize(("query", "done"), [("SELECT 1", True), ("SELECT count(*) FROM marks WHERE n = 99", False)])
def test_a_statement_can_say_how_to_see_that_it_took_effect(place: Place, query: str, done: bool) -> None:
    given = files(place.engine, f"-- pilotage:assume applied-if {query}\n")
    killed(place, given, 2)
    outcome = place.deploy(given)
    assert outcome.status == "ok", outcome.error
    assert any(("took effect" if done else "running it again") in line for line in place.said)
    assert place.marks() == [1]


def test_there_is_nothing_to_settle_where_nothing_is_open(sqlite: Place) -> None:
    sqlite.deploy({"1_a.sql": "CREATE TABLE a (id int);\n"})
    with pytest.raises(Exception, match="nothing of app is in doubt"):
        settle(sqlite, "applied")


INDEX = {
    "1_a.sql": "CREATE TABLE a (id int);\n",
    "2_i.sql": f"{NONE}CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\n",
}


@pytest.mark.parametrize("engine", ["postgres"])
def test_an_index_that_could_not_be_built_is_named_and_removed_on_request(place: Place) -> None:
    place.deploy(INDEX, amount=1)
    place.run("INSERT INTO a VALUES (1), (1)")
    refused = place.deploy(INDEX)
    assert refused.error is not None
    assert refused.error.code == 1
    assert "DROP INDEX CONCURRENTLY IF EXISTS a_id" in refused.error.message
    place.run("DELETE FROM a")
    assert place.deploy(INDEX).exit_code == 3
    repaired = place.deploy(INDEX, repair_indexes=True)
    assert repaired.status == "ok", repaired.error
    assert place.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


@pytest.mark.parametrize("engine", ["mariadb"])
def test_a_refused_call_may_have_done_a_part_of_its_work(place: Place) -> None:
    place.run(
        "CREATE TABLE marks (n int)",
        "CREATE PROCEDURE half() BEGIN INSERT INTO marks VALUES (1); CREATE TABLE marks (n int); END",
    )
    outcome = place.deploy({"1_a.sql": "CALL half();\n"}, clean=True)
    assert (outcome.status, outcome.exit_code) == ("in_doubt", 4)
    assert outcome.error is not None
    assert "a part of it may have taken effect" in outcome.error.message
    harmless = place.deploy({"1_b.sql": "CALL nobody();\n"}, dir="other", clean=True)
    assert harmless.exit_code == 1


@pytest.mark.parametrize("engine", ["mariadb"])
def test_rows_of_a_table_that_cannot_undo_them_are_in_doubt_after_a_kill(place: Place) -> None:
    given = {"1_a.sql": "CREATE TABLE marks (n int) ENGINE=MyISAM;\nINSERT INTO marks VALUES (1);\n"}
    killed(place, given, 2)
    assert place.deploy(given).exit_code == 4
    settle(place, "applied")
    assert place.deploy(given).status == "noop"
    assert place.marks() == [1]


@pytest.mark.parametrize(
    ("how", "before", "now", "verdict"),
    [
        ("there", "-", "x", "applied"), ("there", "-", "-", "again"), ("there", "x", "x", "again"), ("there", "x", "y", "unknown"),
        ("gone", "x", "-", "applied"), ("gone", "x", "x", "again"), ("gone", "-", "-", "again"), ("gone", "x", "y", "unknown"),
        ("changed", "x", "y", "applied"), ("changed", "x", "x", "again"), ("changed", "x", "-", "unknown"), ("changed", "-", "x", "unknown"),
        ("set", "x", "y", "applied"), ("set", "-", "y", "applied"), ("set", "x", "-", "unknown"),
    ],
)  # fmt: skip
def test_a_statement_took_effect_when_exactly_what_it_names_became_what_it_says(
    how: str, before: str, now: str, verdict: str
) -> None:
    assert judge([Expect("table", Name("", "a"), how)], [before], [now]) == verdict  # type: ignore[arg-type]


def test_of_two_objects_only_one_of_which_changed_nothing_is_known() -> None:
    both = [Expect("table", Name("", name), "gone") for name in ("a", "b")]
    assert judge(both, ["x", "y"], ["-", "-"]) == "applied"
    assert judge(both, ["x", "y"], ["-", "y"]) == "unknown"
    assert judge(both, ["x"], ["-", "-"]) == "unknown"


CASES: list[tuple[str, str, Effect]] = [
    (
        "mariadb",
        "RENAME TABLE a TO b",
        Effect("schema", (Expect("table", Name("", "a"), "gone"), Expect("table", Name("", "b"), "there"))),
    ),
    ("mariadb", "ALTER TABLE a ADD x int, DROP y", Effect("schema", (Expect("table", Name("", "a"), "changed"),))),
    ("mariadb", "CREATE INDEX i ON a (x)", Effect("schema", (Expect("table", Name("", "a"), "changed"),))),
    ("mariadb", "ALTER TABLE a TRUNCATE PARTITION p", Effect("opaque")),
    ("mariadb", "INSERT INTO a VALUES (1)", Effect("rows", tables=(Name("", "a"),))),
    ("mariadb", "TRUNCATE a", Effect("opaque")),
    ("mariadb", "GRANT SELECT ON a TO b", Effect("opaque")),
    ("mariadb", "SET @x = 1", Effect("setting")),
    (
        "postgres",
        "CREATE INDEX CONCURRENTLY i ON a (x)",
        Effect("schema", (Expect("index", Name("", "i"), "there"),), alone=True),
    ),
    ("postgres", "VACUUM", Effect("opaque", alone=True)),
    ("postgres", "DO $$ BEGIN COMMIT; END $$", Effect("opaque", alone=True)),
    ("postgres", "BEGIN", Effect("begin")),
    ("postgres", "CREATE OR REPLACE VIEW v AS SELECT 1", Effect("schema", (Expect("view", Name("", "v"), "set"),))),
    ("sqlite", "PRAGMA foreign_keys = OFF", Effect("setting")),
]


@pytest.mark.parametrize(("dialect", "text", "expected"), CASES, ids=[text for _, text, _ in CASES])
def test_what_a_statement_leaves_to_be_seen(dialect: str, text: str, expected: Effect) -> None:
    from ci_runner import sql
    from ci_runner.model.directory import Migration

    (statement,) = sql.statements(Migration("a.sql", "1", "", text, ""), dialect)
    assert effect(statement, dialect) == expected


def test_the_lock_of_a_directory_is_its_own(postgres: Place) -> None:
    from ci_runner.deploy import hashes

    def lock(name: str) -> Lock:
        return hashes.lock(name, "public")

    first: Target = postgres.open()
    second: Target = postgres.open()
    held: Callable[[Lock], bool] = second.try_lock
    assert first.try_lock(lock("app"))
    assert not held(lock("app"))
    assert held(lock("other"))
    assert "process" in second.holder(lock("app"))
    first.close()
    second.close()
