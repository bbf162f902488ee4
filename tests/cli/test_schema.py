"""``pilotage schema`` as its users meet it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from tests.cli.conftest import ROOT, Repository
from tests.sql.test_writing import HISTORIES

SHOP = {
    "migrations/1_customer.sql": "CREATE TABLE customer (id integer PRIMARY KEY, email text NOT NULL);\n",
    "migrations/2_purchase.sql": "CREATE TABLE purchase (id integer PRIMARY KEY, customer_id integer REFERENCES customer (id));\n",
    "migrations/3_note.sql": "ALTER TABLE purchase ADD COLUMN note text;\n",
}
LITE = ("--dialect", "sqlite", "--dev-url", "sqlite://dev?mode=memory")


@pytest.fixture
def shop(repository: Repository) -> Repository:
    (repository.path / "migrations" / "1_init.sql").unlink()
    return repository.write(SHOP)


@pytest.mark.parametrize("dialect", HISTORIES)
def test_every_dialect_is_drawn_and_described_without_a_database(repository: Repository, dialect: str) -> None:
    repository.write({"migrations/1_init.sql": HISTORIES[dialect]})
    plain = ("schema", "--dialect", dialect, "--format")
    assert repository.run(*plain, "mermaid").out.startswith("erDiagram\n")
    assert ET.fromstring(repository.run(*plain, "svg").out).tag.endswith("svg")
    assert "CREATE TABLE" in repository.run(*plain, "sql").out
    done = repository.run(*plain, "json")
    jsonschema.validate(done.json, json.loads((ROOT / "docs" / "schema.schema.json").read_text()))
    assert done.json["tables"]
    assert done.json["engine"] is None
    assert f"read as {dialect}, without a dev database" in done.err


def test_a_dev_database_is_asked_and_said(shop: Repository) -> None:
    done = shop.run("schema", "--format", "json", *LITE)
    assert done.json["engine"].startswith("SQLite 3")
    assert done.json["version"] == "3"
    (key,) = done.json["tables"]["purchase"]["foreign_keys"]
    assert key == {"columns": ["customer_id"], "table": "customer", "references": ["id"]}
    assert "2 tables at version 3 of migrations, run on SQLite 3" in done.err


def test_at_shows_an_older_state_by_version_or_file_name(shop: Repository) -> None:
    for at in ("2", "2_purchase.sql"):
        assert "note" not in shop.run("schema", "--at", at, *LITE).out
    assert list(shop.run("schema", "--at", "1", "--format", "json", *LITE).json["tables"]) == ["customer"]
    done = shop.run("schema", "--at", "22", *LITE)
    assert done.code == 2
    assert "--at 22: migrations has no such version — did you mean '2'?" in done.err


def test_tables_picks_by_pattern_and_names_what_is_not_there(shop: Repository) -> None:
    picked = shop.run("schema", "--tables", "PUR*", *LITE).out
    assert '"purchase" {' in picked
    assert "customer" not in picked.replace("customer_id", "")
    done = shop.run("schema", "--tables", "custmer", *LITE)
    assert done.code == 2
    assert "did you mean 'customer'?" in done.err
    assert shop.run("schema", "--tables", "x", "--format", "sql", *LITE).code == 2


def test_output_goes_to_a_file_and_odd_formats_are_refused(shop: Repository) -> None:
    assert shop.run("schema", "--format", "sql", "--output", "made/schema.sql", *LITE).out == ""
    assert "CREATE TABLE purchase" in (shop.path / "made" / "schema.sql").read_text()
    done = shop.run("schema", "--format", "svgs")
    assert done.code == 2
    assert "unknown format 'svgs' — did you mean 'svg'?" in done.err


def test_a_history_that_does_not_run_ends_with_its_place(shop: Repository) -> None:
    shop.write({"migrations/4_bad.sql": "ALTER TABLE nowhere ADD COLUMN x int;\n"})
    done = shop.run("schema", *LITE)
    assert done.code == 1
    assert "4_bad.sql:1:" in done.err
    assert "no such table" in done.err


def test_an_empty_directory_has_an_empty_schema(repository: Repository) -> None:
    (repository.path / "migrations" / "1_init.sql").unlink()
    repository.write({"migrations/README.md": "none yet"})
    done = repository.run("schema", "--format", "json", *LITE)
    assert (done.code, done.json["tables"]) == (0, {})
    assert "There are no tables" in repository.run("schema", "--format", "svg", *LITE).out


def test_of_several_directories_one_is_asked_for(repository: Repository) -> None:
    repository.write({"pilotage.yml": "directories:\n  - dir: a\n  - dir: b\n", "a/1.sql": "", "b/1.sql": ""})
    done = repository.run("schema")
    assert done.code == 2
    assert "pick one with --dir" in done.err
