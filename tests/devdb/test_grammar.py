"""T-SQL without a server: what Microsoft's grammar refuses has a place, and what it takes is not said to have run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ci_runner.devdb import DevDatabase, grammar
from ci_runner.errors import SetupError
from ci_runner.replay import replay
from tests.devdb.opening import opened
from tests.replay.writing import file


@pytest.fixture(scope="module")
def tsql() -> Iterator[DevDatabase]:
    with opened("embedded://sqlserver") as (dev, lines):
        assert lines == [f"{dev.engine}: syntax is checked, nothing is run"]
        yield dev


BASE = [file("1.sql", "CREATE TABLE users (id int NOT NULL);\nCREATE VIEW v AS SELECT id FROM users;\n")]


def test_what_parses_passes_and_nothing_is_said_of_what_it_does(tsql: DevDatabase) -> None:
    result = replay(BASE, [file("2.sql", "ALTER TABLE users ADD n int NULL;\nDROP TABLE nowhere;\n")], tsql)
    assert (result.status, result.statements, result.observations, result.changes) == ("ok", 4, (), ())
    assert result.engine.startswith("Microsoft's T-SQL grammar (maxdop ")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("SELECT 1;\nCREATE TABLE t (\n  id int,, x int\n);\n", 3, 10, "Incorrect syntax near ','."),
        ("ALTER TABEL users ADD n int;\n", 1, 7, "Incorrect syntax near 'TABEL'"),
        ("SELECT 'é' AS x;\nSELECT 'é' AS y FROM FROM t;\n", 2, 22, "Incorrect syntax near 'FROM'."),
    ],
)
def test_what_does_not_parse_is_refused_at_its_place(
    tsql: DevDatabase, text: str, line: int, column: int, words: str
) -> None:
    error = replay(BASE, [file("2.sql", text)], tsql).error
    assert error is not None
    assert words in error.message
    assert (error.file, error.line, error.column) == ("2.sql", line, column)
    assert error.code.startswith("46")


def test_without_the_program_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "PROGRAM", "no-such-program")
    with pytest.raises(SetupError, match=r"pip install 'pilotage\[maxdop\]'"), opened("embedded://sqlserver"):
        pass
