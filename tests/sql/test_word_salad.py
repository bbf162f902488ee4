"""The words a dialect's own ways of running text are made of, in any order: read or named, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.reading import read

WORDS = {
    "sqlserver": (
        "EXEC", "EXECUTE", "(", ")", "+", ",", ";", "@x", "@y", "=", "'ALTER TABLE t DROP CONSTRAINT '", "N'ALTER TABLE t DROP CONSTRAINT ['", "']'",
        "QUOTENAME", "sp_executesql", "[sp_executesql]", "sys", ".", "DECLARE", "SET", "SELECT", "NVARCHAR", "10", "MAX", "FROM",
        "sys.default_constraints", "sys.foreign_keys", "JOIN", "name", "IF", "BEGIN", "END", "\nGO\n", "SAVE", "TRAN", "ROLLBACK", "a", ":",
        "sp_rename", "'a'", "'b'", "WITH", "NOCHECK", "ADD",
    ),
    "snowflake": (
        "DEFINE", "TABLE", "VIEW", "ATTACH", "EXECUTE", "DCM", "PROJECT", "IMMEDIATE", "$x", "SET", "x", "=", "'DROP TABLE t'", "$$a$$", ";",
        "UNDROP", "SCHEMA", "t", "(", ")", ",", "OR", "ALTER", "CREATE", "TAG", "DATA", "METRIC", "FUNCTION", "BEGIN", "END", "RENAME", "TO",
    ),
    "clickhouse": (
        "TRUNCATE", "ALL", "TABLES", "FROM", "IF", "EXISTS", "d", "LIKE", "'x'", "DATABASE", "CREATE", "MATERIALIZED", "VIEW", "v", "REFRESH",
        "APPEND", "TO", "ENGINE", "=", "MergeTree", "ORDER", "BY", "id", "AS", "SELECT", "SET", "DEFAULT", "ROLE", "ALTER", "TABLE", "ATTACH",
        "PARTITION", "(", ")", ",", ";",
    ),
}  # fmt: skip
ONCE_RAISED = [
    ("sqlserver", "DECLARE @x NVARCHAR(10 \nEXEC sp_executesql @x"), ("sqlserver", "sp_executesql sys"),
    ("sqlserver", "DECLARE @x NVARCHAR(\nEXEC sp_executesql @x = @x"),
]  # fmt: skip


@pytest.mark.parametrize("dialect", sorted(WORDS))
def test_any_order_of_words_is_read_or_named(dialect: str) -> None:
    @settings(deadline=None, max_examples=400)
    @given(st.lists(st.sampled_from(WORDS[dialect]), max_size=14).map(" ".join))
    def each(text: str) -> None:
        assert all(statement.operations or statement.not_analysed for statement in read(text, dialect))

    each()


@pytest.mark.parametrize(("dialect", "text"), ONCE_RAISED)
def test_what_once_raised_says_why_it_is_not_analysed(dialect: str, text: str) -> None:
    assert any(statement.not_analysed for statement in read(text, dialect))
