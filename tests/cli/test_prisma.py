"""Prisma: it opens no transaction itself, and PostgreSQL runs a file of several statements as one."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Repository

ALONE = "-- CreateIndex\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n"
INIT = {
    "m/migration_lock.toml": 'provider = "postgresql"\n',
    "m/20240101000000_init/migration.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n",
}
FLAGS = ("--dir", "m", "--dialect", "postgres", "--latest", "1", "--format", "json")
DATABASE = ("--dev-url", "embedded://postgres/18")


def judged(folder: Repository, sql: str, *flags: str) -> tuple[list[str], str]:
    folder.write({**INIT, "m/20240102000000_next/migration.sql": sql})
    report = folder.run("lint", *FLAGS, *flags).json
    found = [each["rule"] for file in report["files"] for each in file["findings"] if each["severity"] != "notice"]
    return found, report["replay"]["status"]


@pytest.mark.parametrize(
    ("sql", "found", "status"),
    [
        (ALONE, [], "ok"),
        (ALONE + "ALTER TABLE users ADD COLUMN n int;\n", ["concurrent-in-tx"], "failed"),
        (ALONE + "CREATE INDEX CONCURRENTLY j ON users (id);\n", ["concurrent-in-tx", "concurrent-in-tx"], "failed"),
        ("BEGIN;\nALTER TABLE users ADD COLUMN n int;\nCOMMIT;\n", [], "ok"),
    ],
)
def test_a_statement_alone_is_in_no_transaction_several_are_in_one_unless_they_begin_their_own(
    folder: Repository, sql: str, found: list[str], status: str
) -> None:
    assert judged(folder, sql) == (found, "skipped")
    assert judged(folder, sql, *DATABASE) == (found, status)


def test_a_released_file_that_builds_one_is_replayed_as_prisma_runs_it(folder: Repository) -> None:
    folder.write({"m/20240101100000_index/migration.sql": ALONE})
    assert judged(folder, "ALTER TABLE users ADD COLUMN n int;\n", *DATABASE) == ([], "ok")


def test_a_plain_index_is_suggested_to_be_built_concurrently_where_it_is_alone(folder: Repository) -> None:
    folder.write({**INIT, "m/20240102000000_next/migration.sql": "CREATE INDEX i ON users (email);\n"})
    (finding,) = folder.run("lint", *FLAGS, *DATABASE).json["files"][0]["findings"]
    assert finding["suggestion"]["text"] == "CREATE INDEX CONCURRENTLY i ON users (email);"


def test_the_listing_says_what_the_file_says(folder: Repository) -> None:
    folder.write({**INIT, "m/20240102000000_next/migration.sql": ALONE})
    listing = folder.run("ls", "--dir", "m", "--dialect", "postgres", "--json").json
    assert {file["transaction"] for file in listing["files"]} == {"file"}
