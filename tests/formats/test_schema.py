"""The formats of a schema, from values."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from ci_runner.formats.schema import document, picture, script
from ci_runner.model.inspected import Column, Schema, Table

ROOT = Path(__file__).resolve().parents[2]
SHOP = Schema(
    {
        "purchase": Table(
            {"id": Column("int", False, "", "identity"), "customer_id": Column("int", True, "0")},
            {"i": "CREATE INDEX i ON purchase (id)"},
            {"f": "FOREIGN KEY (customer_id) REFERENCES customer (id)"},
        ),
        "customer": Table({"id": Column("int", False)}),
    },
    {"v": "SELECT 1"},
    {"mood": ("ok",)},
)


def test_the_document_keeps_its_contract() -> None:
    facts = {"path": "migrations", "dialect": "postgres", "version": "3", "engine": None}
    made = json.loads(document(SHOP, facts))
    jsonschema.validate(made, json.loads((ROOT / "docs" / "schema.schema.json").read_text()))
    assert made["tables"]["purchase"]["foreign_keys"] == [
        {"columns": ["customer_id"], "table": "customer", "references": ["id"]}
    ]
    assert made["tables"]["purchase"]["columns"][0]["default"] is None


def test_pictures_hold_the_tables_asked_for() -> None:
    assert '"customer" ||' not in picture("mermaid", SHOP, ["purchase"], "Shop")
    assert picture("mermaid", SHOP, [], "Shop").count("{\n") == 2
    assert "<title" in picture("svg", SHOP, [], "Shop")


def test_a_script_ends_each_statement_and_leaves_comments_alone() -> None:
    made = script(["CREATE TABLE t (id int)", "-- view v: its text is not known", "BEGIN a; b; END"], "mysql", "shop")
    assert made == (
        "-- shop\n\nCREATE TABLE t (id int);\n\n-- view v: its text is not known\n\nDELIMITER $$\nBEGIN a; b; END$$\nDELIMITER ;\n"
    )
    assert "DELIMITER" not in script(["SELECT ';'"], "postgres", "shop")
