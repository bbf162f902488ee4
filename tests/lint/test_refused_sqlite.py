"""What SQLite refuses on a table with rows is told before, and nothing else is: random schemas and changes, beside SQLite itself."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest

from tests.lint.harness import check, only

REFUSED = {"sqlite-unsupported-alter", "sqlite-nonconstant-default", "add-notnull-no-default"}
COLUMNS = ("a", "b", "c", "d")
OPTIONS = (
    "", "", "", "", "UNIQUE", "CHECK ({x} <> 9)", "REFERENCES p (id)", "DEFAULT 1", "NOT NULL DEFAULT 0", "COLLATE NOCASE", "CHECK ({x} > {y})",
    "GENERATED ALWAYS AS ({y} + 1) VIRTUAL", "AS ({y}) STORED",
)  # fmt: skip
TAILS = (
    "",
    "",
    ", UNIQUE (a, b)",
    ", CHECK (b <> c)",
    ", FOREIGN KEY (c) REFERENCES p (id)",
    ", FOREIGN KEY (b) REFERENCES p",
)
MORE = (
    "CREATE INDEX i{n} ON t ({x})", "CREATE INDEX j{n} ON t (lower({x}), {y})", "CREATE INDEX k{n} ON t ({x}) WHERE {y} IS NOT NULL",
    "CREATE VIEW v{n} AS SELECT {x} FROM t", "CREATE VIEW v{n} AS SELECT * FROM t", "CREATE VIEW v{n} AS SELECT 1 AS {x}, '{y}' FROM t",
    "CREATE VIEW v{n} AS SELECT q.{x} AS z FROM t AS q JOIN u ON u.x = q.{y}",
    "CREATE VIEW v{n} AS SELECT count(*) n, {x} m FROM main.t GROUP BY {x} HAVING max({y}) > 1 ORDER BY m",
    "CREATE VIEW v{n} AS WITH w AS (SELECT {x} AS g FROM t) SELECT g FROM w WHERE EXISTS (SELECT 1 FROM t r WHERE r.{y} = w.g)",
    "CREATE VIEW v{n} AS SELECT CASE WHEN {x} IN (1, 2) THEN 'x' ELSE {y} END FROM t UNION SELECT x FROM u",
    "CREATE VIEW v{n} AS SELECT x FROM u WHERE (SELECT max({y}) FROM t WHERE x = {x}) > 1",
    "CREATE TRIGGER g{n} AFTER INSERT ON t BEGIN UPDATE u SET x = new.{x}; END",
    "CREATE TRIGGER g{n} AFTER UPDATE OF {x} ON t BEGIN SELECT 1; END",
    "CREATE TRIGGER g{n} AFTER INSERT ON u BEGIN INSERT INTO t ({x}) VALUES (new.x); END",
    "CREATE TRIGGER g{n} AFTER INSERT ON u BEGIN UPDATE OR IGNORE t SET {x} = new.x WHERE {y} = new.y; END",
    "CREATE TRIGGER g{n} AFTER DELETE ON u WHEN old.x > 1 BEGIN DELETE FROM t WHERE {x} = old.x; INSERT INTO u (x) SELECT {y} FROM t; END",
)  # fmt: skip
CHANGES = (
    "ALTER TABLE t DROP COLUMN {x}", "ALTER TABLE t DROP COLUMN {x}", "ALTER TABLE t DROP COLUMN {x}", "ALTER TABLE t RENAME COLUMN {x} TO e",
    "DROP TABLE u;ALTER TABLE t RENAME TO t2", "DROP TABLE u;ALTER TABLE t DROP COLUMN {x}", "DROP TABLE t;ALTER TABLE u RENAME COLUMN x TO z",
    "CREATE TABLE n (id INTEGER PRIMARY KEY, a, b, c, d);DROP TABLE t;ALTER TABLE n RENAME TO t",
    "ALTER TABLE t RENAME TO t2;ALTER TABLE t2 DROP COLUMN {x}", "ALTER TABLE t RENAME COLUMN {x} TO e;ALTER TABLE t DROP COLUMN e",
)  # fmt: skip
ADDED = (
    "TEXT", "INT NOT NULL", "INT NOT NULL DEFAULT 1", "TEXT DEFAULT CURRENT_TIMESTAMP", "INT DEFAULT (1+1)", "INT DEFAULT (-1)", "TEXT UNIQUE",
    "TEXT DEFAULT ('x')", "INTEGER PRIMARY KEY", "INT REFERENCES p (id)", "INT DEFAULT 1 REFERENCES p (id)", "INT DEFAULT NULL REFERENCES p",
    "INT AS (a) STORED", "INT AS (a) VIRTUAL", "TEXT NOT NULL DEFAULT NULL", "INT DEFAULT (NULL)", "INT DEFAULT +5", "REAL DEFAULT 1e3",
    "BLOB DEFAULT x'00'", "TEXT DEFAULT true", 'TEXT NOT NULL DEFAULT ""', "TEXT DEFAULT (current_date)", "INT DEFAULT (5)",
    "TEXT COLLATE NOCASE DEFAULT current_time", "INT CONSTRAINT z NOT NULL CONSTRAINT y DEFAULT 0",
)  # fmt: skip


def drawn(pick: random.Random) -> tuple[list[str], list[str]]:
    """A schema's statements and a change's."""

    def filled(text: str) -> str:
        x, y = pick.sample(COLUMNS, 2)
        return text.format(x=x, y=y, n=pick.randrange(99))

    columns = []
    for name in COLUMNS:
        other = pick.choice([column for column in COLUMNS if column != name])
        columns.append(f"{name} {pick.choice(('TEXT', 'INT', ''))} {pick.choice(OPTIONS).format(x=name, y=other)}")
    key = pick.choice(("", "id INTEGER PRIMARY KEY, "))
    table = f"CREATE TABLE t ({key}{', '.join(columns)}{pick.choice(TAILS)})"
    schema = ["CREATE TABLE p (id INTEGER PRIMARY KEY)", table, "CREATE TABLE u (a, x, y)"]
    schema += [filled(pick.choice(MORE)) for _ in range(pick.randrange(4))]
    change = f"ALTER TABLE t ADD COLUMN e {pick.choice(ADDED)}" if pick.random() < 0.3 else filled(pick.choice(CHANGES))
    return schema, change.split(";")


def refusal(schema: list[str], change: list[str]) -> str | None:
    """SQLite's own word, "" for none; None where the schema itself cannot be or cannot have a row."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as base:
        try:
            for statement in (
                "PRAGMA foreign_keys = ON",
                *schema,
                "INSERT INTO p VALUES (1)",
                "INSERT INTO t DEFAULT VALUES",
            ):
                base.execute(statement)
        except sqlite3.Error:
            return None
        for statement in change:
            try:
                base.execute(statement)
            except sqlite3.Error as error:
                return f"{statement}: {error}"
    return ""


