"""The example shop shows what it claims to show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import demo

RISKY = {
    "20251117093000_order_channel.sql": {"add-notnull-no-default", "index-not-concurrent"},
    "20251117094000_order_numbers.sql": {"type-change-rewrite", "drop-column", "constraint-not-valid-missing"},
}
HARMLESS = {"20251117095000_gift_cards.sql", "20251117100000_sales_channel.sql"}


def lint(shop: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "ci_runner", "lint", "--format", "json", *arguments]
    done = subprocess.run(command, cwd=shop, env=demo.ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def serious(document: dict[str, Any]) -> dict[str, set[str]]:
    """Rules at warning or above, by file."""
    found: dict[str, set[str]] = {}
    for directory in document["directories"]:
        for file in directory["files"]:
            found[file["name"]] = {finding["rule"] for finding in file["findings"] if finding["severity"] != "notice"}
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    demo.build(tmp_path / "shop")
    return tmp_path / "shop"


def test_the_branch_is_refused_for_what_is_risky_and_for_nothing_else(shop: Path) -> None:
    document = lint(shop, "--base", "main")
    found = serious(document)
    assert document["verdict"] == "fail"
    assert set(found) == {*RISKY, *HARMLESS}
    assert all(rules <= found[name] for name, rules in RISKY.items())
    assert all(found[name] == set() for name in HARMLESS)


def test_every_file_of_the_branch_runs_on_the_dev_databases(shop: Path) -> None:
    directories = lint(shop, "--base", "main")["directories"]
    assert [directory["replay"]["status"] for directory in directories] == ["ok", "ok"]


def test_a_year_of_history_is_written_as_pilotage_recommends(shop: Path) -> None:
    demo.git(shop, "switch", "--quiet", "main")
    document = lint(shop, "--all")
    assert len(serious(document)) >= 15
    assert {name: rules for name, rules in serious(document).items() if rules} == {}
    assert [directory["problems"] for directory in document["directories"]] == [[], []]
    assert [directory["not_analysed"] for directory in document["directories"]] == [[], []]
