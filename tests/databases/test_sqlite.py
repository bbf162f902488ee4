"""What a confined SQLite session refuses, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_runner import databases
from ci_runner.databases import Database, DatabaseFailure, Sql, Use

ESCAPES = [
    "ATTACH '{canary}' AS c",
    "ATTACH 'file:{canary}?mode=rwc' AS c",
    "VACUUM INTO '{canary}'",
    "SELECT load_extension('{canary}')",
    "PRAGMA writable_schema = 1",
    "PRAGMA temp_store_directory = '{canary}'",
    "PRAGMA data_store_directory = '{canary}'",
    "SELECT writefile('{canary}', 'x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT zeroblob(1000000000)",
]
HARMLESS = [
    "PRAGMA foreign_keys = OFF",
    "PRAGMA journal_mode = WAL",
    "PRAGMA user_version = 3",
    "PRAGMA foreign_key_check",
    "PRAGMA legacy_alter_table = ON",
    "VACUUM",
    "ATTACH ':memory:' AS side",
    "CREATE VIRTUAL TABLE words USING fts5 (body)",
    "CREATE TABLE s (id INTEGER PRIMARY KEY, v TEXT) STRICT",
    "ANALYZE",
    "REINDEX",
]


@pytest.fixture
def database() -> Database:
    return databases.open_url("sqlite://dev?mode=memory", Use(confined=True))


@pytest.mark.parametrize("attack", ESCAPES)
def test_a_statement_cannot_leave_its_database(database: Database, attack: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(DatabaseFailure):
        database.execute([Sql(attack.format(canary=canary))], transaction=False)
    assert not canary.exists()


@pytest.mark.parametrize("text", HARMLESS)
def test_what_migrations_do_is_allowed(database: Database, text: str) -> None:
    database.execute([Sql(text)], transaction=False)


def test_two_databases_in_memory_are_two(database: Database) -> None:
    database.execute([Sql("CREATE TABLE a (id int)")], transaction=True)
    assert not databases.open_url("sqlite://dev?mode=memory").inspect().tables


def test_inspect_names_strict_virtual_and_rowid_less_tables_and_hides_shadows(database: Database) -> None:
    texts = (
        "CREATE TABLE s (id INT) STRICT",
        "CREATE TABLE w (id INT PRIMARY KEY) WITHOUT ROWID",
        "CREATE VIRTUAL TABLE f USING fts5 (b)",
    )
    database.execute([Sql(text) for text in texts], transaction=True)
    assert {name: table.options for name, table in database.inspect().tables.items()} == {
        "s": "strict",
        "w": "without rowid",
        "f": "virtual",
    }
