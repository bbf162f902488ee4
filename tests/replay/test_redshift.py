"""Redshift's migrations on the PostgreSQL that stands in for it: what is removed and what is refused is said, and never an error."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ci_runner.databases.redshift.standin import cleaned
from ci_runner.devdb import DevDatabase
from ci_runner.replay import replay
from tests.devdb.opening import opened
from tests.replay.writing import file

CLAUSES = [
    (
        "CREATE TABLE t (id int IDENTITY(1, 1) ENCODE az64 DISTKEY, v varchar(max) ENCODE lzo) DISTSTYLE KEY COMPOUND SORTKEY (id, v)",
        ("IDENTITY", "ENCODE", "DISTKEY", "VARCHAR(MAX)", "DISTSTYLE", "SORTKEY"),
    ),
    ("CREATE TABLE t (id int) DISTSTYLE ALL SORTKEY AUTO BACKUP NO", ("DISTSTYLE", "SORTKEY", "BACKUP")),
    ("CREATE TABLE t (s SUPER, b VARBYTE(64), at timestamp DEFAULT GETDATE())", ("SUPER", "VARBYTE", "GETDATE()")),
    ("CREATE VIEW v AS SELECT 1 AS one WITH NO SCHEMA BINDING", ("WITH NO SCHEMA BINDING",)),
    ("CREATE MATERIALIZED VIEW v AUTO REFRESH YES AS SELECT 1 AS one", ("AUTO REFRESH",)),
    ("ALTER TABLE t ADD COLUMN w int ENCODE zstd", ("ENCODE",)),
    ("CREATE TABLE t (\"distkey\" int, w varchar(9) DEFAULT 'sortkey') -- encode zstd", ()),
    ("INSERT INTO t VALUES ('diststyle all')", ()),
    ("SELECT super FROM t", ()),
]


@pytest.mark.parametrize(("text", "names"), CLAUSES, ids=[row[0][:40] for row in CLAUSES])
def test_known_clauses_are_removed_and_named(text: str, names: tuple[str, ...]) -> None:
    changed, found = cleaned(text)
    assert set(found) == set(names)
    assert (changed == text) == (not names)
    assert cleaned(changed)[1] == () or "IDENTITY" in names  # PostgreSQL has that one too, by the name it was given


def test_a_hostile_text_takes_no_more_than_linear_time() -> None:
    started = time.monotonic()
    for text in (
        "'\\" * 200_000,
        "/*" * 200_000,
        "$$ " * 100_001,
        "sortkey(" * 50_000,
        "encode " * 50_000,
        "identity (" * 50_000,
    ):
        cleaned(f"CREATE {text}")
    assert time.monotonic() - started < 10


@pytest.fixture(scope="module")
def redshift() -> Iterator[DevDatabase]:
    with opened("embedded://postgres", dialect="redshift") as (dev, _):
        yield dev


BASE = [
    file(
        "1.sql",
        "CREATE TABLE users (id int IDENTITY(1, 1) NOT NULL, name varchar(40) ENCODE lzo) DISTKEY (id) SORTKEY (name);\n"
        "CREATE EXTERNAL SCHEMA spectrum FROM DATA CATALOG DATABASE 'd' IAM_ROLE 'arn';\n",
    )
]


def test_the_dev_database_says_that_it_stands_in(redshift: DevDatabase) -> None:
    assert redshift.dialect == "redshift"
    assert redshift.engine.startswith("PostgreSQL ")
    assert redshift.engine.endswith(" standing in for Redshift")


def test_what_was_removed_is_listed_and_what_is_refused_is_a_remark(redshift: DevDatabase) -> None:
    text = (
        "BEGIN;\nCREATE TABLE orders (id int ENCODE az64, at timestamp DEFAULT SYSDATE) DISTSTYLE EVEN;\n"
        "ALTER TABLE orders APPEND FROM users;\nCOPY orders FROM 's3://b/k' IAM_ROLE 'arn' CSV;\n"
        "ALTER TABLE users ADD COLUMN age int;\nCOMMIT;\n"
    )
    result = replay(BASE, [file("2.sql", text)], redshift)
    assert (result.status, result.observations) == ("ok", ())
    assert [(change.action, change.name) for change in result.changes] == [("added", "users.age"), ("added", "orders")]
    engine = redshift.engine
    assert result.remarks == (
        f"statements of released files that {engine} does not know, passed over: 1",
        f"2.sql:2: not analysed, because {engine} was not given it: ENCODE, SYSDATE, DISTSTYLE",
        f'2.sql:3: not judged by {engine}, which refuses it: syntax error at or near "APPEND"',
        f'2.sql:4: not judged by {engine}, which refuses it: syntax error at or near "IAM_ROLE"',
    )


def test_a_kept_base_is_taken_up_again(redshift: DevDatabase) -> None:
    first = replay(BASE, [file("2.sql", "ALTER TABLE users ADD COLUMN age int")], redshift, key="k")
    second = replay(BASE, [file("2.sql", "ALTER TABLE users ADD COLUMN age int")], redshift, key="k")
    assert first.changes == second.changes
    assert [change.name for change in second.changes] == ["users.age"]
    assert second.statements == 1


def test_a_statement_without_end_is_stopped_here_too(redshift: DevDatabase) -> None:
    result = replay([], [file("1.sql", "SELECT 1;\nSELECT pg_sleep(600)", "none")], redshift, time_limit=2)
    assert result.error is not None
    assert result.error.line == 2
    assert "time limit" in result.error.message
