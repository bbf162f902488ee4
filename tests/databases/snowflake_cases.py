"""What Snowflake's door does on its stand-in; run by test_snowflake.py in a process of its own."""

from __future__ import annotations

import pytest

from ci_runner import databases
from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.devdb.direct_snowflake import KEEPER
from ci_runner.errors import PilotageError
from ci_runner.model.inspected import Schema


@pytest.fixture
def snowflake(snowflake_url: str) -> Database:
    return databases.open_url(snowflake_url)


def run(database: Database, *texts: str) -> None:
    database.execute([Sql(text) for text in texts], transaction=False)


def test_snowflake_odd_characters_reach_the_server_unchanged(snowflake: Database) -> None:
    run(snowflake, "CREATE TABLE p (v varchar(99))", "INSERT INTO p VALUES ('100% %s %(a)s ? :b $1 {0}')")
    assert snowflake.query("SELECT v FROM p") == [("100% %s %(a)s ? :b $1 {0}",)]


def test_snowflake_columns_and_views_are_inspected(snowflake: Database) -> None:
    run(
        snowflake,
        "CREATE TABLE t (id int NOT NULL, name varchar(40) DEFAULT 'x', price number(10, 2))",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE SCHEMA audit",
        "CREATE TABLE audit.log (id int)",
    )
    schema = snowflake.inspect()
    assert list(schema.tables) == ["AUDIT.LOG", "T"]
    assert {name: (column.type, column.nullable) for name, column in schema.tables["T"].columns.items()} == {
        "ID": ("NUMBER(38,0)", False),
        "NAME": ("TEXT(40)", True),
        "PRICE": ("NUMBER(10,2)", True),
    }
    assert "x" in schema.tables["T"].columns["NAME"].default
    assert list(schema.views) == ["V"]


def test_snowflake_refusals_have_words_and_a_number(snowflake: Database) -> None:
    with pytest.raises(DatabaseFailure) as caught:
        run(snowflake, "SELECT * FROM nowhere")
    assert "NOWHERE" in caught.value.message.upper()
    assert caught.value.code == "2003"
    assert not caught.value.lost


def test_snowflake_that_does_not_answer_is_told_with_a_remedy() -> None:
    url = "snowflake://fake:s3cret@localhost:1/DEV?account=fakesnow&protocol=http&connect_timeout=1"
    with pytest.raises(PilotageError) as caught:
        databases.open_url(url)
    assert "cannot connect to snowflake://fake@localhost:1/DEV" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_snowflake_as_a_dev_database_is_locked_and_what_is_in_it_is_named(snowflake_url: str) -> None:
    """The stand-in drops no databases, so a replay beside the named one is proven on other engines only."""
    main, other = databases.open_url(snowflake_url), databases.open_url(snowflake_url)
    for _ in range(2):
        assert KEEPER.lock(main)
        assert not KEEPER.lock(other)
        assert KEEPER.contents(main) == []
        assert main.inspect() == Schema()
        KEEPER.unlock(main)
    run(main, "CREATE TABLE t (id int)", "CREATE VIEW v AS SELECT id FROM t")
    assert KEEPER.contents(other) == ["view V", "table T"]
