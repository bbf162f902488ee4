"""SQL Server's door without a server: what it sends and how it reads rows and messages, from documentation. Nothing here was seen on one."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from ci_runner import databases
from ci_runner.databases import DatabaseFailure, Sql
from ci_runner.databases.dbapi import Engine, PlainSession
from ci_runner.databases.sqlserver import _SESSION, about, failure
from ci_runner.databases.sqlserver.inspect import inspect
from ci_runner.devdb import sqlserver
from ci_runner.devdb.direct_sqlserver import KEEPER
from ci_runner.errors import PilotageError, SetupError

# Rows as the documentation of the views shows them: from documentation, not from a server.
ROWS = {
    "sys.indexes": [
        ("dbo", "orders", "by_user", "NONCLUSTERED", True, "user_id", False, False, "([user_id] IS NOT NULL)"),
        ("dbo", "orders", "by_user", "NONCLUSTERED", True, "placed", True, False, "([user_id] IS NOT NULL)"),
        ("dbo", "orders", "by_user", "NONCLUSTERED", True, "total", False, True, "([user_id] IS NOT NULL)"),
        ("audit", "log", "cci", "CLUSTERED COLUMNSTORE", False, "id", False, True, None),
    ],
    "information_schema.columns": [
        ("audit", "log", "id", "bigint", None, 19, 0, "NO", None),
        ("dbo", "orders", "id", "int", None, 10, 0, "NO", None),
        ("dbo", "orders", "note", "nvarchar", -1, None, None, "YES", None),
        ("dbo", "orders", "total", "decimal", None, 10, 2, "NO", "((0))"),
    ],
    "table_constraints": [
        ("dbo", "orders", "pk_orders", "PRIMARY KEY", "id"),
        ("dbo", "orders", "uq", "UNIQUE", "user_id"),
        ("dbo", "orders", "uq", "UNIQUE", "placed"),
    ],
    "information_schema.tables": [("audit", "log"), ("dbo", "orders"), ("dbo", "pilotage_in_use")],
    "information_schema.views": [("dbo", "totals", "CREATE VIEW totals AS SELECT 1 AS one")],
    "ProductVersion": [("16.0.4135.4",)],
    "sp_getapplock": [(1,)],
    "sys.objects": [("VIEW", "dbo", "totals"), ("TABLE", "dbo", "orders"), ("SCHEMA", "audit", "audit")],
}


def rows(sql: str) -> list[tuple[Any, ...]]:
    return next((found for mark, found in ROWS.items() if mark in sql), [])


class Cursor:
    """As PEP 249 has it; remembers what it was sent."""

    description = None

    def __init__(self, sent: list[str]) -> None:
        self.sent = sent

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_error: object) -> None:
        return

    def execute(self, sql: str) -> None:
        self.sent.append(sql)
        if "refuse" in sql:
            raise refusal("Incorrect syntax near 'refuse'.", 102)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return rows(self.sent[-1])

    def nextset(self) -> None:
        return


def refusal(text: str, number: int) -> Exception:
    """An error as python-tds makes it of the server's message."""
    error = ValueError(text)
    error.text, error.number = text, number  # type: ignore[attr-defined]
    return error


def session(sent: list[str]) -> PlainSession:
    engine = Engine("sqlserver", (ValueError,), failure, inspect, "BEGIN TRANSACTION", _SESSION, lambda: None)
    connection = SimpleNamespace(cursor=lambda: Cursor(sent), close=lambda: None)
    made = PlainSession(connection, engine, product="SQL Server", version=(), name="dev", again=lambda: session(sent))
    about(made)
    return made


def test_tables_indexes_keys_and_views_are_read_from_documented_rows() -> None:
    schema = inspect(rows, "dev")
    orders = schema.tables["orders"]
    assert list(schema.tables) == ["audit.log", "orders"]
    assert [(name, *column[:3]) for name, column in orders.columns.items()] == [
        ("id", "int", False, ""),
        ("note", "nvarchar(max)", True, ""),
        ("total", "decimal(10,2)", False, "((0))"),
    ]
    assert orders.indexes == {
        "by_user": "unique nonclustered (user_id, placed desc) include (total) where ([user_id] IS NOT NULL)"
    }
    assert orders.constraints == {"pk_orders": "primary key (id)", "uq": "unique (user_id, placed)"}
    assert list(schema.views) == ["totals"]


def test_a_batch_goes_in_one_transaction_and_a_refusal_undoes_it() -> None:
    sent: list[str] = []
    database = session(sent)
    assert (database.engine, database.version, database.dialect) == ("SQL Server 16.0.4135.4", (16, 0), "sqlserver")
    sent.clear()
    database.execute([Sql("CREATE TABLE a (id int)"), Sql("DROP TABLE a")], transaction=True)
    assert sent == ["BEGIN TRANSACTION", "CREATE TABLE a (id int)", "DROP TABLE a", "COMMIT"]
    sent.clear()
    with pytest.raises(DatabaseFailure) as caught:
        database.execute([Sql("SELECT 1"), Sql("SELECT refuse")], transaction=True)
    assert sent[-1] == "ROLLBACK"
    assert (caught.value.statement, caught.value.code, caught.value.position) == (1, "102", 7)


@pytest.mark.parametrize(
    ("words", "number", "sql", "position"),
    [
        ("Incorrect syntax near ','.", 102, "CREATE TABLE t (id int,, x int)", None),  # two of them: no telling which
        ("Incorrect syntax near the keyword 'FROM'.", 156, "SELECT FROM t", 7),
        ("Invalid object name 'nowhere'.", 208, "SELECT * FROM nowhere", None),
    ],
)
def test_the_servers_message_gives_words_number_and_where_it_can_the_place(
    words: str, number: int, sql: str, position: int | None
) -> None:
    found = failure(refusal(words, number), sql)
    assert (found.message, found.code, found.position, found.lost) == (words, str(number), position, False)


def test_a_line_that_is_cut_is_no_refusal() -> None:
    assert failure(ConnectionResetError(104, "Connection reset by peer"), "SELECT 1").lost


def test_the_lock_is_the_servers_and_contents_are_named() -> None:
    database = session([])
    assert KEEPER.lock(database)
    assert KEEPER.contents(database) == ["view totals", "table orders", "schema audit"]


def test_names_and_statements_of_ours_are_quoted() -> None:
    assert sqlserver.removing("a]b'c") == (
        "IF DB_ID(N'a]b''c') IS NOT NULL ALTER DATABASE [a]]b'c] SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
        "DROP DATABASE IF EXISTS [a]]b'c]",
    )


def test_where_nothing_listens_it_says_so_without_the_password() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(PilotageError, match="nothing listens there") as caught:
        databases.open_url(f"sqlserver://sa:s3cret@127.0.0.1:{port}/dev")
    assert "s3cret" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_server_of_another_kind_or_a_silent_one_does_not_hang_the_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"sqlserver://sa:s3cret@127.0.0.1:{silent.getsockname()[1]}/dev?connect_timeout=1"
        with pytest.raises(PilotageError, match=r"cannot connect to sqlserver://sa@127\.0\.0\.1"):
            databases.open_url(url)


def test_without_the_driver_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytds", None)
    with pytest.raises(SetupError, match=r"pip install 'pilotage\[sqlserver\]'"):
        databases.open_url("sqlserver://sa:secret@localhost/dev")
