"""Statistics of production, from the database into the sentence of a finding."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.cli.conftest import ROOT, Repository

STATS = 'taken: "2026-11-23"\ntables:\n  users: {rows: 84000000, bytes: 12000000000}\n  nowhere: 3\n  gone: 1\n  schema_migrations: 9\n'
CHANGE = "ALTER TABLE users ALTER COLUMN id TYPE bigint;\n"


@pytest.fixture
def shop(repository: Repository) -> Repository:
    repository.commit(
        {
            "migrations/1_init.sql": "CREATE TABLE users (id integer PRIMARY KEY);\n",
            "pilotage.yml": "dialect: postgres\nstats: stats.yml\n",
        }
    )
    return repository.write({"migrations/2_wide.sql": CHANGE, "stats.yml": STATS})


def test_a_finding_says_how_much_it_is_about(shop: Repository) -> None:
    written = shop.run("lint", "--base", "HEAD", "--format", "markdown").out
    plain = written.replace("\\~", "~")
    assert "rewrites ~84 M rows (12 GB) of" in plain
    assert "| rewrite of ~84 M rows (12 GB) |" in plain
    assert "names tables that no migration makes, they are ignored: `nowhere`, `gone`" in written
    document = shop.run("lint", "--base", "HEAD", "--format", "json").json
    (finding,) = document["files"][0]["findings"]
    assert (finding["table"], finding["rows"], finding["bytes"]) == ("users", 84_000_000, 12_000_000_000)
    jsonschema.validate(document, yaml.safe_load((ROOT / "docs" / "report.schema.json").read_text()))


def test_a_clean_run_stays_one_line_whatever_else_production_has(shop: Repository) -> None:
    shop.write({"migrations/2_wide.sql": "CREATE TABLE other (id integer PRIMARY KEY);\n"})
    written = shop.run("lint", "--base", "HEAD", "--format", "markdown").out
    assert written.startswith("✅ **Migration check passed:**")
    assert "nowhere" not in written


def test_without_statistics_nothing_is_said_of_amounts(shop: Repository) -> None:
    shop.write({"pilotage.yml": "dialect: postgres\n"})
    (finding,) = shop.run("lint", "--base", "HEAD", "--format", "json").json["files"][0]["findings"]
    assert (finding["table"], finding["rows"], finding["bytes"]) == (None, None, None)
    assert "84" not in finding["message"]


def test_explain_says_it_too(shop: Repository) -> None:
    assert "rewrite of ~84 M rows (12 GB), lock: ACCESS EXCLUSIVE" in shop.run("explain", "migrations/2_wide.sql").out
    (row,) = shop.run("explain", "migrations/2_wide.sql", "--json").json["statements"]
    assert (row["rows"], row["bytes"]) == (84_000_000, 12_000_000_000)
    (row,) = shop.run("explain", "migrations/1_init.sql", "--json").json["statements"]
    assert (row["rows"], row["bytes"]) == (None, None)


def test_a_file_that_is_none_is_named_with_its_line(shop: Repository) -> None:
    shop.write({"stats.yml": "tables:\n  users: lots\n"})
    done = shop.run("lint")
    assert done.code == 2
    assert "stats.yml:2: table 'users' must have whole numbers from 0, not 'lots'" in done.err
    (shop.path / "stats.yml").unlink()
    assert "stats stats.yml cannot be read" in shop.run("lint").err


def test_the_command_writes_what_the_linter_reads(shop: Repository, tmp_path: Path) -> None:
    path = tmp_path / "production.db"
    with sqlite3.connect(path) as database:
        database.executescript("CREATE TABLE users (id integer PRIMARY KEY); INSERT INTO users VALUES (1), (2), (3);")
    done = shop.run("stats", "--url", f"sqlite://{path}", "--output", "stats.yml")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("1 table of SQLite 3")
    assert str(path) not in done.err
    assert yaml.safe_load((shop.path / "stats.yml").read_text())["tables"]["users"]["rows"] == 3
    assert shop.run("lint", "--base", "HEAD", "--format", "json").json["files"][0]["findings"][0]["rows"] == 3
    told = Repository(shop.path, {**shop.environ, "PILOTAGE_STATS_URL": f"sqlite://{path}"})
    assert "rows: 3" in told.run("stats").out


@pytest.mark.parametrize(
    "url",
    [
        "postgres://reader:hunter22@db.internal.example:1/shopdb?connect_timeout=1",
        "mysql://reader:hunter22@127.0.0.1:1/shopdb",
        "postgres://reader:hunter22@/shopdb?host=/nowhere/secret",
        "sqlite:///nowhere/secret/shopdb.db",
        "postgres://reader:hun#ter22@db.internal.example/shopdb",
        "clickhouse://reader:hunter22@127.0.0.1:1/shopdb?connect_timeout=1",
        "hunter22",
        "odd://reader:hunter22@db.internal.example/shopdb",
        "postgres://reader:hunter22@db.internal.example:99999/shopdb",
        "postgres://reader:hunter22@db.internal.example/shopdb?secret=hunter22",
    ],
)
def test_the_address_is_never_printed(repository: Repository, url: str) -> None:
    done = repository.run("stats", "--url", url)
    assert done.code in {2, 5}, done.err
    for part in ("hunter22", "db.internal", "shopdb", "reader", "secret/", "127.0.0.1"):
        assert part not in done.out + done.err, done.err
    assert "error: " in done.err


def test_nothing_to_ask_is_a_usage_error(repository: Repository) -> None:
    done = repository.run("stats")
    assert done.code == 2
    assert "give the database with --url, or in the variable PILOTAGE_STATS_URL" in done.err
