"""Naming conventions: what a change names must match the team's pattern for its kind, what was there need not."""

from __future__ import annotations

import pytest

from ci_runner.config.pattern import pattern
from tests.lint.harness import check

SNAKE = "[a-z]+(_[a-z]+)*"
CONVENTION = {
    "table": SNAKE, "column": SNAKE, "index": r"ix_\w+", "foreign_key": r"fk_\w+", "unique": r"uq_\w+", "check": r"ck_\w+",
}  # fmt: skip
NAMING = {kind: pattern(text, kind) for kind, text in CONVENTION.items()}


def named(
    sql: str, dialect: str = "postgres", pre: str = "CREATE TABLE a (id int); CREATE TABLE b (id int);"
) -> list[str]:
    found = check(sql, dialect, pre=pre, naming=NAMING).findings
    return [finding.message.split('"')[1] for finding in found if finding.rule == "naming-convention"]


@pytest.mark.parametrize(
    ("sql", "bad"),
    [
        ('CREATE TABLE "Ab" (id int, "X" int, y2 int);', ["Ab", "X", "y2"]),
        ("CREATE TABLE Ab (X int);", []),
        ('ALTER TABLE a ADD "N" int, ADD m int;', ["N"]),
        ("CREATE INDEX a_idx ON a (id);", ["a_idx"]),
        ("CREATE UNIQUE INDEX ix_a ON a (id);", []),
        ("CREATE INDEX ON a (id);", []),
        ("ALTER TABLE a ADD CONSTRAINT a_fk FOREIGN KEY (id) REFERENCES b (id);", ["a_fk"]),
        ("ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b (id);", []),
        ("ALTER TABLE a ADD CONSTRAINT ck_a UNIQUE (id), ADD CONSTRAINT uq_a CHECK (id > 0);", ["ck_a", "uq_a"]),
        ("ALTER TABLE a ADD CONSTRAINT a_pk PRIMARY KEY (id);", []),
        ("CREATE TABLE c (id int CONSTRAINT own UNIQUE, b_id int CONSTRAINT ref REFERENCES b (id));", ["own", "ref"]),
        ("CREATE TABLE c (id int, CONSTRAINT own CHECK (id > 0));", ["own"]),
        ('ALTER TABLE a RENAME TO "C";', ["C"]),
        ('ALTER TABLE a RENAME id TO "Id";', ["Id"]),
        ("ALTER INDEX ix_a RENAME TO a_i;", ["a_i"]),
        ('CREATE TABLE IF NOT EXISTS a ("X" int);', []),
        ('DROP TABLE a;\n-- "Bad"', []),
    ],
)
def test_every_name_a_change_gives_is_held_to_its_kind_s_pattern(sql: str, bad: list[str]) -> None:
    assert named(sql) == bad


def test_a_renamed_constraint_is_judged_by_what_it_is() -> None:
    pre = (
        "CREATE TABLE a (id int CONSTRAINT one UNIQUE CONSTRAINT two CHECK (id > 0), CONSTRAINT three CHECK (id > 1));"
    )
    assert named("ALTER TABLE a RENAME CONSTRAINT three TO uq_a;", pre=pre) == ["uq_a"]
    assert named("ALTER TABLE a RENAME CONSTRAINT three TO ck_a;", pre=pre) == []


@pytest.mark.parametrize("dialect", ["mysql", "mariadb", "sqlite", "sqlserver", "snowflake", "clickhouse"])
def test_elsewhere_than_in_postgresql_a_name_is_judged_as_it_is_written(dialect: str) -> None:
    engine = " ENGINE = MergeTree ORDER BY id" if dialect == "clickhouse" else ""
    assert named(f"CREATE TABLE UserName (id int, LastSeen int){engine};", dialect, "") == ["UserName", "LastSeen"]
    assert named(f"CREATE TABLE user_name (id int, last_seen int){engine};", dialect, "") == []


def test_a_rebuilt_table_keeps_its_old_names() -> None:
    pre = "CREATE TABLE OldOne (id INTEGER PRIMARY KEY, BadOne int);"
    sql = (
        "CREATE TABLE new_one (id INTEGER PRIMARY KEY, BadOne int, WorseOne int);\n"
        "INSERT INTO new_one (id, BadOne) SELECT id, BadOne FROM OldOne;\nDROP TABLE OldOne;\nALTER TABLE new_one RENAME TO OldOne;"
    )
    assert named(sql, "sqlite", pre) == ["WorseOne"]


def test_mysql_s_unique_keys_are_unique_and_its_keys_are_indexes() -> None:
    sql = "ALTER TABLE a ADD UNIQUE KEY ix_a (id), ADD KEY uq_b (id);\nCREATE TABLE c (id int, UNIQUE KEY k (id), KEY ix_k (id));"
    assert named(sql, "mysql") == ["ix_a", "uq_b", "k"]


def test_without_a_convention_nothing_is_said() -> None:
    assert [f for f in check('CREATE TABLE "X" (id int);').findings if f.rule == "naming-convention"] == []


@pytest.mark.parametrize("name", ["naming-convention", "NM103", "naming"])
def test_a_name_can_be_exempted(name: str) -> None:
    assert named(f'-- pilotage:ignore {name}\nCREATE TABLE "X" (id int);') == []
