"""Round trips as a reviewer meets them."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Repository

LITE = ("--dialect", "sqlite", "--dev-url", "sqlite://dev?mode=memory", "--format", "json")
UP = "CREATE TABLE purchase (id integer PRIMARY KEY);\n"


@pytest.fixture
def goose(repository: Repository) -> Repository:
    (repository.path / "migrations" / "1_init.sql").unlink()
    first = "-- +goose Up\nCREATE TABLE customer (id integer PRIMARY KEY);\n-- +goose Down\nDROP TABLE customer;\n"
    repository.commit({"migrations/1_init.sql": first})
    return repository


def found(repository: Repository, *arguments: str) -> list[tuple[str, str, int, str]]:
    done = repository.run("lint", "--base", "HEAD", *LITE, *arguments)
    return [
        (each["rule"], each["evidence"], each["line"], each["message"])
        for each_file in done.json["files"]
        for each in each_file["findings"]
    ]


def test_a_way_back_that_leaves_something_is_a_finding_that_names_it(goose: Repository) -> None:
    goose.write(
        {
            "migrations/2_purchase.sql": f"-- +goose Up\n{UP}CREATE INDEX i ON customer (id);\n-- +goose Down\nDROP TABLE purchase;\n"
        }
    )
    assert found(goose) == [
        ("down-differs", "observed", 2, 'After up and down the schema is not what it was: index "i" is left.')
    ]
    goose.write({"migrations/2_purchase.sql": f"-- +goose Up\n{UP}-- +goose Down\nDROP TABLE purchase;\n"})
    assert found(goose) == []


def test_a_way_back_that_fails_is_named_with_its_line(goose: Repository) -> None:
    goose.write({"migrations/2_purchase.sql": f"-- +goose Up\n{UP}-- +goose Down\nDROP TABLE purchases;\n"})
    ((rule, _, _, message),) = found(goose)
    assert rule == "down-fails"
    assert message.startswith("The way back stops at 2_purchase.sql:4: no such table: purchases")


def test_it_can_be_ignored_with_a_reason_and_made_an_error(goose: Repository) -> None:
    text = f"-- +goose Up\n-- pilotage:ignore down-differs: it stays\n{UP}-- +goose Down\nSELECT 1;\n"
    goose.write({"migrations/2_purchase.sql": text})
    assert found(goose) == []
    goose.write(
        {
            "migrations/2_purchase.sql": text.replace("down-differs", "drop-table"),
            "pilotage.yml": "rules: {down-differs: error}\n",
        }
    )
    assert goose.run("lint", "--base", "HEAD", *LITE).code == 1


def test_a_missing_way_back_counts_where_a_team_asks_for_one(goose: Repository) -> None:
    goose.write({"migrations/2_purchase.sql": f"-- +goose Up\n{UP}"})
    assert found(goose) == []
    goose.write({"pilotage.yml": "rules: {down-missing: warning}\n"})
    assert found(goose) == [("down-missing", "inferred", 2, "2_purchase.sql has no way back.")]
    goose.write({"migrations/2_purchase.sql": f"-- +goose Up\n{UP}-- +goose Down\n-- nothing\n"})
    assert found(goose)[0][3] == "2_purchase.sql has no way back: 2_purchase.sql undoes nothing."


def test_released_files_are_not_taken_back(goose: Repository) -> None:
    goose.commit({"migrations/2_bad.sql": f"-- +goose Up\n{UP}-- +goose Down\nDROP TABLE nowhere;\n"})
    goose.write(
        {"migrations/3_more.sql": "-- +goose Up\nCREATE TABLE more (id integer);\n-- +goose Down\nDROP TABLE more;\n"}
    )
    assert found(goose) == []
