"""What runs for long is told of while it runs, with its place; what does not is not."""

from __future__ import annotations

from ci_runner.devdb import DevDatabase
from ci_runner.replay import Slow, replay
from tests.replay.writing import file

SLEEP = "SELECT pg_sleep(0.9)"
LONG = f"SELECT 1;\n\n\n{SLEEP} /* {'x' * 80} */;\nSELECT 2;\n"


def told(dev: DevDatabase, base: list[str], change: list[str], seconds: float = 0.25) -> list[str]:
    """What is said of histories and changes whose files are called by their numbers."""
    lines: list[str] = []
    files = [file(f"{number}.sql", text) for number, text in enumerate([*base, *change])]
    result = replay(files[: len(base)], files[len(base) :], dev, time_limit=60, slow=Slow(lines.append, seconds))
    assert result.status == "ok"
    return lines


def test_a_statement_of_the_change_is_named_with_its_line_and_the_limit(postgres: DevDatabase) -> None:
    first, again, *_ = told(postgres, [], ["SELECT 1;\n", LONG])
    assert first.startswith(f"1.sql:4 ({SLEEP} /* xx")
    assert first.endswith("x …) has been running for 0 s; the replay is stopped after 60 s")
    assert again.startswith("1.sql:4 ")


def test_it_is_told_again_when_it_has_taken_twice_as_long_and_by_each_pass(postgres: DevDatabase) -> None:
    lines = told(postgres, [], [LONG], 0.3)
    assert ", on tables with rows, has been running for" in lines[-1]
    assert [line.partition(" ")[0] for line in lines] == ["0.sql:4", "0.sql:4", "0.sql:1-5", "0.sql:1-5"]


def test_the_time_limit_holds_where_nobody_takes_what_is_told(postgres: DevDatabase) -> None:
    def gone(_line: str) -> None:
        raise BrokenPipeError

    endless = [file("1.sql", "SELECT pg_sleep(60);\n")]
    result = replay([], endless, postgres, time_limit=1, slow=Slow(gone, 0.2))
    assert result.status == "failed"
    assert result.error is not None
    assert "stopped after 1 s" in result.error.message


def test_of_released_files_the_file_is_named(postgres: DevDatabase) -> None:
    assert told(postgres, [LONG], [])[0].startswith("0.sql:1-5 (3 statements) has been running for ")
    several = told(postgres, ["SELECT 1;\n", LONG, "SELECT 1;\n"], [])
    assert several[0].startswith("0.sql, or one of the files behind it, has been running for ")


def test_of_a_change_of_many_files_the_file_is_named(postgres: DevDatabase) -> None:
    assert told(postgres, [], ["SELECT 1;\n"] * 30 + [LONG])[0].startswith("30.sql:1-5 (3 statements) ")


def test_statements_that_do_not_take_long_are_not_told_of_however_long_all_take(postgres: DevDatabase) -> None:
    assert told(postgres, [], ["SELECT pg_sleep(0.25);\n"] * 8, 1.8) == []
