"""No SQL Server can be had here: Microsoft's own grammar judges every T-SQL text of this project instead, and sqlfluff beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import tsql

WRONG = {
    "one comma too many": "CREATE TABLE t (id int,, x int)",
    "in the second batch": "CREATE TABLE t (id int)\nGO\nALTER TABEL t ADD y int",
}
# Statements the reader understands and Microsoft's grammar of this version does not, with why; the reader may be the more lenient of the two.
BEYOND = {
    "CREATE UNIQUE CLUSTERED INDEX i ON a (b DESC) INCLUDE (c) WHERE (d IS NOT NULL) WITH (ONLINE = ON, MAXDOP = 4) ON fg": "no filter on these",
    "ALTER TABLE a ADD CONSTRAINT pk PRIMARY KEY NONCLUSTERED HASH (b) WITH (BUCKET_COUNT = 1024)": "documented for memory-optimized tables",
    "DROP EXTERNAL TABLE IF EXISTS x": "documented for some editions",
    "CREATE NONCLUSTERED COLUMNSTORE INDEX i ON a (b) WHERE c = 1 ORDER (b)": "ORDER stands before WHERE",
    "CREATE FULLTEXT STOPLIST sl FROM SYSTEM STOPLIST": "wants its semicolon",
    "ALTER FULLTEXT STOPLIST sl DROP 'x' LANGUAGE 'French'": "wants its semicolon",
    "ALTER FULLTEXT STOPLIST sl DROP ALL": "wants its semicolon",
    "CREATE ENDPOINT ep STATE = STARTED AS TCP (LISTENER_PORT = 1) FOR TSQL ()": "port out of range",
    "ALTER AVAILABILITY GROUP ag GRANT CREATE ANY DATABASE": "documented, and unknown to the grammar",
    "DECLARE @a INT = 1, @b TABLE (c INT), @d NVARCHAR(MAX)": "a table is declared by itself",
    "DECLARE @t TABLE (id INT PRIMARY KEY, b VARCHAR(10)), @x INT": "a table is declared by itself",
    "RENAME DATABASE d TO e": "Synapse's, and unknown to the grammar",
    "RENAME OBJECT dbo.T COLUMN a TO b": "Synapse's, and unknown to the grammar",
    "CREATE SCHEMA s; CREATE TABLE t (a INT)": "a schema is created by itself",
}


def test_the_judges_know_wrong_from_right(tmp_path: Path) -> None:
    assert set(tsql.refused_by_microsoft(WRONG, tmp_path)) == set(WRONG)
    assert set(tsql.refused_by_sqlfluff(WRONG)) == set(WRONG)


def test_what_rules_show_and_suggest_is_t_sql_to_both_judges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tsql.rules()
    assert len(texts) > 30
    refused = {"Microsoft": tsql.refused_by_microsoft(texts, tmp_path), "sqlfluff": tsql.refused_by_sqlfluff(texts)}
    with capsys.disabled():
        for judge, found in refused.items():
            for name, why in found.items():
                print(f"\n{judge} refuses {name}: {why}\n{texts[name]}", end="")
    assert refused == {"Microsoft": {}, "sqlfluff": {}}


def test_every_form_of_statement_is_one_to_microsofts_grammar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tsql.forms()
    assert len(texts) > 400
    refused = tsql.refused_by_microsoft(texts, tmp_path)
    with capsys.disabled():
        for name, why in refused.items():
            print(
                f"\nMicrosoft's grammar refuses {name}: {why}\n{texts[name]} ({BEYOND.get(texts[name], 'new')})", end=""
            )
    assert {texts[name] for name in refused} <= BEYOND.keys()
