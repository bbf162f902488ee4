"""The dialect nobody stated: from the dev database, the format's metadata, the path, or words only one dialect has."""

from __future__ import annotations

import pytest

from ci_runner.errors import ConfigError
from ci_runner.migrations import guess_dialect
from ci_runner.model.directory import Tree
from ci_runner.wanted import markers, wanted

WORDS = {
    "CREATE TABLE t (id serial PRIMARY KEY, at timestamptz);": "postgres",
    "SELECT '{}'::jsonb;": "postgres",
    "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB;": "mysql",
    "CREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT);": "sqlite",
    "PRAGMA foreign_keys = off;": "sqlite",
    "CREATE TABLE [dbo].[t] (id int IDENTITY(1,1), n nvarchar(20));": "sqlserver",
    "CREATE TABLE t (id UInt64) ENGINE = ReplicatedMergeTree ORDER BY id;": "clickhouse",
    "CREATE TABLE t (id int) DISTSTYLE KEY DISTKEY (id) SORTKEY (id);": "redshift",
    "CREATE TABLE t (v variant, at timestamp_ntz);": "snowflake",
    "CREATE TABLE t (id int);": "postgres",
}


def tree(*texts: str, path: str = "migrations", **more: str) -> Tree:
    files = {f"{number}.sql": text.encode() for number, text in enumerate(texts, 1)}
    return Tree(path, {**files, **{name.replace("__", "."): text.encode() for name, text in more.items()}})


@pytest.mark.parametrize(("text", "dialect"), WORDS.items())
def test_words_only_one_dialect_has_speak_for_it(text: str, dialect: str) -> None:
    assert guess_dialect(tree(text)) == dialect


def test_most_files_decide() -> None:
    assert guess_dialect(tree("PRAGMA x = 1;", "SELECT 1::int;", "CREATE TABLE t (j jsonb);")) == "postgres"


def test_two_as_likely_are_a_question_not_a_guess() -> None:
    with pytest.raises(ConfigError, match=r"cannot be told from its files: give --dialect"):
        guess_dialect(tree("PRAGMA x = 1;", "SELECT 1::int;"))


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("docker://mariadb/11/dev", "mariadb"),
        ("docker://postgis/16/dev", "postgres"),
        ("embedded://postgres/18", "postgres"),
        ("sqlite://dev?mode=memory", "sqlite"),
        ("postgresql+psycopg://h/db", "postgres"),
        ("MySQL://h/db", "mysql"),
    ],
)
def test_the_dev_database_has_the_first_word(url: str, dialect: str) -> None:
    assert guess_dialect(tree("CREATE TABLE t (v variant);", path="db/clickhouse"), url) == dialect


def test_the_formats_own_metadata_then_the_path_come_before_words() -> None:
    text = "SELECT 1::int;"
    assert guess_dialect(tree(text, path="mysql", migration_lock__toml='provider = "sqlite"\n')) == "sqlite"
    assert guess_dialect(tree(text, path="sqlite/db_mysql", migration_lock__toml='provider = "mongodb"\n')) == "mysql"
    assert guess_dialect(tree(text, path="db/sqlite"), "unknown://x") == "sqlite"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("1.sql", True), ("a/b/1.sql", True), ("V1__x.sql.conf", True), ("V1__x.java", True), ("2024_x/metadata.toml", True), ("1_x.go", True),
        ("atlas.sum", True), ("migration_lock.toml", True), ("meta/_journal.json", True), ("changelog.xml", True), ("sub/changelog.xml", False),
        ("sub/1_x.go", False), ("README.md", False), ("meta/0000_snapshot.json", False), ("1.sql.bak", False), ("schema.prisma", False),
    ],
)  # fmt: skip
def test_only_what_some_format_looks_at_is_read(path: str, expected: bool) -> None:
    assert wanted(path) == expected


def test_markers_are_looked_for_up_to_the_root_and_no_further() -> None:
    assert list(markers(0)) == ["../config.toml", "Cargo.toml", ".sqlx/"]
    assert [name for name in markers(2) if name.endswith("Cargo.toml")] == [
        "Cargo.toml",
        "../Cargo.toml",
        "../../Cargo.toml",
    ]
