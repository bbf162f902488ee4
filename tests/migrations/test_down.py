"""The way back of a migration, as each format writes it."""

from __future__ import annotations

import pytest

from ci_runner import migrations, sql
from ci_runner.migrations.down import Down, downs
from ci_runner.model.directory import Migration, Tree

UP, DOWN = "CREATE TABLE t (id int);", "DROP TABLE t;"

# format → (files, the file in which the way back stands, the line of its statement)
THERE_AND_BACK = {
    "golang-migrate": ({"1_t.up.sql": UP, "01_t.down.sql": f"\n{DOWN}"}, "01_t.down.sql", 2),
    "sqlx": ({"1_t.up.sql": UP, "1_t.down.sql": DOWN}, "1_t.down.sql", 1),
    "diesel": (
        {"2024-01-01-000000_t/up.sql": UP, "2024-01-01-000000_t/down.sql": DOWN},
        "2024-01-01-000000_t/down.sql",
        1,
    ),
    "flyway": ({"V1.0__t.sql": UP, "undo/U1__t.sql": DOWN}, "undo/U1__t.sql", 1),
    "goose": ({"1_t.sql": f"-- +goose Up\n{UP}\n-- +goose Down\n{DOWN}\n"}, "1_t.sql", 4),
    "dbmate": ({"1_t.sql": f"-- migrate:up\n{UP}\n\n-- migrate:down\n{DOWN}\n"}, "1_t.sql", 5),
    "liquibase": ({"1.sql": f"--liquibase formatted sql\n--changeset me:1\n{UP}\n--rollback {DOWN}\n"}, "1.sql", 4),
}


def read(format: str, files: dict[str, str]) -> tuple[str, dict[str, Down]]:  # noqa: A002
    """The first migration's name and every way back."""
    directory = migrations.read(
        Tree("m", {name: text.encode() for name, text in files.items()}), format=format, sum_mode="off"
    )
    return directory.migrations[0].name, downs(directory, directory.migrations)


def statements(found: Down) -> list[tuple[str, int]]:
    return [(each.text, each.line) for way in found.migrations for each in sql.statements(way, "postgres")]


@pytest.mark.parametrize("format", THERE_AND_BACK)
def test_the_way_back_is_found_with_its_line(format: str) -> None:  # noqa: A002
    files, where, line = THERE_AND_BACK[format]
    name, found = read(format, files)
    assert found[name].where == where
    assert statements(found[name]) == [(DOWN, line)]


@pytest.mark.parametrize("format", THERE_AND_BACK)
def test_a_way_back_that_is_not_there_and_one_that_is_empty_are_told_apart(format: str) -> None:  # noqa: A002
    files, where, _ = THERE_AND_BACK[format]
    bare = {
        path: text.partition("-- +goose Down")[0].partition("-- migrate:down")[0].partition("--rollback")[0]
        for path, text in files.items()
    }
    missing = {path: text for path, text in bare.items() if path != where or len(files) == 1}
    if format == "flyway":
        missing["V2__u.sql"], missing["U2__u.sql"] = UP, DOWN  # undo migrations are used here at all
    name, found = read(format, missing)
    assert found[name] == Down("")
    empty = {path: text.replace(DOWN, "" if format != "liquibase" else "empty") for path, text in files.items()}
    name, found = read(format, empty)
    assert found[name] == Down(where)


@pytest.mark.parametrize(
    ("format", "files"),
    [
        ("atlas", {"1.sql": UP}),
        ("prisma", {"1_t/migration.sql": UP}),
        ("flyway", {"V1__t.sql": UP, "R__v.sql": "SELECT 1;"}),
        ("sqlx", {"1_t.sql": UP}),
    ],
)
def test_where_there_can_be_none_none_is_missing(format: str, files: dict[str, str]) -> None:  # noqa: A002
    assert read(format, files)[1] == {}


def test_goose_blocks_of_the_way_back_stay_whole() -> None:
    body = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN; RETURN 1; END';"
    text = f"-- +goose Up\n{UP}\n-- +goose down\n-- +goose StatementBegin\n{body}\nSELECT 1;\n-- +goose StatementEnd\n{DOWN}\n"
    name, found = read("goose", {"1_t.sql": text})
    assert [line for _, line in statements(found[name])] == [5, 8]


def test_dbmate_may_take_the_way_back_alone_out_of_the_transaction() -> None:
    name, found = read("dbmate", {"1_t.sql": f"-- migrate:up\n{UP}\n-- migrate:down transaction:false\n{DOWN}\n"})
    (way,) = found[name].migrations
    assert way.transaction == "none"


def test_liquibase_goes_back_from_the_last_changeset_to_the_first() -> None:
    text = (
        "--liquibase formatted sql\n--changeset me:1\nCREATE TABLE a (id int);\n--rollback DROP TABLE\n--rollback a;\n"
        "--changeset me:2\nCREATE TABLE b (id int);\n/* liquibase rollback\nDROP TABLE b;\n*/\n"
        "--changeset me:3\nINSERT INTO a VALUES (1);\n--rollback empty\n"
    )
    name, found = read("liquibase", {"1.sql": text})
    assert [(" ".join(text.split()), line) for text, line in statements(found[name])] == [
        ("DROP TABLE b;", 9),
        ("DROP TABLE a;", 4),
    ]
    name, found = read(
        "liquibase", {"1.sql": text.replace("--rollback empty\n", "--rollback changesetId:1 changesetAuthor:me\n")}
    )
    assert found[name] == Down("")


def test_bytes_that_are_no_text_are_no_way_back() -> None:
    directory = migrations.read(
        Tree("m", {"1_t.up.sql": UP.encode(), "1_t.down.sql": b"\xff\xfe\x00"}), format="golang-migrate", sum_mode="off"
    )
    migration: Migration = directory.migrations[0]
    assert downs(directory, [migration]) == {migration.name: Down("")}


def test_ten_thousand_ways_back_are_found_at_once() -> None:
    files = {f"{n}_t.{way}.sql": text for n in range(10_000) for way, text in (("up", UP), ("down", DOWN))}
    _, found = read("golang-migrate", files)
    assert len(found) == 10_000


@pytest.mark.parametrize(
    ("up", "down", "mode"),
    [
        ("", "", "file"),
        ("-- no-transaction\n", "", "file"),
        ("", "-- no-transaction\n", "none"),
        ("", "-- atlas:txmode none\n\n", "none"),
    ],
)
def test_a_down_file_of_its_own_says_itself_whether_it_runs_in_a_transaction(up: str, down: str, mode: str) -> None:
    name, found = read("sqlx", {"1_t.up.sql": up + UP, "1_t.down.sql": down + DOWN})
    (way,) = found[name].migrations
    assert way.transaction == mode
    assert statements(found[name])[0][0] == DOWN