@pytest.mark.parametrize("seed", range(4))
def test_what_sqlite_refuses_is_told_and_nothing_else(seed: int) -> None:
    pick, wrong, compared = random.Random(seed), [], 0
    for _ in range(300):
        schema, change = drawn(pick)
        truth = refusal(schema, change)
        if truth is None:
            continue
        compared += 1
        linted = check(";\n".join(change), "sqlite", pre=";\n".join(schema) + ";", tx="none")
        told = {finding.rule for finding in linted.findings} & REFUSED
        if bool(told) != bool(truth):
            wrong.append((schema, change, truth, told))
    assert wrong == []
    assert compared > 150


@pytest.mark.parametrize(
    ("insert", "left", "said"), [("INSERT", None, "fails"), ("INSERT OR IGNORE", 1, "leaves out every row")]
)
def test_a_copy_of_nulls_fails_or_loses_rows_as_sqlite_does_it(insert: str, left: int | None, said: str) -> None:
    table, rows = "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT)", "INSERT INTO t VALUES (1, 'x'), (2, NULL)"
    new, copy = "CREATE TABLE s (id INTEGER PRIMARY KEY, n TEXT NOT NULL)", f"{insert} INTO s SELECT id, n FROM t"
    with closing(sqlite3.connect(":memory:")) as database:
        for statement in (table, rows, new):
            database.execute(statement)
        if left is None:
            with pytest.raises(sqlite3.IntegrityError):
                database.execute(copy)
        else:
            database.execute(copy)
            assert database.execute("SELECT count(*) FROM s").fetchone() == (left,)
    linted = check(f"{new};\n{copy};\nDROP TABLE t;\nALTER TABLE s RENAME TO t;", "sqlite", pre=f"{table};")
    assert f" {said} " in only(linted, "sqlite-set-not-null").message
