"""Reading takes time in proportion to the text, whatever stands in it; asking for the package costs nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from ci_runner import sql
from ci_runner.sql.dialects import DIALECTS
from ci_runner.sql.segments import cut
from tests.sql.reading import migration, read

HOSTILE: dict[str, Callable[[int], str]] = {
    "open quotes": lambda n: "'" * (2 * n + 1),
    "open parentheses": lambda n: "SELECT " + "(" * n,
    "closed parentheses": lambda n: "SELECT " + "(" * n + ")" * n,
    "comments": lambda n: "/* a */ -- b\n" * n,
    "nested comments": lambda n: "/*" * n + "*/" * n,
    "semicolons": lambda n: ";" * n,
    "dollars": lambda n: "$" * n + " $a$b" * n,
    "backslashes": lambda n: "\\x\n" * n + "select \\x\n" * n,
    "rows of psql": lambda n: "\\copy a from stdin\n1\n\\.\nCOPY a FROM stdin;\n1\n\\.\n" * n,
    "psql's words": lambda n: "\\copy a from 'x' from  stdi\n\\a 'x' `y` \\\\ \\if 'x" * n,
    "commas": lambda n: "ALTER TABLE a " + "ADD COLUMN b int, " * n + "DROP c",
    "definitions": lambda n: "CREATE TABLE a (" + "b int, " * n + "c int)",
    "from": lambda n: "INSERT INTO a SELECT * " + "FROM b, " * n,
    "as": lambda n: "WITH a " + "AS (" * n + ")" * n + " SELECT 1",
    "statements": lambda n: "DROP TABLE a;\n" * n,
    "begin": lambda n: "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN " + "BEGIN " * n + "END; " * n,
    "create trigger": lambda n: "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET b = 1;" * n,
    "if": lambda n: "IF 1 = 1 " * n + "DROP TABLE a",
    "variables": lambda n: "DO $$ BEGIN s := 'DROP TABLE a'; " + "s := 'DROP TABLE a'; EXECUTE s; " * n + "END $$",
    "asynchronous": lambda n: (
        "BEGIN " + "ASYNC (" * n + "DROP TABLE a" + ")" * n + "; " + "ASYNC (DROP TABLE a); " * n + "END"
    ),
    "branches": lambda n: (
        "\\if false\n" * n + "DROP TABLE a;\n" + "\\endif\n" * n + "\\if :a\nDROP TABLE a;\n\\endif\n" * n
    ),
    "values of templates": lambda n: "{{ a }}\n" * n + "DROP TABLE a;" + "{{ a }} -- x\n" * n + "DROP TABLE a",
    "tags": lambda n: (
        "{% if a %}" * n + "{{ a }}_{{ b }} " * n + "{# x #}\n" * n + "{{ a }}  ; " * n + "{{" * n + "{%" * n
    ),
    "rows": lambda n: "INSERT INTO a VALUES (1)" + ", (1, 'x')" * n,
    "go": lambda n: "SELECT 1\nGO\n" * n,
    "delimiters": lambda n: "DELIMITER //\nSELECT 1//\nDELIMITER ;\n" * n,
    "blocks": lambda n: "DO $$ BEGIN " + "DROP TABLE a; " * n + "END $$;",
    "literals": lambda n: "DO $$ BEGIN " + "EXECUTE 'DROP TABLE a'; " * n + "END $$;",
    "templates": lambda n: "{{" * n,
    "executable comments": lambda n: "/*!40101 " * n,
    "words": lambda n: "x " * n,
    "set": lambda n: "SET " + "a = 1, " * n + "b = 2",
    "case": lambda n: "SELECT " + "CASE " * n + "END " * n,
    "joins": lambda n: "CREATE VIEW v AS SELECT a FROM t" + " JOIN u USING (a)" * n,
    "subqueries": lambda n: "CREATE VIEW v AS " + "SELECT (SELECT a FROM t WHERE b IN " * n + "1" + ")" * n,
    "updates": lambda n: "CREATE TRIGGER g AFTER INSERT ON t BEGIN " + "UPDATE t SET a = b; " * n + "END",
}


def spent(text: str, dialect: str) -> float:
    """The least time of three readings, so that a neighbour's load does not count."""
    times = []
    for _ in range(3):
        start = time.process_time()
        read(text, dialect)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("dialect", ["postgres", "mysql", "sqlserver", "snowflake"])
def test_four_times_the_text_takes_about_four_times_as_long(name: str, dialect: str) -> None:
    make = HOSTILE[name]
    small, large = spent(make(1000), dialect), spent(make(4000), dialect)
    assert large <= 9 * small + 0.02  # a quadratic reading takes sixteen times as long


@pytest.mark.slow
@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_segmenter_reads_a_large_file_in_time_linear_to_its_size(dialect: str) -> None:
    line = "INSERT INTO \"a\" (b) VALUES ('it''s', 1); -- comment\n"
    traits = DIALECTS[dialect]

    def timed(count: int) -> float:
        start = time.process_time()
        assert cut(line * count, traits).segments
        return time.process_time() - start

    small, large = min(timed(10_000) for _ in range(3)), timed(80_000)
    assert large <= 8 * small * 2.5


def test_asking_for_the_package_imports_no_grammar_and_no_sqlglot() -> None:
    code = (
        "import sys, ci_runner.sql; print([m for m in sys.modules if 'sqlglot' in m or m.startswith('ci_runner.sql.')])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_reading_a_plain_migration_imports_no_sqlglot_and_one_grammar() -> None:
    code = (
        "import sys; from ci_runner import sql; from ci_runner.model.directory import Migration;"
        "sql.statements(Migration('a', '1', '', 'CREATE TABLE a (b int); SELECT 1; DROP TABLE a', ''), 'postgres');"
        "print([m for m in sys.modules if 'sqlglot' in m or 'clickhouse' in m or 'mysql' in m])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_functions_are_not_hidden_by_modules_of_their_name() -> None:
    assert sql.split("SELECT 1", "tsql") == ((0, 8),)
    assert callable(sql.statements)
    assert sql.count(migration(""), "postgres") == 0
