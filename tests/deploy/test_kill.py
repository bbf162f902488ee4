"""Killed with SIGKILL at every step and run again: each statement exactly once, or exit code 4 where nobody can know."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ci_runner import deploy
from ci_runner.deploy import Options
from tests.deploy.dying import Dying, in_child
from tests.deploy.place import Place, tools

MARK = "INSERT INTO marks (n) VALUES ({});\n"
FILES = {
    "sqlite": {
        "1_a.sql": "CREATE TABLE marks (n int);\nCREATE TABLE a (id int);\n" + MARK.format(1),
        "2_b.sql": "-- pilotage:txmode none\n\nPRAGMA foreign_keys = OFF;\n" + MARK.format(2) + "ALTER TABLE a ADD COLUMN x int;\n"
        + "BEGIN;\n" + MARK.format(3) + MARK.format(4) + "COMMIT;\nCREATE INDEX a_x ON a (x);\n" + MARK.format(5),
        "3_c.sql": MARK.format(6),
    },
    "postgres": {
        "1_a.sql": "CREATE TABLE marks (n int);\nCREATE TABLE a (id int);\n" + MARK.format(1),
        "2_b.sql": "-- pilotage:txmode none\n\nSET search_path = public;\n" + MARK.format(2) + "ALTER TABLE a ADD COLUMN x int;\n"
        + "CREATE INDEX CONCURRENTLY a_x ON a (x);\nBEGIN;\n" + MARK.format(3) + MARK.format(4) + "COMMIT;\n"
        + "DROP INDEX CONCURRENTLY a_x;\n" + MARK.format(5),
        "3_c.sql": MARK.format(6) + "CREATE VIEW v AS SELECT * FROM a;\n",
        "4_d.sql": "-- pilotage:txmode none\n\nGRANT ALL ON marks TO pg_monitor;\nSET ROLE pg_monitor;\n" + MARK.format(7) + "BEGIN;\n"
        + MARK.format(8) + "COMMIT;\nRESET ROLE;\nCREATE INDEX marks_n ON marks (n);\n",
    },
    "mariadb": {
        "1_a.sql": "CREATE TABLE marks (n int);\nCREATE TABLE a (id int);\n" + MARK.format(1) + MARK.format(2),
        "2_b.sql": "SET foreign_key_checks = 0;\nALTER TABLE a ADD COLUMN x int;\n" + MARK.format(3) + "RENAME TABLE a TO b;\n"
        + "START TRANSACTION;\n" + MARK.format(4) + "CREATE TABLE c (id int);\n" + MARK.format(5) + "COMMIT;\n",
        "3_c.sql": "CREATE INDEX b_x ON b (x);\nCREATE VIEW v AS SELECT * FROM b;\nDROP TABLE c;\n" + MARK.format(6)
        + "CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW SET NEW.x = 1;\nALTER TABLE b DROP INDEX b_x, MODIFY x bigint;\n",
        "4_d.sql": "SET autocommit = 0;\n" + MARK.format(7) + "ALTER TABLE b ADD COLUMN y int;\n" + MARK.format(8) + "COMMIT;\n",
        "5_e.sql": "LOCK TABLES marks WRITE;\nALTER TABLE marks ADD COLUMN m int;\n" + MARK.format(9) + "UNLOCK TABLES;\n",
    },
}  # fmt: skip
FILES["mysql"] = FILES["mariadb"]
MARKS = {"sqlite": 6, "postgres": 8, "mariadb": 9, "mysql": 9}
POINTS = 300
# Every step on SQLite; every third on servers, all of them where PILOTAGE_TEST_ROUNDS asks for more (nox -s faults).
STRIDE = {"sqlite": 1, "mysql": 9}
LONG = bool(os.environ.get("PILOTAGE_TEST_ROUNDS"))


def child(place: Place, at: int, when: str) -> Callable[[], int]:
    source = place.source(FILES[place.engine])

    def run() -> int:
        options = Options("app", run_id="killed", lock_wait=30.0)
        target = Dying(place.open(), at, when)
        return deploy.deploy(target, source, options, tools(lambda _text: None)).exit_code  # type: ignore[arg-type]

    return run


@pytest.mark.parametrize("engine", ["sqlite", "postgres", "mariadb", "mysql"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_at_any_step_is_finished_by_the_next_one_each_statement_once(
    engine: str, when: str, new_place: Callable[[str], Place]
) -> None:
    expected = finished(new_place(engine))
    stride = 1 if LONG else STRIDE.get(engine, 3)
    for at in range(0 if when == "before" else stride // 2, POINTS, stride):
        place = new_place(engine)
        code = in_child(child(place, at, when))
        if code is not None:
            assert code == 0
            assert at > 15, "the run has more steps than that: nothing was tried"
            return
        outcome = place.deploy(FILES[engine])
        assert outcome.exit_code == 0, f"killed {when} step {at}: {outcome.error}"
        assert place.marks() == list(range(1, MARKS[engine] + 1)), f"killed {when} step {at}"
        assert schema(place) == expected, f"killed {when} step {at}"
    pytest.fail("the run never came to its end")


def finished(place: Place) -> dict[str, str]:
    assert place.deploy(FILES[place.engine]).status == "ok"
    return schema(place)


def schema(place: Place) -> dict[str, str]:
    target = place.open()
    try:
        found = target.fingerprint()  # a view's text holds the name of its database
        return {name: "" if name.startswith("view") else text for name, text in found.items()}
    finally:
        target.close()
