"""What may stand behind a column's type, in every dialect, is read alike in ALTER TABLE and in CREATE TABLE."""

from __future__ import annotations

from typing import Any

import pytest

from ci_runner import sql
from ci_runner.model.directory import Migration
from ci_runner.model.operations import AddColumn, Column, CreateTable, Statement

# dialect, definition behind the name, what the column then is (None: no such column there)
OPTIONS: list[tuple[str, str, dict[str, Any] | None]] = [
    ('snowflake', 'int NOT NULL ENABLE', {'nullable': False}),
    ('sqlite', 'int NOT NULL ON CONFLICT ROLLBACK', {'nullable': False}),
    ('sqlserver', 'int NOT FOR REPLICATION', {}),
    ('postgres', 'int CHECK (x > 0) NOT VALID', {'options': ('not valid',)}),
    ('sqlserver', 'int DEFAULT 1 WITH VALUES', {'default': '1', 'options': ('with values',)}),
    ('mysql', 'int KEY', {'primary_key': True}),
    ('postgres', 'int KEY', None),
    ('postgres', 'int UNIQUE NULLS NOT DISTINCT', {'unique': True}),
    ('mysql', 'int UNIQUE KEY', {'unique': True}),
    ('sqlserver', 'int PRIMARY KEY CLUSTERED WITH (FILLFACTOR = 80) ON fg', {'primary_key': True, 'options': ('clustered',)}),
    ('sqlserver', 'int UNIQUE NONCLUSTERED WITH FILLFACTOR = 80', {'unique': True, 'options': ('nonclustered',)}),
    ('postgres', 'int PRIMARY KEY USING INDEX TABLESPACE fast', {'primary_key': True}),
    ('mysql', 'timestamp ON UPDATE CURRENT_TIMESTAMP', {'options': ('on update',)}),
    ('sqlite', 'int UNIQUE ON CONFLICT REPLACE', {'unique': True}),
    ('mysql', 'int FIRST', {'position': 'first'}),
    ('mariadb', 'int AFTER b', {'position': 'after b'}),
    ('postgres', 'text STORAGE EXTERNAL', {'options': ('storage external',)}),
    ('postgres', 'text COMPRESSION lz4', {'options': ('compression lz4',)}),
    ('mysql', 'int INVISIBLE', {'options': ('invisible',)}),
    ('mysql', 'int COLUMN_FORMAT DYNAMIC', {'options': ('column_format dynamic',)}),
    ('postgres', 'int CHECK (x > 0) NO INHERIT', {'options': ('no inherit',)}),
    ('mysql', 'bigint SERIAL DEFAULT VALUE', {'identity': True}),
    ('mariadb', 'int WITH SYSTEM VERSIONING', {}),
    ('mariadb', 'int WITHOUT SYSTEM VERSIONING', {'options': ('without system versioning',)}),
    ('snowflake', 'text WITH MASKING POLICY p USING (a, b)', {'options': ('masking policy',)}),
    ('snowflake', 'text MASKING POLICY p', {'options': ('masking policy',)}),
    ('snowflake', "text WITH TAG (t = 'x')", {'options': ('tag',)}),
    ('sqlserver', "nvarchar(20) MASKED WITH (FUNCTION = 'default()')", {'options': ('masked',)}),
    ('sqlserver', 'int INDEX ix UNIQUE NONCLUSTERED', {'unique': True, 'options': ('nonclustered',)}),
    ('clickhouse', 'UInt64 MATERIALIZED a + 1', {'default': 'a + 1', 'generated': 'stored'}),
    ('clickhouse', 'UInt64 EPHEMERAL', {'options': ('ephemeral',)}),
    ('clickhouse', 'String CODEC(ZSTD(1)) TTL d + INTERVAL 1 DAY', {'options': ('codec', 'ttl')}),
    ('clickhouse', 'String ALIAS concat(a, b)', {'default': 'concat(a, b)', 'generated': 'virtual'}),
    ('redshift', 'int ENCODE zstd DISTKEY', {'options': ('encode zstd', 'distkey')}),
    ('snowflake', 'int AUTOINCREMENT START 1 INCREMENT 2', {'identity': True}),
    ('snowflake', "int COMMENT 'x'", {}),
    ('sqlserver', 'int SPARSE', {'options': ('sparse',)}),
    ('postgres', 'int ON UPDATE 1 2 3', None),
    ('postgres', 'text COLLATE "C" NOT NULL DEFAULT \'x\'', {'nullable': False, 'default': "'x'"}),
    ('mysql', 'int REFERENCES b (id) ON DELETE CASCADE ON UPDATE SET NULL', {}),
    ('postgres', 'int REFERENCES b (id) MATCH FULL DEFERRABLE INITIALLY DEFERRED', {'options': ('deferrable', 'initially deferred')}),
    ('postgres', 'int NULL', {'nullable': True}),
    ('postgres', 'int GENERATED ALWAYS AS (a * 2) STORED', {'default': 'a * 2', 'generated': 'stored'}),
    ('mysql', 'int AS (a * 2) VIRTUAL', {'default': 'a * 2', 'generated': 'virtual'}),
]  # fmt: skip


def read(text: str, dialect: str) -> Statement:
    (statement,) = sql.statements(Migration("1.sql", "1", "", text, "hash"), dialect)
    return statement


def added(definition: str, dialect: str) -> Statement:
    return read(f"ALTER TABLE a {'ADD' if dialect == 'sqlserver' else 'ADD COLUMN'} x {definition};", dialect)


def facts(column: Column, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(column, name) for name in names}


@pytest.mark.parametrize(("dialect", "definition", "expected"), OPTIONS)
def test_an_added_column_is_what_its_options_say(
    dialect: str, definition: str, expected: dict[str, Any] | None
) -> None:
    statement = added(definition, dialect)
    if expected is None:
        assert statement.operations == ()
        assert "not understood at" in (statement.not_analysed or "")
        return
    assert not statement.not_analysed
    first = statement.operations[0]
    assert isinstance(first, AddColumn)
    assert facts(first.column, expected) == expected


@pytest.mark.parametrize(
    ("dialect", "definition", "expected"),
    [case for case in OPTIONS if case[2] is not None and "position" not in case[2]],
)
def test_a_new_tables_column_is_read_alike(dialect: str, definition: str, expected: dict[str, Any]) -> None:
    engine = " ENGINE = MergeTree ORDER BY x" if dialect == "clickhouse" else ""
    statement = read(f"CREATE TABLE a (x {definition}){engine};", dialect)
    assert not statement.not_analysed
    first = statement.operations[0]
    assert isinstance(first, CreateTable)
    assert facts(first.columns[0], expected) == expected
