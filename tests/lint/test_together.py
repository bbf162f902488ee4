"""Several files of one change: what an added file makes holds no rows yet for those behind it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ci_runner import sql
from ci_runner.lint import LintFile, lint
from ci_runner.model.report import ChangedFile
from tests.lint.harness import before, migration, slugs

TABLE = "CREATE TABLE t (id int, n int);"


def found(
    *texts: str, pre: str = "", together: bool = True, first: str = "added", dialect: str = "postgres"
) -> list[str]:
    files = []
    for number, text in enumerate(texts, 2):
        file = migration(text, name=f"{number}.sql")
        changed = ChangedFile(file.name, "added", file)
        files.append(LintFile(changed, sql.statements(file, dialect)))
    files[0] = replace(files[0], changed=replace(files[0].changed, change=first))
    return slugs(lint(files, before([pre], dialect), dialect=dialect, together=together))


LATER = [
    "CREATE INDEX i ON t (n);", "ALTER TABLE t ADD COLUMN x int NOT NULL;", "ALTER TABLE t ALTER n TYPE bigint;", "DROP TABLE t;",
    "ALTER TABLE t RENAME TO u;", "ALTER TABLE t DROP COLUMN n;", "TRUNCATE t;", "ALTER TABLE t ADD UNIQUE (n);",
]  # fmt: skip


@pytest.mark.parametrize("text", LATER)
def test_what_a_change_adds_is_new_to_its_later_files(text: str) -> None:
    assert found(TABLE, text) == []
    assert found(TABLE, "SELECT 1;", text) == []


@pytest.mark.parametrize("text", LATER)
def test_what_was_released_before_is_not(text: str) -> None:
    assert found("SELECT 1;", text, pre=TABLE) != []
    assert found(TABLE, text, together=False) != []
    assert found(TABLE, text, first="modified") != []


def test_a_rebuild_of_a_new_table_loses_nothing() -> None:
    rebuild = "CREATE TABLE t2 (id int NOT NULL);\nINSERT INTO t2 SELECT id FROM t;\nDROP TABLE t;\nALTER TABLE t2 RENAME TO t;"
    assert found(TABLE, rebuild, dialect="sqlite") == []
    assert found("SELECT 1;", rebuild, pre=TABLE, dialect="sqlite") == ["drop-column", "sqlite-set-not-null"]


def test_temporary_tables_and_settings_end_with_their_file() -> None:
    assert found("CREATE TEMP TABLE t (id int);\nSET search_path TO app;", "CREATE INDEX i ON t (id);", pre=TABLE) == [
        "index-not-concurrent"
    ]


SPLIT = (
    "CREATE TABLE _t_tmp (id int NOT NULL, n int);", "INSERT INTO _t_tmp SELECT id, n FROM t;", "DROP TABLE t;", "ALTER TABLE _t_tmp RENAME TO t;",
)  # fmt: skip


@pytest.mark.parametrize(
    ("files", "pre", "expected"),
    [
        (SPLIT, "CREATE TABLE t (id int NOT NULL, n int);", []),
        (SPLIT, "CREATE TABLE t (id int NOT NULL, n int, m int);", ["drop-column"]),
        ((SPLIT[0], *SPLIT[2:]), "CREATE TABLE t (id int NOT NULL, n int);", ["drop-table"]),
        (("CREATE TABLE other (id int);", "INSERT INTO other SELECT id FROM t;", SPLIT[2]), TABLE, ["drop-table"]),
        (SPLIT, "CREATE TABLE t (id int NOT NULL, n int); CREATE TABLE c (t_id int REFERENCES t (id));", ["sqlite-rebuild-fk-cascade"]),
        (("ALTER TABLE t ADD COLUMN x int;", "ALTER TABLE t DROP COLUMN x;"), TABLE, []),
        (("SELECT 1;", "ALTER TABLE t DROP COLUMN n;"), TABLE, ["drop-column"]),
    ],
)  # fmt: skip
def test_a_rebuild_may_take_several_files_of_a_change(files: tuple[str, ...], pre: str, expected: list[str]) -> None:
    assert found(*files, pre=pre, dialect="sqlite") == expected


def test_a_rebuild_over_files_that_are_released_one_by_one_is_none() -> None:
    assert found(*SPLIT, pre=TABLE, dialect="sqlite", together=False) == ["drop-table", "rename-table"]


OLD = {
    "sqlserver": "CREATE TABLE t (id int, n int);", "redshift": "CREATE TABLE t (id int, n int);", "snowflake": "CREATE TABLE t (id int, n int);",
    "clickhouse": "CREATE TABLE t (id UInt64, n UInt32) ENGINE = MergeTree ORDER BY id;",
}  # fmt: skip
MADE = {"clickhouse": "CREATE TABLE t_new (id UInt64, n UInt64) ENGINE = MergeTree ORDER BY id;"}
SWAPPED = {
    "sqlserver": "EXEC sp_rename 't', 't_old';\nEXEC sp_rename 't_new', 't';\nDROP TABLE t_old;",
    "redshift": "ALTER TABLE t RENAME TO t_old;\nALTER TABLE t_new RENAME TO t;\nDROP TABLE t_old;",
    "snowflake": "ALTER TABLE t SWAP WITH t_new;\nDROP TABLE t_new;",
    "clickhouse": "EXCHANGE TABLES t AND t_new;\nDROP TABLE t_new;",
}  # fmt: skip
COPY = "INSERT INTO t_new SELECT id, n FROM t;"


@pytest.mark.parametrize("dialect", sorted(SWAPPED))
def test_a_swap_may_take_several_files_of_a_change(dialect: str) -> None:
    made = MADE.get(dialect, "CREATE TABLE t_new (id int, n bigint);")
    files = (made, COPY, SWAPPED[dialect])
    assert found(*files, pre=OLD[dialect], dialect=dialect) == []
    assert "drop-table" in found(made, SWAPPED[dialect], pre=OLD[dialect], dialect=dialect)
    assert "drop-table" in found(*files, pre=OLD[dialect], dialect=dialect, together=False)
    assert "drop-column" in found(
        made.replace(", n bigint", "").replace(", n UInt64", ""), "INSERT INTO t_new SELECT id FROM t;", SWAPPED[dialect],
        pre=OLD[dialect], dialect=dialect,
    )  # fmt: skip


@pytest.mark.parametrize("dialect", ["redshift", "snowflake", "sqlserver"])
def test_a_table_made_of_a_query_takes_the_place_of_another_in_a_later_file(dialect: str) -> None:
    made = "SELECT * INTO t_new FROM t;" if dialect == "sqlserver" else "CREATE TABLE t_new AS SELECT * FROM t;"
    renamed = "EXEC sp_rename 't_new', 't';" if dialect == "sqlserver" else "ALTER TABLE t_new RENAME TO t;"
    assert found(made, f"DROP TABLE t;\n{renamed}", pre=OLD[dialect], dialect=dialect) == []
    assert found("SELECT 1;", f"DROP TABLE t;\n{renamed}", pre=OLD[dialect], dialect=dialect)[0] == "drop-table"


@pytest.mark.parametrize("dialect", sorted(SWAPPED))
def test_a_column_the_change_added_may_be_dropped_by_a_later_file(dialect: str) -> None:
    add = {"sqlserver": "ADD x int", "clickhouse": "ADD COLUMN x UInt8"}.get(dialect, "ADD COLUMN x int")
    assert found(f"ALTER TABLE t {add};", "ALTER TABLE t DROP COLUMN x;", pre=OLD[dialect], dialect=dialect) == []
    assert found("SELECT 1;", "ALTER TABLE t DROP COLUMN n;", pre=OLD[dialect], dialect=dialect) == ["drop-column"]


@pytest.mark.parametrize("dialect", ["clickhouse", "snowflake"])
def test_a_table_swapped_in_is_new_to_its_change_only(dialect: str) -> None:
    made = MADE.get(dialect, "CREATE TABLE t_new (id int, n bigint);")
    change = f"{made}\n{COPY}\n{SWAPPED[dialect]}"
    assert found(change, "ALTER TABLE t DROP COLUMN n;", pre=OLD[dialect], dialect=dialect, together=False) == [
        "drop-column"
    ]
